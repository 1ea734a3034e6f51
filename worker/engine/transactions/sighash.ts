import { concat } from '../primitives/bytes.ts';
import { GlowwormError } from '../primitives/errors.ts';
import { sha256d } from '../primitives/hash.ts';
import { u32le, u64le } from './byte-cursor.ts';
import { encodeOutpoint, encodeOutput, sized, type Transaction } from './transaction.ts';

/** What a signature covers: everything, or its own input and the output of the same index. */
export type SighashType = 'ALL' | 'SINGLE|ANYONECANPAY';

/** The byte that follows the DER signature in a witness. */
export const SIGHASH_BYTE: Readonly<Record<SighashType, number>> = { ALL: 0x01, 'SINGLE|ANYONECANPAY': 0x83 };

/** The three hashes that every `ALL` signature of a transaction shares, 32 bytes each. */
export interface SighashMidstate {
  readonly prevouts: Uint8Array;
  readonly sequences: Uint8Array;
  readonly outputs: Uint8Array;
}

const ZEROS = new Uint8Array(32);

/** Computed once per transaction and passed to `segwitV0Sighash` for each of its inputs. */
export function sighashMidstate(tx: Transaction): SighashMidstate {
  return {
    prevouts: sha256d(concat(...tx.inputs.map(encodeOutpoint))),
    sequences: sha256d(concat(...tx.inputs.map(({ sequence }) => u32le(sequence)))),
    outputs: sha256d(concat(...tx.outputs.map(encodeOutput))),
  };
}

/**
 * The 32-byte hash that a version 0 witness signs (BIP 143). `scriptCode` is the witness script, or for P2WPKH the P2PKH
 * script of the key; `amountSat` is the amount of the output spent. Throws `InvariantBroken` without such an input.
 */
export function segwitV0Sighash(
  tx: Transaction,
  inputIndex: number,
  scriptCode: Uint8Array,
  amountSat: bigint,
  type: SighashType,
  midstate: SighashMidstate = type === 'ALL' ? sighashMidstate(tx) : singleMidstate(tx, inputIndex),
): Uint8Array {
  const input = tx.inputs[inputIndex];
  if (!input) throw new GlowwormError('InvariantBroken', `no input ${inputIndex} to sign`);
  const preimage = concat(
    u32le(tx.version),
    midstate.prevouts,
    midstate.sequences,
    encodeOutpoint(input),
    sized(scriptCode),
    u64le(amountSat),
    u32le(input.sequence),
    midstate.outputs,
    u32le(tx.locktime),
    u32le(SIGHASH_BYTE[type]),
  );
  return sha256d(preimage);
}

/** BIP 143: ANYONECANPAY blanks inputs and sequences, SINGLE commits to the output of the same index or to zeros. */
function singleMidstate(tx: Transaction, inputIndex: number): SighashMidstate {
  const output = tx.outputs[inputIndex];
  return { prevouts: ZEROS, sequences: ZEROS, outputs: output ? sha256d(encodeOutput(output)) : ZEROS };
}
