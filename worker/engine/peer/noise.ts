import { concat } from '../primitives/bytes.ts';
import { GlowwormError } from '../primitives/errors.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import type { SymmetricState } from './symmetric-state.ts';
import { decryptAndHash, deriveTwoKeys, encryptAndHash, initialState, mixHash, mixKey } from './symmetric-state.ts';

/** The length in bytes of each act of the handshake (BOLT 8). */
export const ACT_BYTES: Readonly<Record<Act, number>> = { 1: 50, 2: 50, 3: 66 };

export type Act = 1 | 2 | 3;

/** Why a handshake ends; travels as `details.reason` of a `BadHandshake`. */
export type HandshakeFault = 'length' | 'version' | 'publicKey' | 'ciphertext' | 'tag';

/** A node's identity as the handshake needs it: the secret itself stays with its signer. */
export interface StaticKey {
  /** 33 bytes. */
  readonly publicKey: Uint8Array;
  /** SHA256 of the compressed point secret·point. */
  readonly ecdh: (point: Uint8Array) => Uint8Array;
}

/** What a finished handshake leaves: 32 bytes each. */
export interface TransportKeys {
  readonly sendingKey: Uint8Array;
  readonly receivingKey: Uint8Array;
  readonly chainingKey: Uint8Array;
}

/** The initiator after its first act. */
export interface AwaitingActTwo {
  readonly kind: 'awaitingActTwo';
  readonly symmetric: SymmetricState;
  readonly local: StaticKey;
  readonly ephemeralSecret: Uint8Array;
}

/** The responder before anything was said. */
export interface AwaitingActOne {
  readonly kind: 'awaitingActOne';
  readonly symmetric: SymmetricState;
  readonly local: StaticKey;
  readonly ephemeralSecret: Uint8Array;
}

/** The responder after its act. */
export interface AwaitingActThree {
  readonly kind: 'awaitingActThree';
  readonly symmetric: SymmetricState;
  readonly ephemeralSecret: Uint8Array;
}

/**
 * Noise_XK, initiator, act one: `e, es`. Neither secret may serve a second handshake: `ephemeralSecret` is 32 fresh
 * random bytes. Throws `BadHandshake` when the responder's key is not a point.
 */
export function writeActOne(
  secp: Secp256k1,
  local: StaticKey,
  remoteStatic: Uint8Array,
  ephemeralSecret: Uint8Array,
): { readonly act: Uint8Array; readonly state: AwaitingActTwo } {
  if (!secp.isPoint(remoteStatic)) throw badHandshake(1, 'publicKey');
  const e = secp.publicKey(ephemeralSecret);
  const es = secp.ecdh(ephemeralSecret, remoteStatic);
  const { state: symmetric, ciphertext } = encryptAndHash(mixKey(mixHash(initialState(remoteStatic), e), es), 0, EMPTY);
  const state: AwaitingActTwo = { kind: 'awaitingActTwo', symmetric, local, ephemeralSecret };
  return { act: concat(VERSION, e, ciphertext), state };
}

/** Noise_XK, responder: ready for act one. `ephemeralSecret` is 32 fresh random bytes. */
export const awaitActOne = (local: StaticKey, ephemeralSecret: Uint8Array): AwaitingActOne => ({
  kind: 'awaitingActOne',
  symmetric: initialState(local.publicKey),
  local,
  ephemeralSecret,
});

/** Noise_XK, responder: reads `e, es`, answers `e, ee`. Throws `BadHandshake`. */
export function readActOne(
  secp: Secp256k1,
  state: AwaitingActOne,
  act: Uint8Array,
): { readonly act: Uint8Array; readonly state: AwaitingActThree } {
  const re = readEphemeral(secp, 1, act);
  const afterEs = mixKey(mixHash(state.symmetric, re), state.local.ecdh(re));
  const read = readTag(1, afterEs, act);
  const e = secp.publicKey(state.ephemeralSecret);
  const ee = secp.ecdh(state.ephemeralSecret, re);
  const { state: symmetric, ciphertext } = encryptAndHash(mixKey(mixHash(read, e), ee), 0, EMPTY);
  return {
    act: concat(VERSION, e, ciphertext),
    state: { kind: 'awaitingActThree', symmetric, ephemeralSecret: state.ephemeralSecret },
  };
}

/** Noise_XK, initiator: reads `e, ee`, answers `s, se` and is done. Throws `BadHandshake`. */
export function readActTwo(
  secp: Secp256k1,
  state: AwaitingActTwo,
  act: Uint8Array,
): { readonly act: Uint8Array; readonly keys: TransportKeys } {
  const re = readEphemeral(secp, 2, act);
  const ee = secp.ecdh(state.ephemeralSecret, re);
  const read = readTag(2, mixKey(mixHash(state.symmetric, re), ee), act);
  // The temporary key of act two is used a second time, hence nonce 1.
  const s = encryptAndHash(read, 1, state.local.publicKey);
  const se = encryptAndHash(mixKey(s.state, state.local.ecdh(re)), 0, EMPTY);
  const [sendingKey, receivingKey] = deriveTwoKeys(se.state.chainingKey, EMPTY);
  return {
    act: concat(VERSION, s.ciphertext, se.ciphertext),
    keys: { sendingKey, receivingKey, chainingKey: se.state.chainingKey },
  };
}

/** Noise_XK, responder: reads `s, se` and is done; learns who the initiator is. Throws `BadHandshake`. */
export function readActThree(
  secp: Secp256k1,
  state: AwaitingActThree,
  act: Uint8Array,
): { readonly remoteStatic: Uint8Array; readonly keys: TransportKeys } {
  checkFrame(3, act);
  const s = decryptAndHash(state.symmetric, 1, act.slice(1, 50));
  if (s === undefined) throw badHandshake(3, 'ciphertext');
  const remoteStatic = s.plaintext;
  if (!secp.isPoint(remoteStatic)) throw badHandshake(3, 'publicKey');
  const se = secp.ecdh(state.ephemeralSecret, remoteStatic);
  const done = decryptAndHash(mixKey(s.state, se), 0, act.slice(50));
  if (done === undefined) throw badHandshake(3, 'tag');
  const [receivingKey, sendingKey] = deriveTwoKeys(done.state.chainingKey, EMPTY);
  return { remoteStatic, keys: { sendingKey, receivingKey, chainingKey: done.state.chainingKey } };
}

const VERSION = Uint8Array.of(0);
const EMPTY = new Uint8Array(0);

function readEphemeral(secp: Secp256k1, which: 1 | 2, act: Uint8Array): Uint8Array {
  checkFrame(which, act);
  const key = act.slice(1, 34);
  if (!secp.isPoint(key)) throw badHandshake(which, 'publicKey');
  return key;
}

function readTag(which: 1 | 2, symmetric: SymmetricState, act: Uint8Array): SymmetricState {
  const read = decryptAndHash(symmetric, 0, act.slice(34));
  if (read === undefined) throw badHandshake(which, 'tag');
  return read.state;
}

function checkFrame(which: Act, act: Uint8Array): void {
  if (act.length !== ACT_BYTES[which]) throw badHandshake(which, 'length');
  if (act[0] !== 0) throw badHandshake(which, 'version');
}

const badHandshake = (act: Act, reason: HandshakeFault): GlowwormError =>
  new GlowwormError('BadHandshake', `The encrypted connection failed: act ${act} has a bad ${reason}.`, {
    act,
    reason,
  });
