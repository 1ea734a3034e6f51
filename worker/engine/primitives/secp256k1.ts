import { secp256k1 as curve } from '@noble/curves/secp256k1.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import * as noble from '@noble/secp256k1';

/**
 * The curve, byte-in and byte-out. Secrets are 32 bytes, points 33 (compressed), signatures 64 (compact, r then s).
 * Every function but the predicates and `verify` throws on a malformed secret or point.
 */
export interface Secp256k1 {
  isSecret(secret: Uint8Array): boolean;
  isPoint(point: Uint8Array): boolean;
  /** secret·G */
  publicKey(secret: Uint8Array): Uint8Array;
  /** SHA256 of the compressed point secret·point: the ECDH of BOLTs 4 and 8. */
  ecdh(secret: Uint8Array, point: Uint8Array): Uint8Array;
  /** Deterministic (RFC 6979) low-S signature of a 32-byte hash. */
  sign(hash: Uint8Array, secret: Uint8Array): Uint8Array;
  /** As `sign`, ground until r is below 2^255 too: the shortest DER form, for what goes on chain. */
  signLowR(hash: Uint8Array, secret: Uint8Array): Uint8Array;
  /** As `sign`, with the recovery id (0 to 3) that BOLT 11 appends. */
  signRecoverable(hash: Uint8Array, secret: Uint8Array): { signature: Uint8Array; recovery: number };
  /** False also for malformed input and for high-S. */
  verify(signature: Uint8Array, hash: Uint8Array, point: Uint8Array): boolean;
  /** The public key that made a recoverable signature (high-S allowed); `undefined` where there is none. */
  recover(signature: Uint8Array, recovery: number, hash: Uint8Array): Uint8Array | undefined;
  /** a + b */
  pointAdd(a: Uint8Array, b: Uint8Array): Uint8Array;
  /** scalar·point */
  pointMultiply(point: Uint8Array, scalar: Uint8Array): Uint8Array;
  /** (a + b) mod n */
  secretAdd(a: Uint8Array, b: Uint8Array): Uint8Array;
  /** (a · b) mod n */
  secretMultiply(a: Uint8Array, b: Uint8Array): Uint8Array;
}

noble.hashes.sha256 = sha256;
noble.hashes.hmacSha256 = (key, message) => hmac(sha256, key, message);

const { Point } = curve;
const order = Point.Fn.ORDER;
const scalar = (secret: Uint8Array): bigint => {
  const value = Point.Fn.fromBytes(secret);
  if (value === 0n) throw new RangeError('a secret is never zero');
  return value;
};
const scalarBytes = (value: bigint): Uint8Array => {
  const reduced = ((value % order) + order) % order;
  if (reduced === 0n) throw new RangeError('a secret is never zero');
  return Point.Fn.toBytes(reduced);
};

function predicate(check: () => boolean): boolean {
  try {
    return check();
  } catch {
    return false;
  }
}

function signLowR(hash: Uint8Array, secret: Uint8Array): Uint8Array {
  let signature = noble.sign(hash, secret, { prehash: false });
  // The counter as 32 little-endian bytes of extra entropy is Bitcoin Core's own way of grinding.
  for (let counter = 1; (signature[0] ?? 0) >= 0x80; counter++) {
    const extraEntropy = new Uint8Array(32);
    new DataView(extraEntropy.buffer).setUint32(0, counter, true);
    signature = noble.sign(hash, secret, { prehash: false, extraEntropy });
  }
  return signature;
}

/**
 * The port on noble. Signing is `@noble/secp256k1`; whatever starts from an arbitrary point is `@noble/curves`, which
 * is there anyhow (through `@scure/btc-signer`) and is the faster of the two at it.
 */
export const nobleSecp256k1: Secp256k1 = {
  isSecret: (secret) => noble.utils.isValidSecretKey(secret),
  isPoint: (point) => point.length === 33 && predicate(() => (Point.fromBytes(point).assertValidity(), true)),
  publicKey: (secret) => noble.getPublicKey(secret),
  ecdh: (secret, point) => sha256(Point.fromBytes(point).multiply(scalar(secret)).toBytes()),
  sign: (hash, secret) => noble.sign(hash, secret, { prehash: false }),
  signLowR,
  signRecoverable: (hash, secret) => {
    const recovered = noble.sign(hash, secret, { prehash: false, format: 'recovered' });
    return { signature: recovered.slice(1), recovery: recovered[0] ?? 0 };
  },
  verify: (signature, hash, point) =>
    predicate(() => curve.verify(signature, hash, point, { prehash: false, lowS: true })),
  recover: (signature, recovery, hash) => {
    try {
      const recovered = Uint8Array.of(recovery, ...signature);
      return noble.recoverPublicKey(recovered, hash, { prehash: false });
    } catch {
      return undefined;
    }
  },
  pointAdd: (a, b) => Point.fromBytes(a).add(Point.fromBytes(b)).toBytes(),
  pointMultiply: (point, by) => Point.fromBytes(point).multiply(scalar(by)).toBytes(),
  secretAdd: (a, b) => scalarBytes(scalar(a) + scalar(b)),
  secretMultiply: (a, b) => scalarBytes(scalar(a) * scalar(b)),
};
