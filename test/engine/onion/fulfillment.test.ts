import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../worker/engine/primitives/bytes.ts';
import {
  boundedFulfillmentPayload,
  readFulfillment,
  unwrapFulfillment,
  wrapFulfillment,
  type Fulfillment,
} from '../../../worker/engine/onion/fulfillment.ts';
import vector from '../../vectors/bolt04-attribution-data.json' with { type: 'json' };
import { attributionBytes, attributionOf, flipped } from './fixtures.ts';

const nothing = new Uint8Array(0);
const secrets = vector.hops.map(({ sharedSecret }) => fromHex(sharedSecret));
/** The hops from the last to the first. */
const backwards = vector.hops.map((hop) => ({ ...hop, secret: fromHex(hop.sharedSecret) })).toReversed();
const holdTimesMs = vector.hops.map(({ holdTime }) => 100 * holdTime);

describe('what comes with a preimage', () => {
  it('is attribution data that each hop adds to as in the vector, and that is read', () => {
    let behind: Fulfillment = {};
    for (const { secret, holdTime, success } of backwards) {
      behind = wrapFulfillment(secret, behind, 100 * holdTime);
      expect(toHex(attributionBytes(behind.attributionData))).toBe(success.attributionData);
    }
    expect(readFulfillment(secrets, behind)).toEqual({ holdTimesMs, payload: undefined });
  });

  it('is a payload of the payee too, which the hops’ attribution data covers', () => {
    const [payee, ...others] = backwards;
    if (payee === undefined) throw new Error('no hops');
    let behind: Fulfillment = {
      attributionData: attributionOf(fromHex(payee.fulfillment.attributionData)),
      fulfillmentPayload: fromHex(payee.fulfillment.payload),
    };
    for (const { secret, holdTime, fulfillment } of others) {
      behind = wrapFulfillment(secret, behind, 100 * holdTime);
      expect(toHex(behind.fulfillmentPayload ?? nothing)).toBe(fulfillment.payload);
      expect(toHex(attributionBytes(behind.attributionData))).toBe(fulfillment.attributionData);
    }
    const reading = readFulfillment(secrets, behind);
    expect(reading.holdTimesMs).toEqual(holdTimesMs);
    expect(toHex(reading.payload ?? nothing)).toBe(vector.fulfillmentPayloadTlvs);
    const changed = { ...behind, fulfillmentPayload: flipped(behind.fulfillmentPayload ?? nothing) };
    expect(readFulfillment(secrets, changed)).toEqual({ holdTimesMs: [], payload: undefined });
    expect(readFulfillment(secrets, { ...behind, fulfillmentPayload: undefined }).holdTimesMs).toEqual([]);
  });

  it('is passed on by a node that paid a part of the way for another', () => {
    const all: Fulfillment = {
      attributionData: attributionOf(fromHex(vector.hops[0]?.fulfillment.attributionData ?? '')),
      fulfillmentPayload: fromHex(vector.hops[0]?.fulfillment.payload ?? ''),
    };
    const rest = unwrapFulfillment(secrets.slice(0, 2), all);
    expect(toHex(rest.fulfillmentPayload ?? nothing)).toBe(vector.hops[2]?.fulfillment.payload);
    const again = secrets
      .slice(0, 2)
      .toReversed()
      .reduce((behind, secret) => wrapFulfillment(secret, behind, 900), rest);
    expect(readFulfillment(secrets, again).holdTimesMs).toEqual([900, 900, ...holdTimesMs.slice(2)]);
  });

  it('has a payload of at most 32 kB', () => {
    const most = new Uint8Array(32_768);
    expect(boundedFulfillmentPayload(most)).toBe(most);
    expect(boundedFulfillmentPayload(new Uint8Array(32_769))).toBeUndefined();
    expect(boundedFulfillmentPayload(undefined)).toBeUndefined();
  });
});
