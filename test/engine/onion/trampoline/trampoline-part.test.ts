import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../../../worker/engine/primitives/secp256k1.ts';
import { encodePayload } from '../../../../worker/engine/onion/payloads.ts';
import { buildOnion } from '../../../../worker/engine/onion/sphinx.ts';
import { trampolineOuterPayload } from '../../../../worker/engine/onion/trampoline/trampoline-part.ts';
import deployed from '../../../vectors/trampoline-deployed.json' with { type: 'json' };
import proposed from '../../../vectors/trampoline-proposed.json' with { type: 'json' };
import { unframed } from '../fixtures.ts';
import { entryOf } from './fixtures.ts';

const paymentHash = fromHex('42'.repeat(32));

describe('the outer payload for a trampoline node', () => {
  const secret = fromHex(deployed.outerSecret);

  it.each(deployed.cases.filter(({ name }) => !/without-payment-data/.test(name)))('is as in $name', (vector) => {
    const entry = entryOf(vector.outerPayload);
    const { amtToForward: amountMsat, outgoingCltvValue: cltvExpiry, totalMsat, paymentSecret = secret } = entry;
    const packet = fromHex(vector.trampolinePacket);
    const payload = encodePayload(
      trampolineOuterPayload('deployed', { amountMsat, cltvExpiry, totalMsat, paymentSecret, packet }),
    );
    expect(toHex(payload)).toBe(toHex(unframed(vector.outerPayload)));
    const hops = [{ nodeId: fromHex(vector.outerNode), payload }];
    const outer = buildOnion(secp, { sessionKey: fromHex(vector.outerSessionKey), hops, associatedData: paymentHash });
    expect(toHex(outer.packet)).toBe(vector.outerPacket);
    expect(outer.sharedSecrets.map(toHex)).toEqual(vector.outerSharedSecrets);
  });

  it.each(deployed.cases.filter(({ forwarded }) => forwarded !== undefined))(
    'that the next one gets is as in $name',
    (vector) => {
      const { forwarded } = vector;
      if (forwarded === undefined) throw new Error('not forwarded');
      const [packet = ''] = vector.trampolineNextPackets;
      const amountMsat = BigInt(forwarded.htlc.amountMsat);
      const part = {
        amountMsat,
        cltvExpiry: forwarded.htlc.cltvExpiry,
        totalMsat: amountMsat,
        packet: fromHex(packet),
      };
      const payload = encodePayload(
        trampolineOuterPayload('deployed', { ...part, paymentSecret: fromHex(deployed.relaySecret) }),
      );
      const hops = [{ nodeId: fromHex(forwarded.to), payload }];
      const outer = buildOnion(secp, { sessionKey: fromHex(forwarded.sessionKey), hops, associatedData: paymentHash });
      expect(toHex(outer.packet)).toBe(forwarded.packet);
    },
  );

  it('is as in BOLT proposal 836, with a path key on a blinded path', () => {
    const [framed = ''] = proposed.toBlindedTrampoline.relayPaymentDave.hops.map(({ encodedTlvs }) => encodedTlvs);
    const { packet, pathKey, paymentSecret = secret, totalMsat } = entryOf(framed);
    if (pathKey === undefined) throw new Error('no path key');
    const part = { amountMsat: 150_000_000n, cltvExpiry: 800_000, totalMsat, paymentSecret, packet, pathKey };
    expect(toHex(encodePayload(trampolineOuterPayload('proposed', part)))).toBe(toHex(unframed(framed)));
  });
});
