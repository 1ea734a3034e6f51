import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import { blindRoute, blindedEcdh, encodeEncryptedData, unblind } from '../../../worker/engine/onion/route-blinding.ts';
import { buildOnion, peelOnion } from '../../../worker/engine/onion/sphinx.ts';
import { decodeMessage, encodeMessage } from '../../../worker/engine/wire/message.ts';
import payment from '../../vectors/bolt04-blinded-payment.json' with { type: 'json' };
import messages from '../../vectors/bolt04-onion-message.json' with { type: 'json' };
import route from '../../vectors/bolt04-route-blinding.json' with { type: 'json' };
import { FUZZ_RUNS, corruptions } from '../wire/fuzz.ts';
import { ecdhWith, unframed } from './fixtures.ts';

describe('blinded route', () => {
  // The vector is two routes in one: Bob and Carol, then Dave and Eve.
  it.each([0, 2])('of hops %d and the next is built', (start) => {
    const hops = route.hops.slice(start, start + 2);
    const blinded = blindRoute(
      secp,
      fromHex(hops[0]?.pathSecret ?? ''),
      hops.map(({ nodeId, data }) => ({ nodeId: fromHex(nodeId), data: fromHex(data) })),
    );
    expect(toHex(blinded.firstPathKey)).toBe(hops[0]?.pathKey);
    expect(blinded.hops.map((hop) => toHex(hop.blindedNodeId))).toEqual(hops.map((hop) => hop.blindedNodeId));
    expect(blinded.hops.map((hop) => toHex(hop.encryptedRecipientData))).toEqual(
      hops.map((hop) => hop.encryptedRecipientData),
    );
  });

  it.each(route.hops)('is read by $nodeId', (hop) => {
    const ecdh = ecdhWith(fromHex(hop.nodeSecret));
    const unblinded = unblind(secp, ecdh, fromHex(hop.pathKey), fromHex(hop.encryptedRecipientData));
    if (hop.nextPathKey !== undefined) expect(toHex(unblinded?.nextPathKey ?? new Uint8Array())).toBe(hop.nextPathKey);
    const odd = hop.data.replace('fd023103123456', '').replace('fdffff0206c1', '');
    expect(toHex(encodeEncryptedData(unblinded?.data ?? {}))).toBe(odd);
    const point = secp.publicKey(new Uint8Array(32).fill(3));
    expect(blindedEcdh(secp, ecdh, fromHex(hop.pathKey))(point)).toEqual(
      secp.ecdh(fromHex(hop.blindedNodeSecret), point),
    );
  });

  it('is unreadable to others, when changed and with a path key that is no point', () => {
    const [bob, carol] = route.hops;
    if (bob === undefined || carol === undefined) throw new Error('no hops');
    const ecdh = ecdhWith(fromHex(bob.nodeSecret));
    const data = fromHex(bob.encryptedRecipientData);
    expect(unblind(secp, ecdhWith(fromHex(carol.nodeSecret)), fromHex(bob.pathKey), data)).toBeUndefined();
    expect(unblind(secp, ecdh, new Uint8Array(33), data)).toBeUndefined();
    for (let seed = 0; seed < FUZZ_RUNS / 10_000; seed++)
      for (const changed of corruptions(data, data, seed)) {
        if (toHex(changed) === bob.encryptedRecipientData) continue;
        expect(unblind(secp, ecdh, fromHex(bob.pathKey), changed)).toBeUndefined();
      }
  });
});

describe('payment over a blinded route', () => {
  const associatedData = fromHex(payment.associatedData);

  it('is built as in the vector', () => {
    const hops = payment.hops.map((hop) => ({ nodeId: fromHex(hop.nodeId), payload: unframed(hop.framedPayload) }));
    const { packet } = buildOnion(secp, { sessionKey: fromHex(payment.sessionKey), hops, associatedData });
    expect(toHex(packet)).toBe(payment.packet);
  });

  it.each(payment.hops.map((hop, index) => ({ ...hop, index })))('is peeled by hop $index', (hop) => {
    const ecdh = ecdhWith(fromHex(hop.nodeSecret));
    // Alice is not blinded, and Bob finds the path key in his payload: neither is tweaked.
    const nodeSecretEcdh = hop.index < 2 ? ecdh : blindedEcdh(secp, ecdh, fromHex(hop.pathKey ?? ''));
    const peeled = peelOnion(secp, { nodeSecretEcdh, packet: fromHex(hop.onion), associatedData });
    expect('payload' in peeled && toHex(peeled.payload)).toBe(toHex(unframed(hop.framedPayload)));
    const next = payment.hops[hop.index + 1]?.onion;
    expect(peeled.kind === 'forward' ? toHex(peeled.nextPacket) : undefined).toBe(next);
  });
});

describe('onion message over a blinded route', () => {
  it.each(messages.map((hop, index) => ({ ...hop, index })))('is passed on by hop $index', (hop) => {
    const message = decodeMessage(fromHex(hop.message));
    if (message.kind !== 'onion_message') throw new Error('not an onion message');
    const ecdh = ecdhWith(fromHex(hop.nodeSecret));
    const peeled = peelOnion(secp, {
      nodeSecretEcdh: blindedEcdh(secp, ecdh, message.pathKey),
      packet: message.onionMessagePacket,
      associatedData: new Uint8Array(0),
    });
    const next = messages[hop.index + 1]?.message;
    if (next === undefined) return expect(peeled.kind).toBe('final');
    if (peeled.kind !== 'forward') throw new Error('not to be passed on');
    const received = decodeMessage(fromHex(next));
    if (received.kind !== 'onion_message') throw new Error('not an onion message');
    expect(toHex(encodeMessage({ ...received, onionMessagePacket: peeled.nextPacket }))).toBe(next);
  });
});
