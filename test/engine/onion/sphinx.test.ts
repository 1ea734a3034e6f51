import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../worker/engine/primitives/bytes.ts';
import { sha256 } from '../../../worker/engine/primitives/hash.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import type { OnionHop, PeeledOnion } from '../../../worker/engine/onion/sphinx.ts';
import { buildOnion, peelOnion } from '../../../worker/engine/onion/sphinx.ts';
import errorVector from '../../vectors/bolt04-onion-error.json' with { type: 'json' };
import vector from '../../vectors/bolt04-onion.json' with { type: 'json' };
import { pseudoRandomBytes } from '../wire/arbitrary.ts';
import { CORRUPTIONS, FUZZ_RUNS, corruptions } from '../wire/fuzz.ts';
import { ecdhWith, unframed, withPlaintext } from './fixtures.ts';

const associatedData = fromHex(vector.associatedData);
const sessionKey = fromHex(vector.sessionKey);
const hops: readonly OnionHop[] = vector.hops.map((hop) => ({
  nodeId: fromHex(hop.nodeId),
  payload: unframed(hop.framedPayload),
}));
const secrets = vector.hops.map((hop) => fromHex(hop.nodeSecret));

/** Peels at every hop in turn. */
function peelAll(packet: Uint8Array, nodeSecrets: readonly Uint8Array[], data: Uint8Array): readonly PeeledOnion[] {
  let next = packet;
  return nodeSecrets.map((secret) => {
    const peeled = peelOnion(secp, { nodeSecretEcdh: ecdhWith(secret), packet: next, associatedData: data });
    if (peeled.kind === 'forward') next = peeled.nextPacket;
    return peeled;
  });
}

describe('BOLT 4 packet', () => {
  const { packet, sharedSecrets } = buildOnion(secp, { sessionKey, hops, associatedData });

  it('is built as in the vector', () => {
    expect(toHex(packet)).toBe(vector.packet);
    expect(sharedSecrets.map(toHex)).toEqual(errorVector.hops.map((hop) => hop.sharedSecret));
  });

  it('is peeled as in the vector', () => {
    const peeled = peelAll(fromHex(vector.packet), secrets, associatedData);
    expect(peeled.map(({ kind }) => kind)).toEqual(['forward', 'forward', 'forward', 'forward', 'final']);
    const contents = peeled.map((each) => (each.kind === 'final' || each.kind === 'forward' ? each : undefined));
    expect(contents.map((each) => each?.payload)).toEqual(hops.map(({ payload }) => payload));
    expect(contents.map((each) => each?.sharedSecret)).toEqual(sharedSecrets);
  });
});

describe('peelOnion', () => {
  const packet = fromHex(vector.packet);
  const peel = (changed: Uint8Array, data: Uint8Array = associatedData) =>
    peelOnion(secp, { nodeSecretEcdh: ecdhWith(secrets[0] ?? sessionKey), packet: changed, associatedData: data });
  const withByte = (at: number, byte: number) => {
    const changed = packet.slice();
    changed[at] = byte;
    return changed;
  };
  const refused = (code: number, changed: Uint8Array) => ({
    kind: 'malformed',
    failureCode: code,
    sha256OfOnion: sha256(changed),
  });

  it('refuses another version', () => {
    expect(peel(withByte(0, 1))).toEqual(refused(0xc004, withByte(0, 1)));
  });

  it('refuses a key that is no point', () => {
    expect(peel(withByte(1, 4))).toEqual(refused(0xc006, withByte(1, 4)));
  });

  it('refuses a changed payload, a changed HMAC, other associated data', () => {
    expect(peel(withByte(100, 0))).toEqual(refused(0xc005, withByte(100, 0)));
    expect(peel(withByte(1365, 0))).toEqual(refused(0xc005, withByte(1365, 0)));
    expect(peel(packet, new Uint8Array(32))).toEqual(refused(0xc005, packet));
  });

  it('answers anything with a value', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat({ max: 1500 }), (seed, length) => {
        const noise = pseudoRandomBytes(seed, length);
        for (const changed of corruptions(packet, noise, seed))
          if (peel(changed).kind !== 'malformed' && toHex(changed) !== vector.packet) throw new Error('accepted');
      }),
      { numRuns: Math.ceil(FUZZ_RUNS / CORRUPTIONS / 100) },
    );
  });
});

describe('onions of any route', () => {
  const secretOf = (index: number) => sha256(Uint8Array.of(index));
  const lengths = fc.array(fc.integer({ min: 2, max: 300 }), { minLength: 1, maxLength: 20 });

  it('arrive with the payloads that were put in', () => {
    fc.assert(
      fc.property(lengths, fc.nat(), (wanted, seed) => {
        let room = 1300;
        const sizes = wanted.filter((length) => (room -= length + 32 + (length < 253 ? 1 : 3)) >= 0);
        if (sizes.length === 0) return;
        const nodes = sizes.map((_, index) => secretOf(index));
        const route = sizes.map((length, index) => ({
          nodeId: secp.publicKey(secretOf(index)),
          payload: pseudoRandomBytes(seed + index, length),
        }));
        const data = pseudoRandomBytes(seed, 32);
        const { packet } = buildOnion(secp, { sessionKey: sha256(data), hops: route, associatedData: data });
        const peeled = peelAll(packet, nodes, data);
        expect(peeled.map((each) => ('payload' in each ? toHex(each.payload) : each.kind))).toEqual(
          route.map(({ payload }) => toHex(payload)),
        );
        expect(peeled.at(-1)?.kind).toBe('final');
      }),
      { numRuns: 25 },
    );
  });

  it('fill the packet to the last byte and no further', () => {
    const nodeId = secp.publicKey(secretOf(0));
    const build = (length: number) =>
      buildOnion(secp, { sessionKey, associatedData, hops: [{ nodeId, payload: new Uint8Array(length).fill(1) }] });
    expect(build(1300 - 32 - 3).packet.length).toBe(1366);
    expect(() => build(1300 - 32 - 2)).toThrow('The route needs 1301 of 1300 bytes of onion.');
    expect(() => build(1)).toThrow('a hop has a payload');
  });

  it('may be larger for onion messages', () => {
    const secret = secretOf(1);
    const payload = pseudoRandomBytes(3, 20_000);
    const route = [{ nodeId: secp.publicKey(secret), payload }];
    const { packet } = buildOnion(secp, {
      sessionKey,
      hops: route,
      associatedData: new Uint8Array(0),
      payloadsBytes: 32_768,
    });
    expect(packet.length).toBe(32_834);
    expect(peelAll(packet, [secret], new Uint8Array(0))[0]).toMatchObject({ kind: 'final', payload });
  });

  it.each(['00', '01', 'fd00fc', 'fd0600', 'ffffffffffffffffff'])('are unreadable with the length %s', (length) => {
    const secret = secretOf(2);
    const hop = { nodeId: secp.publicKey(secret), payload: new Uint8Array(40) };
    const { packet, sharedSecrets } = buildOnion(secp, { sessionKey, hops: [hop], associatedData });
    const [sharedSecret = new Uint8Array(0)] = sharedSecrets;
    const forged = withPlaintext(packet, { sharedSecret, associatedData }, fromHex(length));
    expect(peelAll(forged, [secret], associatedData)).toEqual([{ kind: 'unreadable', sharedSecret }]);
  });
});
