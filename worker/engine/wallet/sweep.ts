import { GlowwormError } from '../primitives/errors.ts';
import type { CommitmentFormat } from '../transactions/channel-scripts.ts';
import { dustLimitSat } from '../transactions/shutdown-script.ts';
import { encodeTransaction, transactionId, type Outpoint, type Transaction } from '../transactions/transaction.ts';
import type { Witness } from '../transactions/witnesses.ts';
import { feeForWeight, outputWeight, OVERHEAD_WEIGHT } from './coin-selection.ts';

/** An output that a closed channel left to us, and what it takes to spend it. */
export type SpendableOutput = {
  readonly outpoint: Outpoint;
  readonly amountSat: bigint;
  readonly channelKeysIndex: number;
} & (
  | {
      /** `to_local` of a holder commitment, or the output of one of its HTLC transactions. */
      readonly kind: 'delayed';
      readonly commitmentNumber: number;
      readonly toSelfDelay: number;
      readonly revocationPubkey: Uint8Array;
    }
  | {
      /** `to_remote` of a counterparty commitment. */
      readonly kind: 'toRemote';
      readonly format: CommitmentFormat;
    }
);

/** The witness for one input of a sweep, from the signer of the output's channel. */
export type SweepSigner = (output: SpendableOutput, spending: SweepSpending) => Witness;

export interface SweepSpending {
  readonly tx: Transaction;
  readonly inputIndex: number;
  readonly amountSat: bigint;
}

export interface Sweep {
  readonly tx: Transaction;
  readonly rawTx: Uint8Array;
  /** 32 bytes, wire order */
  readonly txid: Uint8Array;
  readonly feeSat: bigint;
  /** The outputs swept; those not worth their own fee are left for a cheaper time. */
  readonly swept: readonly SpendableOutput[];
}

const INPUT_BASE_WEIGHT = 164;

/**
 * A transaction that moves outputs of closed channels to one script. Throws `NothingToSweep` when they are not worth the
 * fee. The caller waits until each `delayed` output has the confirmations of its `toSelfDelay`.
 */
export function buildSweep(
  outputs: readonly SpendableOutput[],
  script: Uint8Array,
  feeratePerKw: number,
  sign: SweepSigner,
): Sweep {
  const swept = outputs.filter(
    (output) => output.amountSat > feeForWeight(INPUT_BASE_WEIGHT + witnessWeight(output), feeratePerKw),
  );
  const weight = swept.reduce(
    (sum, output) => sum + INPUT_BASE_WEIGHT + witnessWeight(output),
    OVERHEAD_WEIGHT + outputWeight(script.length),
  );
  const feeSat = feeForWeight(weight, feeratePerKw);
  const amountSat = swept.reduce((sum, output) => sum + output.amountSat, 0n) - feeSat;
  if (amountSat < dustLimitSat(script) || amountSat <= 0n)
    throw new GlowwormError('NothingToSweep', 'what closed channels left is not worth its fee', { feeSat });
  const unsigned: Transaction = {
    version: 2,
    inputs: swept.map(({ outpoint, ...output }) => ({
      ...outpoint,
      sequence: sequenceOf(output),
      scriptSig: new Uint8Array(0),
      witness: [],
    })),
    outputs: [{ amountSat, script }],
    locktime: 0,
  };
  const inputs = unsigned.inputs.map((input, inputIndex) => {
    const output = swept[inputIndex];
    return output
      ? { ...input, witness: sign(output, { tx: unsigned, inputIndex, amountSat: output.amountSat }) }
      : input;
  });
  const tx = { ...unsigned, inputs };
  return { tx, rawTx: encodeTransaction(tx), txid: transactionId(tx), feeSat, swept };
}

/** BIP 68: the relative delay that the script demands; without one still replaceable. */
function sequenceOf(
  output: { kind: 'delayed'; toSelfDelay: number } | { kind: 'toRemote'; format: CommitmentFormat },
): number {
  if (output.kind === 'delayed') return output.toSelfDelay;
  return output.format === 'anchors' ? 1 : 0xffff_fffd;
}

/** Of the longest low-R witness: signature, the rest of the stack, and the script, each with its length. */
function witnessWeight(output: SpendableOutput): number {
  if (output.kind === 'delayed') return 1 + 72 + 1 + 1 + 79;
  return output.format === 'anchors' ? 1 + 72 + 1 + 37 : 1 + 72 + 34;
}
