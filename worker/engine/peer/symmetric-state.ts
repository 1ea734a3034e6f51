import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { concat } from '../primitives/bytes.ts';
import { sha256 } from '../primitives/hash.ts';

/** What both sides of a handshake share at any moment; Noise's SymmetricState with its temporary key. 32 bytes each. */
export interface SymmetricState {
  readonly chainingKey: Uint8Array;
  readonly handshakeHash: Uint8Array;
  readonly temporaryKey: Uint8Array;
}

/** The state before the first act: protocol name, prologue and the responder's static key, which an initiator knows. */
export function initialState(responderStatic: Uint8Array): SymmetricState {
  const chainingKey = sha256(utf8ToBytes('Noise_XK_secp256k1_ChaChaPoly_SHA256'));
  const state = { chainingKey, handshakeHash: chainingKey, temporaryKey: new Uint8Array(32) };
  return mixHash(mixHash(state, utf8ToBytes('lightning')), responderStatic);
}

export const mixHash = (state: SymmetricState, data: Uint8Array): SymmetricState => ({
  ...state,
  handshakeHash: sha256(concat(state.handshakeHash, data)),
});

export function mixKey(state: SymmetricState, sharedSecret: Uint8Array): SymmetricState {
  const [chainingKey, temporaryKey] = deriveTwoKeys(state.chainingKey, sharedSecret);
  return { ...state, chainingKey, temporaryKey };
}

/** The ciphertext (16 bytes longer than the plaintext) and the state that has mixed it in. */
export function encryptAndHash(
  state: SymmetricState,
  nonce: number,
  plaintext: Uint8Array,
): { readonly state: SymmetricState; readonly ciphertext: Uint8Array } {
  const ciphertext = encryptWithAd(state.temporaryKey, nonce, state.handshakeHash, plaintext);
  return { state: mixHash(state, ciphertext), ciphertext };
}

/** `undefined` where the tag is wrong. */
export function decryptAndHash(
  state: SymmetricState,
  nonce: number,
  ciphertext: Uint8Array,
): { readonly state: SymmetricState; readonly plaintext: Uint8Array } | undefined {
  const plaintext = decryptWithAd(state.temporaryKey, nonce, state.handshakeHash, ciphertext);
  return plaintext && { state: mixHash(state, ciphertext), plaintext };
}

/** HKDF-SHA256 with empty info, cut into two keys of 32 bytes. */
export function deriveTwoKeys(salt: Uint8Array, material: Uint8Array): readonly [Uint8Array, Uint8Array] {
  const keys = hkdf(sha256, material, salt, undefined, 64);
  return [keys.slice(0, 32), keys.slice(32)];
}

export function encryptWithAd(key: Uint8Array, nonce: number, ad: Uint8Array, plaintext: Uint8Array): Uint8Array {
  return chacha20poly1305(key, nonceBytes(nonce), ad).encrypt(plaintext);
}

/** `undefined` where the tag is wrong. */
export function decryptWithAd(
  key: Uint8Array,
  nonce: number,
  ad: Uint8Array,
  ciphertext: Uint8Array,
): Uint8Array | undefined {
  try {
    return chacha20poly1305(key, nonceBytes(nonce), ad).decrypt(ciphertext);
  } catch {
    return undefined;
  }
}

/** BOLT 8, Authenticated Key Exchange: four zero bytes, then the counter as eight little-endian ones. */
function nonceBytes(nonce: number): Uint8Array {
  const bytes = new Uint8Array(12);
  new DataView(bytes.buffer).setUint32(4, nonce, true);
  return bytes;
}
