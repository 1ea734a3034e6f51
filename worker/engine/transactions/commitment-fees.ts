import type { CommitmentFormat } from './channel-scripts.ts';

/** An HTLC in one commitment transaction. */
export interface Htlc {
  /** Offered by the owner of the commitment transaction. */
  readonly offered: boolean;
  readonly amountMsat: bigint;
  /** 32 bytes */
  readonly paymentHash: Uint8Array;
  readonly cltvExpiry: number;
}

/** The expected weights of BOLT 3, Appendix A, which both sides must use whatever the signatures weigh. */
const COMMITMENT_WEIGHT = { static_remotekey: 724, anchors: 1124 } as const;
const HTLC_OUTPUT_WEIGHT = 172;
const HTLC_TIMEOUT_WEIGHT = { static_remotekey: 663, anchors: 666 } as const;
const HTLC_SUCCESS_WEIGHT = { static_remotekey: 703, anchors: 706 } as const;

/** Each of the two anchor outputs, in satoshi. */
export const ANCHOR_SAT = 330n;

/** Expected weight of a commitment transaction with that many untrimmed HTLCs. */
export const commitmentWeight = (format: CommitmentFormat, untrimmedHtlcs: number): number =>
  COMMITMENT_WEIGHT[format] + HTLC_OUTPUT_WEIGHT * untrimmedHtlcs;

/** Base fee in satoshi, rounded down (BOLT 3, Fee Calculation); the two anchors come on top, see `openerCostSat`. */
export const commitmentFeeSat = (format: CommitmentFormat, feeratePerKw: number, untrimmedHtlcs: number): bigint =>
  feeSat(feeratePerKw, commitmentWeight(format, untrimmedHtlcs));

/** What the opener pays: the base fee and, with anchors, both of them even if only one is made. */
export const openerCostSat = (format: CommitmentFormat, feeratePerKw: number, untrimmedHtlcs: number): bigint =>
  commitmentFeeSat(format, feeratePerKw, untrimmedHtlcs) + (format === 'anchors' ? 2n * ANCHOR_SAT : 0n);

/** Expected weight of the HTLC-timeout (offered) or HTLC-success transaction. */
export const htlcTransactionWeight = (format: CommitmentFormat, offered: boolean): number =>
  offered ? HTLC_TIMEOUT_WEIGHT[format] : HTLC_SUCCESS_WEIGHT[format];

/** Fee in satoshi of an HTLC transaction; zero with anchors, where it is added when the transaction is broadcast. */
export const htlcTransactionFeeSat = (format: CommitmentFormat, feeratePerKw: number, offered: boolean): bigint =>
  format === 'anchors' ? 0n : feeSat(feeratePerKw, htlcTransactionWeight(format, offered));

/** Whether an HTLC has no output because it would not pay for its own transaction (BOLT 3, Trimmed Outputs). */
export function isTrimmed(
  htlc: Pick<Htlc, 'offered' | 'amountMsat'>,
  format: CommitmentFormat,
  feeratePerKw: number,
  ownerDustLimitSat: bigint,
): boolean {
  const keptSat = htlc.amountMsat / 1000n - htlcTransactionFeeSat(format, feeratePerKw, htlc.offered);
  return keptSat < ownerDustLimitSat;
}

const feeSat = (feeratePerKw: number, weight: number): bigint => (BigInt(feeratePerKw) * BigInt(weight)) / 1000n;
