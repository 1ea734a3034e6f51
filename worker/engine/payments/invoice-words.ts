import { assert } from '../primitives/errors.ts';

/** Five-bit numbers, as bech32 carries them. */
export type Words = readonly number[];

/** A tagged field: five bits of type, ten of length, and the data. */
export interface TaggedField {
  readonly tag: number;
  readonly words: Words;
}

/** The character of each tag. */
export const tagCharacters = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';

/**
 * The bytes in words. `undefined` where what is left over at the end is no padding (BOLT 11: zeros, up to a multiple of five
 * bits): such a text would read as another one and yet have a signature of its own.
 */
export function wordsToBytes(words: Words): Uint8Array | undefined {
  const padding = (words.length * 5) % 8;
  if (padding >= 5 || ((words.at(-1) ?? 0) & ((1 << padding) - 1)) !== 0) return undefined;
  return regroup(words, 5, 8, Math.floor((words.length * 5) / 8));
}

/** The words that hold bytes, padded with zero bits. */
export function bytesToWords(bytes: Uint8Array): Words {
  return [...regroup([...bytes], 8, 5, Math.ceil((bytes.length * 8) / 5))];
}

/** Words as bytes with zero bits behind the last one: the form that is signed. */
export function wordsToPaddedBytes(words: Words): Uint8Array {
  return regroup(words, 5, 8, Math.ceil((words.length * 5) / 8));
}

/** Big-endian; what exceeds 2^53 - 1 is that. Whoever reads a number from it has a bound far below. */
export function wordsToNumber(words: Words): number {
  return words.reduce((value, word) => Math.min(value * 32 + word, Number.MAX_SAFE_INTEGER), 0);
}

/** The shortest words of a number. */
export function numberToWords(value: number): Words {
  assert(Number.isSafeInteger(value) && value >= 0, 'number in an invoice');
  const words: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 32)) words.unshift(rest % 32);
  return words;
}

function regroup(groups: Words, from: number, to: number, length: number): Uint8Array {
  const out = new Uint8Array(length);
  let buffer = 0;
  let bits = 0;
  let at = 0;
  const next = (shift: number): number => (shift >= 0 ? buffer >> shift : buffer << -shift) & ((1 << to) - 1);
  for (const group of groups) {
    buffer = ((buffer << from) | group) & 0xffff;
    bits += from;
    while (bits >= to && at < length) {
      bits -= to;
      out[at++] = next(bits);
    }
  }
  if (at < length) out[at] = next(bits - to);
  return out;
}
