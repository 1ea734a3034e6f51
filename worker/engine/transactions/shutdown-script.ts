import { OP } from './script.ts';

export type OutputScriptKind = 'p2pkh' | 'p2sh' | 'p2wpkh' | 'p2wsh' | 'segwit' | 'op_return' | 'other';

/** Negotiated features that widen what `shutdown` may name. */
export interface ShutdownFeatures {
  /** option_shutdown_anysegwit */
  readonly anySegwit: boolean;
  /** option_simple_close: OP_RETURN is allowed too. */
  readonly simpleClose: boolean;
}

/** What kind an output script is; `segwit` is any witness program but the two of version 0. */
export function outputScriptKind(bytes: Uint8Array): OutputScriptKind {
  const starts = (...prefix: readonly number[]): boolean => prefix.every((byte, index) => bytes[index] === byte);
  const ends = (...suffix: readonly number[]): boolean =>
    suffix.every((byte, index) => bytes[bytes.length - suffix.length + index] === byte);
  if (bytes.length === 25 && starts(OP.DUP, OP.HASH160, 20) && ends(OP.EQUALVERIFY, OP.CHECKSIG)) return 'p2pkh';
  if (bytes.length === 23 && starts(OP.HASH160, 20) && ends(OP.EQUAL)) return 'p2sh';
  if (bytes.length === 22 && starts(0, 20)) return 'p2wpkh';
  if (bytes.length === 34 && starts(0, 32)) return 'p2wsh';
  if (isLaterWitnessProgram(bytes)) return 'segwit';
  return starts(OP.RETURN) ? 'op_return' : 'other';
}

/** Whether a `scriptpubkey` of `shutdown` or of `upfront_shutdown_script` is acceptable (BOLT 2, Closing Initiation). */
export function isStandardShutdownScript(bytes: Uint8Array, features: ShutdownFeatures): boolean {
  const kind = outputScriptKind(bytes);
  switch (kind) {
    case 'p2pkh':
    case 'p2sh':
    case 'p2wpkh':
    case 'p2wsh':
      return true;
    case 'segwit':
      return features.anySegwit;
    case 'op_return':
      return features.simpleClose && isStandardOpReturn(bytes);
    case 'other':
      return false;
    default:
      return kind satisfies never;
  }
}

/**
 * The least amount in satoshi that the default relay policy takes for an output (BOLT 3, Dust Limits). A witness program's
 * follows from its length; for those of later versions BOLT 3 gives that of the longest, which is more than the network asks
 * of taproot (330) and of pay to anchor (240).
 */
export function dustLimitSat(outputScript: Uint8Array): bigint {
  const kind = outputScriptKind(outputScript);
  switch (kind) {
    case 'p2sh':
      return 540n;
    case 'p2wpkh':
    case 'p2wsh':
    case 'segwit':
      return 3n * BigInt(AMOUNT_AND_LENGTH_BYTES + outputScript.length + WITNESS_INPUT_VBYTES);
    case 'op_return':
      return 0n;
    case 'p2pkh':
    case 'other':
      return 546n;
    default:
      return kind satisfies never;
  }
}

/** Of an output, beside its script: at 3 sat per byte these and the script are the first part of what it must be worth. */
const AMOUNT_AND_LENGTH_BYTES = 9;
/** The least that spending a witness program takes: the second part. */
const WITNESS_INPUT_VBYTES = 67;

/** OP_1 to OP_16 and one push of 2 to 40 bytes (BIP 141). */
function isLaterWitnessProgram(bytes: Uint8Array): boolean {
  const version = bytes[0] ?? 0;
  const length = bytes[1] ?? 0;
  return version >= 0x51 && version <= 0x60 && length >= 2 && length <= 40 && bytes.length === length + 2;
}

/** OP_RETURN and exactly one push: 6 to 75 bytes directly, or 76 to 80 after OP_PUSHDATA1. */
function isStandardOpReturn(bytes: Uint8Array): boolean {
  const push = bytes[1] ?? 0;
  if (push >= 6 && push <= 75) return bytes.length === push + 2;
  const length = bytes[2] ?? 0;
  return push === 0x4c && length >= 76 && length <= 80 && bytes.length === length + 3;
}
