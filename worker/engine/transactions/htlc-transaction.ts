import { assert } from '../primitives/errors.ts';
import { toLocalScript, type CommitmentFormat } from './channel-scripts.ts';
import { htlcTransactionFeeSat } from './commitment-fees.ts';
import type { CommitmentHtlc, CommitmentInput, CommitmentKeys } from './commitment.ts';
import { p2wsh } from './script.ts';
import { segwitV0Sighash, type SighashType } from './sighash.ts';
import type { Transaction } from './transaction.ts';

/** What an HTLC transaction takes from its commitment. */
export type HtlcTransactionInput = Pick<CommitmentInput, 'format' | 'feeratePerKw' | 'toSelfDelay'> & {
  readonly keys: Pick<CommitmentKeys, 'revocationPubkey' | 'delayedPubkey'>;
};

/**
 * The unsigned HTLC-timeout (offered) or HTLC-success (received) transaction that spends one HTLC output of a commitment
 * transaction (BOLT 3, HTLC-Timeout and HTLC-Success Transactions). `commitmentTxid` is in wire order.
 */
export function htlcTransaction(
  input: HtlcTransactionInput,
  commitmentTxid: Uint8Array,
  { htlc, outputIndex }: CommitmentHtlc,
): Transaction {
  const amountSat = htlc.amountMsat / 1000n - htlcTransactionFeeSat(input.format, input.feeratePerKw, htlc.offered);
  assert(amountSat >= 0n, 'an HTLC that has an output pays for its transaction');
  const script = p2wsh(toLocalScript(input.keys.revocationPubkey, input.toSelfDelay, input.keys.delayedPubkey));
  const sequence = input.format === 'anchors' ? 1 : 0;
  return {
    version: 2,
    inputs: [{ txid: commitmentTxid, vout: outputIndex, sequence, scriptSig: new Uint8Array(0), witness: [] }],
    outputs: [{ amountSat, script }],
    locktime: htlc.offered ? htlc.cltvExpiry : 0,
  };
}

/** The 32-byte hash that a signature of an HTLC transaction covers. */
export const htlcSighash = (tx: Transaction, { htlc, outputScript }: CommitmentHtlc, type: SighashType): Uint8Array =>
  segwitV0Sighash(tx, 0, outputScript, htlc.amountMsat / 1000n, type);

/** The other side's signature lets the owner add inputs for the fee when there are anchors; the owner's own is `ALL`. */
export const otherHtlcSighashType = (format: CommitmentFormat): SighashType =>
  format === 'anchors' ? 'SINGLE|ANYONECANPAY' : 'ALL';
