import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../worker/engine/primitives/bytes.ts';
import { GlowwormError } from '../../../worker/engine/primitives/errors.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import type { StaticKey, TransportKeys } from '../../../worker/engine/peer/noise.ts';
import { awaitActOne, readActOne, readActThree, readActTwo, writeActOne } from '../../../worker/engine/peer/noise.ts';
import { pseudoRandomBytes } from '../wire/arbitrary.ts';
import { FUZZ_RUNS } from '../wire/fuzz.ts';
import vectors from '../../vectors/bolt08-handshake.json' with { type: 'json' };

type Vector = (typeof vectors)[number];

const staticKey = (secret: Uint8Array): StaticKey => ({
  publicKey: secp.publicKey(secret),
  ecdh: (point) => secp.ecdh(secret, point),
});

const keysOf = ({ sendingKey, receivingKey }: TransportKeys) => [toHex(sendingKey), toHex(receivingKey)];

/** Runs a vector's side of the handshake, checking every byte that it writes. */
function run(vector: Vector): TransportKeys {
  const local = staticKey(fromHex(vector.staticSecret));
  const ephemeral = fromHex(vector.ephemeralSecret);
  expect(toHex(local.publicKey)).toBe(vector.staticPublic);
  if (vector.role === 'initiator') {
    const one = writeActOne(secp, local, fromHex(vector.remoteStatic ?? ''), ephemeral);
    expect(toHex(one.act)).toBe(vector.actOne);
    const two = readActTwo(secp, one.state, fromHex(vector.actTwo ?? ''));
    expect(toHex(two.act)).toBe(vector.actThree);
    return two.keys;
  }
  const two = readActOne(secp, awaitActOne(local, ephemeral), fromHex(vector.actOne));
  expect(toHex(two.act)).toBe(vector.actTwo);
  const three = readActThree(secp, two.state, fromHex(vector.actThree ?? ''));
  expect(toHex(three.remoteStatic)).toBe(vectors[0]?.staticPublic);
  return three.keys;
}

function faultOf(attempt: () => unknown): GlowwormError {
  try {
    attempt();
  } catch (error) {
    if (error instanceof GlowwormError) return error;
    throw error;
  }
  throw new Error('no failure');
}

describe('BOLT 8 handshake', () => {
  it.each(vectors.filter((vector) => vector.reason === undefined))('$name', (vector) => {
    expect(keysOf(run(vector))).toEqual([vector.sendingKey, vector.receivingKey]);
  });

  it.each(vectors.filter((vector) => vector.reason !== undefined))('$name', (vector) => {
    const { code, details } = faultOf(() => run(vector));
    expect(code).toBe('BadHandshake');
    expect(details).toEqual({ act: vector.act, reason: vector.reason });
  });

  it('refuses a responder whose key is no point', () => {
    const offCurve = new Uint8Array(33);
    offCurve.set([2], 0);
    offCurve.set([5], 32);
    const local = staticKey(new Uint8Array(32).fill(1));
    const attempt = () => writeActOne(secp, local, offCurve, new Uint8Array(32).fill(3));
    expect(faultOf(attempt).code).toBe('BadHandshake');
  });
});

describe('a handshake of two fresh nodes', () => {
  const secret = (byte: number) => new Uint8Array(32).fill(byte);
  const responder = staticKey(secret(9));
  const one = writeActOne(secp, staticKey(secret(7)), responder.publicKey, secret(8));
  const two = readActOne(secp, awaitActOne(responder, secret(10)), one.act);
  const three = readActTwo(secp, one.state, two.act);

  it('gives both the same keys', () => {
    const done = readActThree(secp, two.state, three.act);
    expect(done.remoteStatic).toEqual(secp.publicKey(secret(7)));
    expect(done.keys.sendingKey).toEqual(three.keys.receivingKey);
    expect(done.keys.receivingKey).toEqual(three.keys.sendingKey);
    expect(done.keys.chainingKey).toEqual(three.keys.chainingKey);
  });

  it('fails on every changed byte of every act, and only as BadHandshake', () => {
    const acts: readonly (readonly [Uint8Array, (act: Uint8Array) => unknown])[] = [
      [one.act, (act) => readActOne(secp, awaitActOne(responder, secret(10)), act)],
      [two.act, (act) => readActTwo(secp, one.state, act)],
      [three.act, (act) => readActThree(secp, two.state, act)],
    ];
    for (const [act, read] of acts)
      for (let i = 0; i < act.length; i++) {
        const changed = act.slice();
        changed[i] = (changed[i] ?? 0) ^ (1 << (i % 8));
        expect(faultOf(() => read(changed)).code).toBe('BadHandshake');
      }
  });

  it('fails on noise of any length, and only as BadHandshake', () => {
    for (let i = 0; i < FUZZ_RUNS / 100; i++) {
      const noise = pseudoRandomBytes(i, [50, 66, i % 80][i % 3] ?? 50);
      noise[0] = i % 5 === 0 ? 1 : 0;
      noise[1] = 2 + (i % 2);
      expect(faultOf(() => readActOne(secp, awaitActOne(responder, secret(10)), noise)).code).toBe('BadHandshake');
      expect(faultOf(() => readActThree(secp, two.state, noise)).code).toBe('BadHandshake');
    }
  });
});
