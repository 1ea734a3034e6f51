import { compareBytes } from '../primitives/bytes.ts';
import {
  anchorScript,
  fundingScript,
  offeredHtlcScript,
  receivedHtlcScript,
  toLocalScript,
  toRemoteOutputScript,
  type CommitmentFormat,
  type HtlcKeys,
} from './channel-scripts.ts';
import { ANCHOR_SAT, isTrimmed, openerCostSat, type Htlc } from './commitment-fees.ts';
import { obscureCommitmentNumber } from './commitment-number.ts';
import { p2wsh } from './script.ts';
import { segwitV0Sighash } from './sighash.ts';
import type { Transaction, TransactionOutput } from './transaction.ts';

export type { CommitmentFormat } from './channel-scripts.ts';
export type { Htlc } from './commitment-fees.ts';

/** The keys of one commitment transaction, 33 bytes each; all but the last three belong to its per-commitment point. */
export interface CommitmentKeys extends HtlcKeys {
  readonly delayedPubkey: Uint8Array;
  /** The other side's payment basepoint, as option_static_remotekey has it. */
  readonly otherPaymentPubkey: Uint8Array;
  readonly ownerFundingPubkey: Uint8Array;
  readonly otherFundingPubkey: Uint8Array;
}

/** All that decides a commitment transaction; `owner` is the side that could broadcast it, `other` its counterparty. */
export interface CommitmentInput<H extends Htlc = Htlc> {
  readonly format: CommitmentFormat;
  /** 32 bytes, wire order */
  readonly fundingTxid: Uint8Array;
  readonly fundingOutputIndex: number;
  readonly fundingSat: bigint;
  /** Counts up from 0. */
  readonly commitmentNumber: number;
  /** 48 bits, see `obscuringFactor`. */
  readonly obscuringFactor: number;
  readonly ownerIsOpener: boolean;
  readonly ownerDustLimitSat: bigint;
  /** Blocks that the owner has to wait: what the other side asked for. */
  readonly toSelfDelay: number;
  readonly feeratePerKw: number;
  /** Before the fee; HTLCs in flight excluded. */
  readonly toOwnerMsat: bigint;
  readonly toOtherMsat: bigint;
  readonly htlcs: readonly H[];
  readonly keys: CommitmentKeys;
}

/** An HTLC that has an output. */
export interface CommitmentHtlc<H extends Htlc = Htlc> {
  readonly htlc: H;
  readonly outputIndex: number;
  /** The witness script of the output. */
  readonly outputScript: Uint8Array;
}

export interface Commitment<H extends Htlc = Htlc> {
  /** Unsigned. */
  readonly tx: Transaction;
  /** The witness script of the funding output. */
  readonly fundingScript: Uint8Array;
  readonly toOwnerIndex?: number;
  readonly toOtherIndex?: number;
  readonly ownerAnchorIndex?: number;
  readonly otherAnchorIndex?: number;
  /** In output order, the order of `htlc_signature` in `commitment_signed`. */
  readonly htlcs: readonly CommitmentHtlc<H>[];
  readonly trimmed: readonly H[];
}

/** The commitment transaction of one side (BOLT 3, Commitment Transaction Construction). */
export function buildCommitment<H extends Htlc>(input: CommitmentInput<H>): Commitment<H> {
  const trims = (htlc: H): boolean => isTrimmed(htlc, input.format, input.feeratePerKw, input.ownerDustLimitSat);
  const untrimmed = input.htlcs.filter((htlc) => !trims(htlc));
  const outputs = planOutputs(input, untrimmed).toSorted(outputOrder);
  const { locktime, sequence } = obscureCommitmentNumber(input.commitmentNumber, input.obscuringFactor);
  const fundingInput = { txid: input.fundingTxid, vout: input.fundingOutputIndex, sequence };
  return {
    tx: {
      version: 2,
      inputs: [{ ...fundingInput, scriptSig: new Uint8Array(0), witness: [] }],
      outputs: outputs.map(({ amountSat, script }) => ({ amountSat, script })),
      locktime,
    },
    fundingScript: fundingScript(input.keys.ownerFundingPubkey, input.keys.otherFundingPubkey),
    ...namedIndexes(outputs),
    htlcs: outputs.flatMap((output, outputIndex) =>
      output.kind === 'htlc' ? [{ htlc: output.htlc, outputIndex, outputScript: output.witnessScript }] : [],
    ),
    trimmed: input.htlcs.filter(trims),
  };
}

/** The 32-byte hash that both sides sign to make a commitment transaction valid. */
export const commitmentSighash = (commitment: Commitment, fundingSat: bigint): Uint8Array =>
  segwitV0Sighash(commitment.tx, 0, commitment.fundingScript, fundingSat, 'ALL');

type OutputName = 'toOwner' | 'toOther' | 'ownerAnchor' | 'otherAnchor';

type PlannedOutput<H extends Htlc> = TransactionOutput &
  ({ readonly kind: OutputName } | { readonly kind: 'htlc'; readonly htlc: H; readonly witnessScript: Uint8Array });

function planOutputs<H extends Htlc>(input: CommitmentInput<H>, untrimmed: readonly H[]): PlannedOutput<H>[] {
  const { keys, format } = input;
  const costSat = openerCostSat(format, input.feeratePerKw, untrimmed.length);
  const toOwnerSat = balanceSat(input.toOwnerMsat, input.ownerIsOpener ? costSat : 0n);
  const toOtherSat = balanceSat(input.toOtherMsat, input.ownerIsOpener ? 0n : costSat);
  const outputs: PlannedOutput<H>[] = untrimmed.map((htlc) => htlcOutput(format, keys, htlc));
  const hasToOwner = toOwnerSat > 0n && toOwnerSat >= input.ownerDustLimitSat;
  const hasToOther = toOtherSat > 0n && toOtherSat >= input.ownerDustLimitSat;
  const add = (kind: OutputName, amountSat: bigint, script: Uint8Array): void => {
    outputs.push({ kind, amountSat, script });
  };
  const toOwnerScript = toLocalScript(keys.revocationPubkey, input.toSelfDelay, keys.delayedPubkey);
  if (hasToOwner) add('toOwner', toOwnerSat, p2wsh(toOwnerScript));
  if (hasToOther) add('toOther', toOtherSat, toRemoteOutputScript(format, keys.otherPaymentPubkey));
  if (format !== 'anchors') return outputs;
  // BOLT 3, Anchors: a side without any stake in the transaction has nothing to speed up and gets no anchor.
  const hasHtlcs = untrimmed.length > 0;
  if (hasToOwner || hasHtlcs) add('ownerAnchor', ANCHOR_SAT, p2wsh(anchorScript(keys.ownerFundingPubkey)));
  if (hasToOther || hasHtlcs) add('otherAnchor', ANCHOR_SAT, p2wsh(anchorScript(keys.otherFundingPubkey)));
  return outputs;
}

/** BOLT 3, Fee Payment: where the opener can't pay the whole fee, its whole balance goes to the fee. */
function balanceSat(amountMsat: bigint, costSat: bigint): bigint {
  const rest = amountMsat / 1000n - costSat;
  return rest > 0n ? rest : 0n;
}

function htlcOutput<H extends Htlc>(format: CommitmentFormat, keys: HtlcKeys, htlc: H): PlannedOutput<H> {
  const witnessScript = htlc.offered
    ? offeredHtlcScript(format, keys, htlc.paymentHash)
    : receivedHtlcScript(format, keys, htlc.paymentHash, htlc.cltvExpiry);
  return { kind: 'htlc', amountSat: htlc.amountMsat / 1000n, script: p2wsh(witnessScript), htlc, witnessScript };
}

/**
 * BIP 69 and then the expiry: offered HTLCs that share amount and hash have the same output, and `htlc_signature`s can
 * only be matched to them by a further order (BOLT 3, Transaction Output Ordering).
 */
function outputOrder<H extends Htlc>(a: PlannedOutput<H>, b: PlannedOutput<H>): number {
  if (a.amountSat !== b.amountSat) return a.amountSat < b.amountSat ? -1 : 1;
  const scripts = compareBytes(a.script, b.script);
  if (scripts !== 0) return scripts;
  return a.kind === 'htlc' && b.kind === 'htlc' ? a.htlc.cltvExpiry - b.htlc.cltvExpiry : 0;
}

function namedIndexes<H extends Htlc>(
  outputs: readonly PlannedOutput<H>[],
): Partial<Record<`${OutputName}Index`, number>> {
  const indexes: Partial<Record<`${OutputName}Index`, number>> = {};
  outputs.forEach(({ kind }, index) => {
    if (kind !== 'htlc') indexes[`${kind}Index`] = index;
  });
  return indexes;
}
