import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../worker/engine/primitives/bytes.ts';
import { AttributionReader, addAttribution } from '../../../worker/engine/onion/attribution-data.ts';
import type { Failure } from '../../../worker/engine/onion/failure-message.ts';
import {
  buildReturnPacket,
  readReturnPacket,
  wrapFailure,
  wrapReturnPacket,
  type ReturnPacket,
} from '../../../worker/engine/onion/failures.ts';
import { readFulfillment, unwrapFulfillment } from '../../../worker/engine/onion/fulfillment.ts';
import vector from '../../vectors/bolt04-attribution-data.json' with { type: 'json' };
import { pseudoRandomBytes } from '../wire/arbitrary.ts';
import { FUZZ_RUNS } from '../wire/fuzz.ts';
import { attributionBytes, attributionOf, flipped } from './fixtures.ts';

const nothing = new Uint8Array(0);
const secrets = vector.hops.map(({ sharedSecret }) => fromHex(sharedSecret));
/** The hops from the last to the first, and what each of them held. */
const backwards = vector.hops.map((hop, index) => ({ ...hop, index, secret: fromHex(hop.sharedSecret) })).toReversed();
const holdTimesMs = vector.hops.map(({ holdTime }) => 100 * holdTime);

describe('attribution data of a failure', () => {
  const returned = (): readonly ReturnPacket[] => {
    let packet: ReturnPacket = { reason: fromHex(vector.returnPacketOfLastHop) };
    return backwards.map(({ secret, holdTime }) => (packet = wrapReturnPacket(secret, packet, 100 * holdTime)));
  };
  const first: ReturnPacket = returned().at(-1) ?? { reason: nothing };

  it('is added by each hop as in the vector', () => {
    expect(returned().map(({ reason }) => toHex(reason))).toEqual(backwards.map(({ failure }) => failure.returnPacket));
    expect(returned().map(({ attributionData }) => toHex(attributionBytes(attributionData)))).toEqual(
      backwards.map(({ failure }) => failure.attributionData),
    );
  });

  it('is read as in the vector', () => {
    const reading = readReturnPacket(secrets, first);
    expect(reading).toMatchObject({ kind: 'failed', hopIndex: 4, holdTimesMs });
    expect(reading.kind === 'failed' && reading.failure).toEqual({
      kind: 'incorrect_or_unknown_payment_details',
      htlcMsat: 100n,
      height: 800_000,
    });
  });

  it.each([0, 1, 2, 3, 4])('tells how long the hops up to %d held it that fails it', (erring) => {
    const failure: Failure = { kind: 'temporary_node_failure' };
    const own = buildReturnPacket(secrets[erring] ?? nothing, failure, 1999);
    const packet = secrets
      .slice(0, erring)
      .toReversed()
      .reduce((behind, secret) => wrapReturnPacket(secret, behind, 100), own);
    const times = [...Array<number>(erring).fill(100), 1900];
    expect(readReturnPacket(secrets, packet)).toEqual({
      kind: 'failed',
      hopIndex: erring,
      failure,
      holdTimesMs: times,
    });
  });

  it.each(vector.hops.map((_, index) => index))('blames the hop %d that garbled it, or the one before', (garbler) => {
    let packet: ReturnPacket = { reason: fromHex(vector.returnPacketOfLastHop) };
    for (const { secret, index } of backwards) {
      packet = wrapReturnPacket(secret, packet, 0);
      if (index === garbler) packet = { ...packet, reason: flipped(packet.reason) };
    }
    const reading = readReturnPacket(secrets, packet);
    expect(reading).toMatchObject({ kind: 'garbled', blamedHops: garbler === 0 ? [0] : [garbler - 1, garbler] });
    expect(reading.holdTimesMs).toHaveLength(garbler);
  });

  it('blames the last hop alone for what nobody can read and everybody has seen', () => {
    const garbage = { reason: pseudoRandomBytes(1, 292) };
    const packet = secrets
      .toReversed()
      .reduce<ReturnPacket>((behind, secret) => wrapReturnPacket(secret, behind, 0), garbage);
    const reading = readReturnPacket(secrets, packet);
    expect(reading).toMatchObject({ kind: 'garbled', blamedHops: [4], holdTimesMs: [0, 0, 0, 0, 0] });
    expect(reading.kind === 'garbled' && reading.unwrapped.reason).toEqual(garbage.reason);
  });

  it('blames nobody where none came', () => {
    const garbled = { reason: flipped(first.reason) };
    expect(readReturnPacket(secrets, garbled)).toMatchObject({ kind: 'garbled', blamedHops: [], holdTimesMs: [] });
  });

  it('ends before a hop that does not know it, and the failure is read all the same', () => {
    let packet: ReturnPacket = { reason: fromHex(vector.returnPacketOfLastHop) };
    for (const { secret, index } of backwards)
      packet = index === 2 ? { reason: wrapFailure(secret, packet.reason) } : wrapReturnPacket(secret, packet, 300);
    expect(readReturnPacket(secrets, packet)).toMatchObject({ kind: 'failed', hopIndex: 4, holdTimesMs: [300, 300] });
  });

  it('is not believed when made for the secret that the work of missing hops is done with', () => {
    const packet = wrapReturnPacket(new Uint8Array(32), { reason: pseudoRandomBytes(1, 292) }, 700);
    const before = wrapReturnPacket(secrets[0] ?? nothing, packet, 100);
    expect(readReturnPacket(secrets.slice(0, 1), before)).toMatchObject({ kind: 'garbled', holdTimesMs: [100] });
  });
});

describe('attribution data', () => {
  it('holds 20 hops, and no more of a longer route', () => {
    const route = Array.from({ length: 27 }, (_, index) => pseudoRandomBytes(index + 1, 32));
    const packet = route
      .slice(0, 26)
      .reduceRight(
        (behind, secret, index) => wrapReturnPacket(secret, behind, 100 * index),
        buildReturnPacket(route[26] ?? nothing, { kind: 'mpp_timeout' }, 0),
      );
    const times = Array.from({ length: 20 }, (_, index) => 100 * index);
    expect(readReturnPacket(route, packet)).toMatchObject({ kind: 'failed', hopIndex: 26, holdTimesMs: times });
  });

  it('says no hold time below zero, and none that does not fit', () => {
    const [secret = nothing] = secrets;
    const timeOf = (holdTimeMs: number) => {
      const reader = new AttributionReader(addAttribution(secret, { holdTimeMs, covered: nothing }), 1);
      reader.readHop(secret, nothing);
      return reader.holdTimesMs;
    };
    expect([-5, 99, 100, 12_345, 1e15].map(timeOf)).toEqual([[0], [0], [100], [12_300], [100 * 0xffff_ffff]]);
  });

  it('of anybody is read without a throw, and is never believed when changed', () => {
    const packet = {
      reason: fromHex(vector.hops[0]?.failure.returnPacket ?? ''),
      attributionData: attributionOf(fromHex(vector.hops[0]?.failure.attributionData ?? '')),
    };
    fc.assert(
      fc.property(fc.nat({ max: 919 }), fc.nat(), fc.nat({ max: 1500 }), (at, seed, length) => {
        const bytes = attributionBytes(packet.attributionData);
        bytes[at] = (bytes[at] ?? 0) ^ 1;
        // The first hop's HMAC for a route of five covers five hold times.
        const changed = readReturnPacket(secrets, { ...packet, attributionData: attributionOf(bytes) });
        if (changed.holdTimesMs.length > 0 && at < 20) throw new Error('believed');
        const reason = pseudoRandomBytes(seed, length);
        const noise = { reason, attributionData: attributionOf(pseudoRandomBytes(seed, 920)) };
        if (readReturnPacket(secrets, noise).kind !== 'garbled') throw new Error('believed');
        readFulfillment(secrets, { attributionData: noise.attributionData, fulfillmentPayload: reason });
        unwrapFulfillment(secrets, { attributionData: noise.attributionData, fulfillmentPayload: reason });
        readReturnPacket([], noise);
        readFulfillment([], noise);
      }),
      { numRuns: Math.ceil(FUZZ_RUNS / 1000) },
    );
  });
});
