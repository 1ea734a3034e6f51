import { secp256k1 as curve } from '@noble/curves/secp256k1.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import * as noble from '@noble/secp256k1';
import { toHex } from './bytes.ts';

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
  /** point + tweak·G, for public values. */
  pointTweakAdd(point: Uint8Array, tweak: Uint8Array): Uint8Array;
  /** x·a + y·b, for public values. */
  pointCombine(a: Uint8Array, x: Uint8Array, b: Uint8Array, y: Uint8Array): Uint8Array;
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

type CurvePoint = typeof Point.BASE;

/** After so many multiplications of one point by public numbers a table of its multiples has paid for itself. */
const USES_BEFORE_TABLE = 16;
/** Bits at a time: a table of this width takes about as long to make as ten multiplications without one. */
const TABLE_WINDOW = 6;
/**
 * The same for multiplications by secrets, which are three times as long without a table (they are blinded and take no
 * shortcut): payments start at the same few nodes again and again. A narrow table costs as much as three of them.
 */
const SECRET_USES_BEFORE_TABLE = 4;
const SECRET_TABLE_WINDOW = 4;

interface CachedPoint {
  readonly point: CurvePoint;
  publicUses: number;
  secretUses: number;
}

/**
 * The points that were used last, decompressed: a channel works with the same few keys again and again, and a square root
 * costs as much as a hash of ten kilobytes. All HTLC signatures of a commitment are by one key, all commitments by another.
 */
class PointCache {
  readonly #points = new Map<string, CachedPoint>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get(bytes: Uint8Array): CurvePoint {
    return this.#entry(bytes).point;
  }

  /** Multiplied by a public number: in variable time, and with a table for those that come again and again. */
  multiple(bytes: Uint8Array, by: bigint): CurvePoint {
    const entry = this.#entry(bytes);
    if (++entry.publicUses === USES_BEFORE_TABLE) entry.point.precompute(TABLE_WINDOW, false);
    return entry.point.multiplyUnsafe(by);
  }

  /** Multiplied by a secret: blinded and in constant time, with or without a table. */
  secretMultiple(bytes: Uint8Array, by: bigint): CurvePoint {
    const entry = this.#entry(bytes);
    if (++entry.secretUses === SECRET_USES_BEFORE_TABLE) entry.point.precompute(SECRET_TABLE_WINDOW, false);
    return entry.point.multiply(by);
  }

  #entry(bytes: Uint8Array): CachedPoint {
    if (bytes.length !== 33) throw new RangeError('a compressed point has 33 bytes');
    const name = toHex(bytes);
    const known = this.#points.get(name);
    const entry = known ?? { point: Point.fromBytes(bytes), publicUses: 0, secretUses: 0 };
    // The newest are last: what was used least recently goes first.
    if (known !== undefined) this.#points.delete(name);
    else if (this.#points.size >= this.#most) this.#points.delete(this.#points.keys().next().value ?? name);
    this.#points.set(name, entry);
    return entry;
  }
}

const points = new PointCache(256);

/** ECDSA verification (SEC 1, 4.1.4) that rejects high-S, with whatever tables the points have. */
function verify(signature: Uint8Array, hash: Uint8Array, key: Uint8Array): boolean {
  if (signature.length !== 64 || hash.length !== 32) return false;
  const r = Point.Fn.fromBytes(signature.subarray(0, 32));
  const s = Point.Fn.fromBytes(signature.subarray(32));
  if (r === 0n || s === 0n || s > order >> 1n) return false;
  const inverse = Point.Fn.inv(s);
  const message = Point.Fn.create(bytesToNumber(hash));
  const [u1, u2] = [Point.Fn.mul(message, inverse), Point.Fn.mul(r, inverse)];
  const sum = Point.BASE.multiplyUnsafe(u1).add(points.multiple(key, u2));
  return !sum.is0() && Point.Fn.create(sum.x) === r;
}

const bytesToNumber = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(bytes)}`);

/**
 * The port on noble. Signing is `@noble/secp256k1`; whatever starts from an arbitrary point is `@noble/curves`, which
 * is there anyhow (through `@scure/btc-signer`) and is the faster of the two at it.
 */
export const nobleSecp256k1: Secp256k1 = {
  isSecret: (secret) => noble.utils.isValidSecretKey(secret),
  isPoint: (point) => point.length === 33 && predicate(() => (points.get(point), true)),
  publicKey: (secret) => noble.getPublicKey(secret),
  ecdh: (secret, point) => sha256(points.secretMultiple(point, scalar(secret)).toBytes()),
  sign: (hash, secret) => noble.sign(hash, secret, { prehash: false }),
  signLowR,
  signRecoverable: (hash, secret) => {
    const recovered = noble.sign(hash, secret, { prehash: false, format: 'recovered' });
    return { signature: recovered.slice(1), recovery: recovered[0] ?? 0 };
  },
  verify: (signature, hash, point) => predicate(() => verify(signature, hash, point)),
  recover: (signature, recovery, hash) => {
    try {
      const recovered = Uint8Array.of(recovery, ...signature);
      return noble.recoverPublicKey(recovered, hash, { prehash: false });
    } catch {
      return undefined;
    }
  },
  pointTweakAdd: (point, tweak) =>
    points
      .get(point)
      .add(Point.BASE.multiplyUnsafe(scalar(tweak)))
      .toBytes(),
  pointCombine: (a, x, b, y) =>
    points
      .multiple(a, scalar(x))
      .add(points.multiple(b, scalar(y)))
      .toBytes(),
  pointMultiply: (point, by) => points.get(point).multiply(scalar(by)).toBytes(),
  secretAdd: (a, b) => scalarBytes(scalar(a) + scalar(b)),
  secretMultiply: (a, b) => scalarBytes(scalar(a) * scalar(b)),
};
