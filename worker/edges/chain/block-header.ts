import { concat, fromHex, reversed, toHex } from '../../engine/primitives/bytes.ts';
import { sha256d } from '../../engine/primitives/hash.ts';
import type { BlockFields } from './esplora-reply.ts';

/** What the rules of difficulty need of a block. */
export interface Difficulty {
  /** Seconds since 1970. */
  readonly time: number;
  /** The target that the block names, in its compact form. */
  readonly bits: number;
}

/** A block header of 80 bytes; hashes are hex in the order that explorers show. */
export interface BlockHeader extends Difficulty {
  readonly raw: Uint8Array;
  readonly hash: string;
  readonly previousHash: string;
  readonly merkleRoot: string;
}

/** `undefined` unless there are 80 bytes. */
export function decodeHeader(raw: Uint8Array): BlockHeader | undefined {
  if (raw.length !== 80) return undefined;
  return {
    raw,
    hash: toHex(reversed(sha256d(raw))),
    previousHash: toHex(reversed(raw.subarray(4, 36))),
    merkleRoot: toHex(reversed(raw.subarray(36, 68))),
    ...difficultyOf(raw),
  };
}

/** The time and the target of a header of 80 bytes, without its hash. */
export function difficultyOf(raw: Uint8Array): Difficulty {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return { time: view.getUint32(68, true), bits: view.getUint32(72, true) };
}

/** The header that a block's fields make; whether it has the block's hash is for the caller to check. */
export function headerOfFields(fields: BlockFields): BlockHeader {
  const [front, back] = [new Uint8Array(4), new Uint8Array(12)];
  new DataView(front.buffer).setInt32(0, fields.version, true);
  const view = new DataView(back.buffer);
  view.setUint32(0, fields.time, true);
  view.setUint32(4, fields.bits, true);
  view.setUint32(8, fields.nonce, true);
  const hashes = [fields.previousHash, fields.merkleRoot].map((hash) => reversed(fromHex(hash)));
  const raw = concat(front, ...hashes, back);
  const { hash, ...rest } = { hash: toHex(reversed(sha256d(raw))), raw };
  const { previousHash, merkleRoot, time, bits } = fields;
  return { ...rest, hash, previousHash, merkleRoot, time, bits };
}

/** The number that a header's hash must not exceed; `undefined` for bits that no node accepts. */
export function targetOfBits(bits: number): bigint | undefined {
  const exponent = bits >>> 24;
  const mantissa = BigInt(bits & 0x7f_ffff);
  if (mantissa === 0n || (bits & 0x80_0000) !== 0 || exponent > 34) return undefined;
  return exponent <= 3 ? mantissa >> BigInt(8 * (3 - exponent)) : mantissa << BigInt(8 * (exponent - 3));
}

/** Whether the hash of a header is below the target that it names itself. */
export function hasProofOfWork({ hash, bits }: BlockHeader): boolean {
  const target = targetOfBits(bits);
  return target !== undefined && BigInt(`0x${hash}`) <= target;
}
