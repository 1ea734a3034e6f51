import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { utf8 } from '@scure/base';

/** Lower-case hex of bytes. */
export const toHex = (bytes: Uint8Array): string => bytesToHex(bytes);

/** Bytes of a hex string; throws on an odd length or a character that is not hex. */
export const fromHex = (hex: string): Uint8Array => hexToBytes(hex);

/** Concatenation into one new array. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

/** Equality of contents. Not constant-time: never compare secrets or MACs from a peer with it. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Equality in a time that depends on the lengths alone. */
export function equalConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}

/** Lexicographic order, as BIP 69 and BOLT 3 want it for scripts and public keys. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** A reversed copy: a txid as explorers print it from the order on the wire, and back. */
export const reversed = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes).reverse();

/** Text to UTF-8. */
export const fromUtf8 = (text: string): Uint8Array => utf8.decode(text);

/** UTF-8 to text; throws on bytes that are not UTF-8. */
export const toUtf8 = (bytes: Uint8Array): string => utf8.encode(bytes);

/** A peer's text for a log or a page: printable ASCII, not too long. */
export const printable = (data: Uint8Array): string =>
  [...data.subarray(0, 200)].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '?')).join('');
