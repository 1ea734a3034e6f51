import { hmac } from '@noble/hashes/hmac.js';
import { ripemd160 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concat, fromUtf8 } from './bytes.ts';

export { sha256 };

/** Bitcoin's double SHA256. */
export const sha256d = (bytes: Uint8Array): Uint8Array => sha256(sha256(bytes));

/** RIPEMD160 of SHA256. */
export const hash160 = (bytes: Uint8Array): Uint8Array => ripemd160(sha256(bytes));

export { ripemd160 };

export const hmacSha256 = (key: Uint8Array, bytes: Uint8Array): Uint8Array => hmac(sha256, key, bytes);

/** BIP 340: a hash of its own for each purpose. */
export function taggedHash(tag: string, bytes: Uint8Array): Uint8Array {
  const tagHash = sha256(fromUtf8(tag));
  return sha256(concat(tagHash, tagHash, bytes));
}
