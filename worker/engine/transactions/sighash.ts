import { concat } from '../primitives/bytes.ts';
import { GlowwormError } from '../primitives/errors.ts';
import { sha256, sha256d, taggedHash } from '../primitives/hash.ts';
import { u32le, u64le } from './byte-cursor.ts';
import { encodeOutpoint, encodeOutput, sized, type Transaction, type TransactionOutput } from './transaction.ts';

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

/** The five hashes that every signature of the default type shares in a transaction with taproot inputs, one after the other. */
export const taprootMidstate = ({ inputs, outputs }: Transaction, prevouts: readonly TransactionOutput[]): Uint8Array =>
  concat(
    sha256(concat(...inputs.map(encodeOutpoint))),
    sha256(concat(...prevouts.map(({ amountSat }) => u64le(amountSat)))),
    sha256(concat(...prevouts.map(({ script }) => sized(script)))),
    sha256(concat(...inputs.map(({ sequence }) => u32le(sequence)))),
    sha256(concat(...outputs.map(encodeOutput))),
  );

/** The 32-byte hash that a key path spend signs with the default type, without an annex (BIP 341). */
export function taprootSighash(
  { version, locktime }: Transaction,
  inputIndex: number,
  midstate: Uint8Array,
): Uint8Array {
  const [epoch, type, keyPath] = [0, 0, 0];
  return taggedHash(
    'TapSighash',
    concat(
      Uint8Array.of(epoch, type),
      u32le(version),
      u32le(locktime),
      midstate,
      Uint8Array.of(keyPath),
      u32le(inputIndex),
    ),
  );
}
