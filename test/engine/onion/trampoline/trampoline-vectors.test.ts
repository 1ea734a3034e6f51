import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../../../worker/engine/primitives/secp256k1.ts';
import { buildOnion } from '../../../../worker/engine/onion/sphinx.ts';
import deployed from '../../../vectors/trampoline-deployed.json' with { type: 'json' };
import proposed from '../../../vectors/trampoline-proposed.json' with { type: 'json' };
import { unframed } from '../fixtures.ts';
import { proposedHop } from './fixtures.ts';

describe('the vectors’ trampoline onions', () => {
  it.each(deployed.cases)('$name: are built from their payloads', (vector) => {
    const hops = vector.trampolineHops.map(({ nodeId, payload }) => ({
      nodeId: fromHex(nodeId),
      payload: unframed(payload),
    }));
    const onion = buildOnion(secp, {
      sessionKey: fromHex(vector.trampolineSessionKey),
      hops,
      associatedData: fromHex(vector.associatedData),
      payloadsBytes: vector.trampolinePayloadsBytes,
    });
    expect(toHex(onion.packet)).toBe(vector.trampolinePacket);
    expect(onion.sharedSecrets.map(toHex)).toEqual(vector.trampolineSharedSecrets);
  });

  it('may have any length', () => {
    const { hops, packet, associatedData, sessionKey: key, payloadsBytes, sharedSecrets } = deployed.onion400;
    const onion = buildOnion(secp, {
      sessionKey: fromHex(key),
      hops: hops.map(({ nodeId, payload }) => ({ nodeId: fromHex(nodeId), payload: unframed(payload) })),
      associatedData: fromHex(associatedData),
      payloadsBytes,
    });
    expect(toHex(onion.packet)).toBe(packet);
    expect(onion.sharedSecrets.map(toHex)).toEqual(sharedSecrets);
  });

  it.each([
    { ...proposed.payment.generateAlice, name: 'to a payee' },
    { ...proposed.failureOnBlindedPath.generateAlice, name: 'over a blinded path' },
  ])('of BOLT proposal 836 $name are built from their payloads', (vector) => {
    const hops = vector.trampolineHops.map(proposedHop);
    const payloadsBytes = (vector.trampolineOnion.length - 2 * 66) / 2;
    const associatedData = fromHex(vector.associatedData);
    const { packet } = buildOnion(secp, {
      sessionKey: fromHex(vector.trampolineSessionKey),
      hops,
      associatedData,
      payloadsBytes,
    });
    expect(toHex(packet)).toBe(vector.trampolineOnion);
    const outer = { sessionKey: fromHex(vector.sessionKey), hops: vector.hops.map(proposedHop), associatedData };
    expect(toHex(buildOnion(secp, outer).packet)).toBe(vector.onion);
  });
});
