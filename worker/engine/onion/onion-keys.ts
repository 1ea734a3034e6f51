import { chacha20 } from '@noble/ciphers/chacha.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { hmacSha256 } from '../primitives/hash.ts';

/** What a derived key is for (BOLT 4, Key Generation). */
export type OnionKeyUse = 'rho' | 'mu' | 'um' | 'pad' | 'ammag' | 'ammagext' | 'fulfillment';

/** A 32-byte key for one use from the secret that sender and hop share. */
export const onionKey = (use: OnionKeyUse, secret: Uint8Array): Uint8Array => hmacSha256(utf8ToBytes(use), secret);

/** ChaCha20 over zeros with a zero nonce: every key makes one stream (BOLT 4, Pseudo Random Byte Stream). */
export const onionStream = (key: Uint8Array, length: number): Uint8Array =>
  chacha20(key, ZERO_NONCE, new Uint8Array(length));

/** `bytes` XOR the stream, in place. */
export function xorInto(bytes: Uint8Array, stream: Uint8Array): void {
  for (let i = 0; i < bytes.length; i++) bytes[i] = (bytes[i] ?? 0) ^ (stream[i] ?? 0);
}

const ZERO_NONCE = new Uint8Array(12);
