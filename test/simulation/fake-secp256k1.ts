import { concat, equalBytes } from '../../worker/engine/primitives/bytes.ts';
import { sha256 } from '../../worker/engine/primitives/hash.ts';
import type { Secp256k1 } from '../../worker/engine/primitives/secp256k1.ts';

/**
 * The port without a curve, for volume: a point is its own scalar behind a prefix byte, so everything that holds between
 * secrets and points on the curve holds here too, and nothing is secret. A signature is a hash over secret and message,
 * followed by the secret: a wrong message or a wrong key is noticed as it would be with the real one.
 */
export const fakeSecp256k1: Secp256k1 = {
  isSecret: (secret) => secret.length === 32 && isScalar(toScalar(secret)),
  isPoint,
  publicKey: (secret) => point(checked(toScalar(secret))),
  ecdh: (secret, of) => sha256(multiplied(of, secret)),
  sign,
  signLowR: sign,
  signRecoverable: (hash, secret) => ({ signature: sign(hash, secret), recovery: 0 }),
  verify: (signature, hash, of) =>
    signature.length === 64 && isPoint(of) && equalBytes(signature, sign(hash, of.subarray(1))),
  recover: (signature, _recovery, hash) => {
    const secret = signature.subarray(32);
    return equalBytes(signature, sign(hash, secret)) ? point(toScalar(secret)) : undefined;
  },
  pointTweakAdd: (to, tweak) => point(checked((scalarOf(to) + toScalar(tweak)) % ORDER)),
  pointCombine: (a, x, b, y) => point(checked((scalarOf(a) * toScalar(x) + scalarOf(b) * toScalar(y)) % ORDER)),
  pointMultiply: multiplied,
  secretAdd: (a, b) => toBytes(checked((toScalar(a) + toScalar(b)) % ORDER)),
  secretMultiply: (a, b) => toBytes(checked((toScalar(a) * toScalar(b)) % ORDER)),
};

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

const isScalar = (value: bigint): boolean => value > 0n && value < ORDER;

function isPoint(bytes: Uint8Array): boolean {
  return bytes.length === 33 && bytes[0] === 2 && isScalar(toScalar(bytes.subarray(1)));
}

function checked(value: bigint): bigint {
  if (!isScalar(value)) throw new RangeError('a secret is from 1 to the order');
  return value;
}

function scalarOf(bytes: Uint8Array): bigint {
  if (!isPoint(bytes)) throw new RangeError('not a point');
  return toScalar(bytes.subarray(1));
}

function multiplied(by: Uint8Array, scalar: Uint8Array): Uint8Array {
  return point(checked((scalarOf(by) * toScalar(scalar)) % ORDER));
}

/** A clear top bit, as in a signature whose r is low. */
function sign(hash: Uint8Array, secret: Uint8Array): Uint8Array {
  const r = sha256(concat(secret, hash));
  r[0] = (r[0] ?? 0) & 0x7f;
  return concat(r, secret);
}

const point = (scalar: bigint): Uint8Array => concat(Uint8Array.of(2), toBytes(scalar));

function toScalar(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let value = 0n;
  for (let at = 0; at < 32; at += 8) value = (value << 64n) | view.getBigUint64(at);
  return value;
}

function toBytes(scalar: bigint): Uint8Array {
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  for (let at = 24, rest = scalar; at >= 0; at -= 8, rest >>= 64n) view.setBigUint64(at, rest & 0xffff_ffff_ffff_ffffn);
  return bytes;
}
