import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, toHex } from '../../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import type { StaticKey } from '../../../worker/engine/peer/noise.ts';
import { NoiseSession } from '../../../worker/engine/peer/noise-session.ts';
import { pseudoRandomBytes } from '../wire/arbitrary.ts';

const secret = (byte: number) => new Uint8Array(32).fill(byte);
const staticKey = (bytes: Uint8Array): StaticKey => ({
  publicKey: secp.publicKey(bytes),
  ecdh: (point) => secp.ecdh(bytes, point),
});
const alice = staticKey(secret(1));
const bob = staticKey(secret(2));

const start = () => ({
  ...NoiseSession.initiate(secp, alice, bob.publicKey, secret(3)),
  responder: NoiseSession.respond(secp, bob, secret(4)),
});

const chunks = (bytes: Uint8Array, size: number): readonly Uint8Array[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));

describe('noise session', () => {
  it('goes from handshake to messages, and back', () => {
    const { session, act, responder } = start();
    const two = responder.push(act);
    expect(two.messages).toEqual([]);
    const three = session.push(concat(...two.send));
    expect(three.established).toEqual(bob.publicKey);
    const done = responder.push(concat(...three.send, session.seal(secret(5))));
    expect(done.established).toEqual(alice.publicKey);
    expect(done.messages).toEqual([secret(5)]);
    expect(session.push(responder.seal(secret(6)))).toEqual({ send: [], messages: [secret(6)] });
  });

  it.each([1, 2, 49, 50, 51, 66, 200])('takes chunks of %d bytes', (size) => {
    const { session, act, responder } = start();
    const sent = chunks(act, size).flatMap((chunk) => responder.push(chunk).send);
    const three = chunks(concat(...sent), size).flatMap((chunk) => session.push(chunk).send);
    const stream = concat(...three, session.seal(secret(5)), session.seal(secret(6)));
    const outputs = chunks(stream, size).map((chunk) => responder.push(chunk));
    expect(outputs.flatMap(({ messages }) => messages)).toEqual([secret(5), secret(6)]);
    expect(outputs.filter((output) => output.established !== undefined).length).toBe(1);
  });

  it('is broken for good by a bad act', () => {
    const { responder, act, session } = start();
    const bad = act.slice();
    bad[49] = (bad[49] ?? 0) ^ 1;
    expect(responder.push(bad).broken?.code).toBe('BadHandshake');
    expect(responder.push(act)).toMatchObject({ send: [], messages: [], broken: { code: 'BadHandshake' } });
    expect(() => session.seal(secret(1))).toThrow('handshake is complete');
  });

  it('is broken by noise of any kind, and never throws', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 50, max: 300 }),
        fc.integer({ min: 1, max: 120 }),
        (seed, length, size) => {
          const { session, responder } = start();
          for (const side of [session, responder]) {
            const outputs = chunks(pseudoRandomBytes(seed, length), size).map((chunk) => side.push(chunk));
            expect(outputs.at(-1)?.broken?.code).toBe('BadHandshake');
            expect(outputs.flatMap(({ send }) => send.map(toHex))).toEqual([]);
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});
