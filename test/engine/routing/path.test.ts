import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { msat } from '../../../worker/engine/primitives/units.ts';
import { MAX_CLTV_EXPIRY_DELTA } from '../../../worker/engine/primitives/lock-times.ts';
import { findPaths, pathFeeMsat, type Path, type PathRequest } from '../../../worker/engine/routing/path.ts';
import type { FirstHop, HintHop } from '../../../worker/engine/routing/route.ts';

const node = (name: number): Uint8Array => new Uint8Array(33).fill(name);
const PEER = node(1);
const OTHER_PEER = node(2);
const PAYEE = node(9);
const MAX_MSAT = 21_000_000n * 100_000_000_000n;

const hop = (from: Uint8Array, over: Partial<HintHop> = {}): HintHop => ({
  nodeId: from,
  shortChannelId: 7n,
  feeBaseMsat: 1000,
  feeProportionalMillionths: 100,
  cltvExpiryDelta: 40,
  ...over,
});

const channel = (channelKey: string, availableMsat: bigint, over: Partial<FirstHop> = {}): FirstHop => ({
  channelKey,
  counterpartyNodeId: PEER,
  availableMsat: msat(availableMsat),
  isOffline: false,
  ...over,
});

const request = (over: Partial<PathRequest> = {}): PathRequest => ({
  payee: PAYEE,
  hints: [[hop(PEER)]],
  amountMsat: msat(1_000_000n),
  finalCltvExpiry: 500,
  maxCltvExpiry: 480 + MAX_CLTV_EXPIRY_DELTA,
  maxHops: 20,
  firstHops: [channel('a', 10_000_000n)],
  excluded: new Set(),
  multiPart: true,
  maxFeeMsat: 1_000_000n,
  ...over,
});

function paths(over: Partial<PathRequest> = {}): readonly Path[] {
  const found = findPaths(request(over));
  if (found.kind !== 'paths') throw new Error(found.kind);
  return found.paths;
}

describe('paths', () => {
  it('go straight to a peer, without a fee', () => {
    const [path] = paths({ payee: PEER, hints: [] });
    expect(path?.hops).toEqual([{ nodeId: PEER, shortChannelId: 0n, amountMsat: 1_000_000n, cltvExpiry: 500 }]);
  });

  it('add the fee and the delta of each hint hop, from the payee backwards', () => {
    const second = hop(node(3), {
      shortChannelId: 8n,
      feeBaseMsat: 10,
      feeProportionalMillionths: 0,
      cltvExpiryDelta: 6,
    });
    const [path] = paths({ hints: [[hop(PEER), second]] });
    expect(path?.hops).toEqual([
      { nodeId: PEER, shortChannelId: 0n, amountMsat: 1_000_000n + 10n + 1000n + 100n, cltvExpiry: 546 },
      { nodeId: node(3), shortChannelId: 7n, amountMsat: 1_000_010n, cltvExpiry: 506 },
      { nodeId: PAYEE, shortChannelId: 8n, amountMsat: 1_000_000n, cltvExpiry: 500 },
    ]);
  });

  it('are none where no hint begins at a peer of ours', () => {
    expect(findPaths(request({ hints: [[hop(OTHER_PEER)]] })).kind).toBe('noRoute');
    expect(findPaths(request({ hints: [] })).kind).toBe('noRoute');
    expect(findPaths(request({ firstHops: [] })).kind).toBe('noRoute');
  });

  it('avoid what has failed before', () => {
    const again = [hop(PEER, { shortChannelId: 11n })];
    expect(paths({ hints: [[hop(PEER)], again], excluded: new Set([7n]) })[0]?.hops[1]?.shortChannelId).toBe(11n);
    expect(findPaths(request({ excluded: new Set([7n]) })).kind).toBe('noRoute');
  });

  it('refuse a fee above the limit', () => {
    expect(findPaths(request({ maxFeeMsat: 1099n }))).toEqual({ kind: 'feeTooHigh', feeMsat: 1100n });
    expect(findPaths(request({ maxFeeMsat: 1100n })).kind).toBe('paths');
  });

  it('take the cheapest of several hints, wherever it stands', () => {
    const [dear, cheap] = [hop(PEER, { feeBaseMsat: 1_000_000 }), hop(PEER, { shortChannelId: 8n, feeBaseMsat: 10 })];
    for (const hints of [
      [[dear], [cheap]],
      [[cheap], [dear]],
    ])
      expect(paths({ hints })[0]?.hops[1]?.shortChannelId).toBe(8n);
  });

  it('take the cheapest hint that the channel can carry', () => {
    const firstHops = [channel('a', 1_000_500n), channel('b', 2_000_000n, { counterpartyNodeId: OTHER_PEER })];
    const hints = [[hop(PEER, { feeBaseMsat: 600 })], [hop(OTHER_PEER, { feeBaseMsat: 5_000 })]];
    expect(paths({ firstHops, hints })[0]?.channelKey).toBe('b');
  });

  it('cost less in parts where the only channel that carries all is dear', () => {
    const firstHops = [
      channel('dear', 3_000_000n, { counterpartyNodeId: OTHER_PEER }),
      channel('a', 600_000n),
      channel('b', 600_000n),
    ];
    const hints = [[hop(OTHER_PEER, { feeBaseMsat: 90_000 })], [hop(PEER, { feeBaseMsat: 100 })]];
    const found = paths({ firstHops, hints, maxFeeMsat: 1_000n });
    expect(found.map(({ channelKey }) => channelKey)).toEqual(['a', 'b']);
    expect(paths({ firstHops, hints, maxFeeMsat: 100_000n }).map(({ channelKey }) => channelKey)).toEqual(['dear']);
  });

  it('begin in the middle of a hint where our peer stands there', () => {
    const hints = [[hop(node(3), { feeBaseMsat: 50_000 }), hop(PEER, { shortChannelId: 8n })]];
    const [path] = paths({ hints });
    expect(path?.hops.map(({ nodeId, shortChannelId }) => [nodeId, shortChannelId])).toEqual([
      [PEER, 0n],
      [PAYEE, 8n],
    ]);
    expect(path && pathFeeMsat(path)).toBe(1_100n);
  });

  it('are told from those whose peer is offline', () => {
    const offline = channel('a', 10_000_000n, { isOffline: true });
    expect(findPaths(request({ firstHops: [offline] })).kind).toBe('peerOffline');
    expect(findPaths(request({ firstHops: [offline], payee: PEER, hints: [] })).kind).toBe('peerOffline');
    expect(
      findPaths(request({ firstHops: [offline, channel('b', 1n, { counterpartyNodeId: OTHER_PEER })] })).kind,
    ).toBe('peerOffline');
    expect(paths({ firstHops: [offline, channel('b', 10_000_000n)] })[0]?.channelKey).toBe('b');
  });

  it('lock the money for two weeks at most, counted over all hops', () => {
    const hints = (...deltas: readonly number[]): HintHop[][] => [
      deltas.map((cltvExpiryDelta, index) => hop(index === 0 ? PEER : node(3), { cltvExpiryDelta })),
    ];
    expect(paths({ hints: hints(1_000, 996) })[0]?.hops[0]?.cltvExpiry).toBe(480 + MAX_CLTV_EXPIRY_DELTA);
    expect(findPaths(request({ hints: hints(1_000, 997) }))).toEqual({ kind: 'lockedTooLong', cltvExpiry: 2_497 });
    expect(findPaths(request({ hints: hints(...Array<number>(10).fill(65_535)) })).kind).toBe('lockedTooLong');
    expect(findPaths(request({ finalCltvExpiry: 480 + 4_294_967_295 })).kind).toBe('lockedTooLong');
    const other = [...hints(65_535), [hop(PEER, { shortChannelId: 8n, feeBaseMsat: 2_000 })]];
    expect(paths({ hints: other })[0]?.hops[1]?.shortChannelId).toBe(8n);
  });

  it('have no more hops than an onion', () => {
    const hints = [[hop(PEER), hop(node(3)), hop(node(4))]];
    expect(paths({ hints, maxHops: 4 })[0]?.hops).toHaveLength(4);
    expect(findPaths(request({ hints, maxHops: 3 }))).toEqual({ kind: 'tooManyHops', hops: 4 });
  });

  it('say that fees are too high where they are, not that nothing can be sent', () => {
    const enormous = hop(PEER, { feeBaseMsat: 0xffff_ffff, feeProportionalMillionths: 0xffff_ffff });
    const feeMsat = 4_294_967_295n + 4_294_967_295n;
    expect(findPaths(request({ hints: [[enormous]] }))).toEqual({ kind: 'feeTooHigh', feeMsat });
    expect(findPaths(request({ hints: [Array<HintHop>(12).fill(enormous)] })).kind).toBe('feeTooHigh');
  });

  it('carry 1,999 msat where there are 1,999, and not 2,000 (S47)', () => {
    const firstHops = [channel('a', 1_999n)];
    expect(paths({ payee: PEER, firstHops, amountMsat: msat(1_999n) })[0]?.hops[0]?.amountMsat).toBe(1_999n);
    expect(findPaths(request({ payee: PEER, firstHops, amountMsat: msat(2_000n) }))).toEqual({
      kind: 'insufficientBalance',
      availableMsat: 1_999n,
    });
  });

  it('split over channels only where the payee takes parts', () => {
    const firstHops = [channel('a', 700_000n), channel('b', 700_000n)];
    const split = paths({ payee: PEER, hints: [], firstHops });
    expect(split.map(({ channelKey, hops }) => [channelKey, hops[0]?.amountMsat])).toEqual([
      ['a', 700_000n],
      ['b', 300_000n],
    ]);
    const whole = findPaths(request({ payee: PEER, hints: [], firstHops, multiPart: false }));
    expect(whole).toEqual({ kind: 'insufficientBalance', availableMsat: 700_000n });
  });

  it('fill the largest part first where that keeps the fee within the limit', () => {
    const hints = [
      [hop(OTHER_PEER, { feeBaseMsat: 0, feeProportionalMillionths: 5_000 })],
      [hop(PEER, { feeBaseMsat: 6_000, feeProportionalMillionths: 0, shortChannelId: 8n })],
    ];
    const firstHops = [channel('small', 100_000n, { counterpartyNodeId: OTHER_PEER }), channel('large', 990_000n)];
    const found = paths({ hints, firstHops, maxFeeMsat: 6_200n });
    expect(found.map((path) => [path.channelKey, pathFeeMsat(path)])).toEqual([
      ['large', 6_000n],
      ['small', 80n],
    ]);
  });

  it('deliver the amount, pay every hop what it asks and fit their channels', () => {
    const channels = fc.array(fc.bigInt({ min: 0n, max: 5_000_000n }), { minLength: 1, maxLength: 4 });
    const fees = fc.record({ base: fc.nat(5000), proportional: fc.nat(20_000) });
    fc.assert(
      fc.property(
        channels,
        fees,
        fc.bigInt({ min: 1n, max: 8_000_000n }),
        (available, { base, proportional }, amount) => {
          const hint = hop(PEER, { feeBaseMsat: base, feeProportionalMillionths: proportional });
          const firstHops = available.map((most, index) => channel(`${index}`, most));
          const found = findPaths(
            request({ hints: [[hint]], firstHops, amountMsat: msat(amount), maxFeeMsat: 10n ** 12n }),
          );
          if (found.kind !== 'paths') return;
          const delivered = found.paths.reduce((sum, { hops }) => sum + (hops.at(-1)?.amountMsat ?? 0n), 0n);
          expect(delivered).toBe(amount);
          for (const path of found.paths) {
            const part = path.hops.at(-1)?.amountMsat ?? 0n;
            expect(pathFeeMsat(path)).toBe(BigInt(base) + (part * BigInt(proportional)) / 1_000_000n);
            expect(path.hops[0]?.amountMsat).toBeLessThanOrEqual(available[Number(path.channelKey)] ?? 0n);
          }
          expect(new Set(found.paths.map(({ channelKey }) => channelKey)).size).toBe(found.paths.length);
        },
      ),
    );
  });

  it('stay within every limit, whatever the hints say, and are refused only for what is so', () => {
    const extreme = (most: number): fc.Arbitrary<number> =>
      fc.oneof(fc.constantFrom(0, 1, most - 1, most), fc.nat({ max: most }), fc.nat({ max: Math.min(most, 2_000) }));
    const step = fc.record({
      nodeId: fc.constantFrom(PEER, OTHER_PEER, node(3), PAYEE),
      shortChannelId: fc.bigInt({ min: 0n, max: 5n }),
      feeBaseMsat: extreme(0xffff_ffff),
      feeProportionalMillionths: extreme(0xffff_ffff),
      cltvExpiryDelta: extreme(0xffff),
    });
    const anyMsat = fc.oneof(fc.bigInt({ min: 1n, max: 10_000n }), fc.bigInt({ min: 1n, max: MAX_MSAT }));
    const firstHop = fc.record({
      counterpartyNodeId: fc.constantFrom(PEER, OTHER_PEER, PAYEE),
      availableMsat: fc.oneof(fc.constant(0n), anyMsat).map(msat),
      isOffline: fc.boolean(),
    });
    const anyRequest: fc.Arbitrary<PathRequest> = fc.record({
      payee: fc.constant(PAYEE),
      hints: fc.array(fc.array(step, { maxLength: 12 }), { maxLength: 6 }),
      amountMsat: anyMsat.map(msat),
      finalCltvExpiry: fc.oneof(fc.nat({ max: 2_600 }), fc.nat({ max: 0xffff_ffff })),
      maxCltvExpiry: fc.constant(480 + MAX_CLTV_EXPIRY_DELTA),
      maxHops: fc.integer({ min: 1, max: 21 }),
      firstHops: fc
        .array(firstHop, { maxLength: 5 })
        .map((hops) => hops.map((each, index) => ({ ...each, channelKey: `${index}` }))),
      excluded: fc.array(fc.bigInt({ min: 0n, max: 5n }), { maxLength: 2 }).map((scids) => new Set(scids)),
      multiPart: fc.boolean(),
      maxFeeMsat: fc.oneof(fc.constant(0n), anyMsat, fc.constant(10n ** 30n)),
    });
    fc.assert(
      fc.property(anyRequest, (asked) => {
        const found = findPaths(asked);
        if (found.kind === 'feeTooHigh') expect(found.feeMsat).toBeGreaterThan(asked.maxFeeMsat);
        if (found.kind === 'insufficientBalance') expect(found.availableMsat).toBeLessThan(asked.amountMsat);
        if (found.kind === 'lockedTooLong') expect(found.cltvExpiry).toBeGreaterThan(asked.maxCltvExpiry);
        if (found.kind !== 'paths') return;
        const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, each) => total + each, 0n);
        expect(sum(found.paths.map(({ hops }) => hops.at(-1)?.amountMsat ?? 0n))).toBe(asked.amountMsat);
        expect(sum(found.paths.map(pathFeeMsat))).toBeLessThanOrEqual(asked.maxFeeMsat);
        expect(found.paths.length).toBeLessThanOrEqual(asked.multiPart ? asked.firstHops.length : 1);
        for (const { channelKey, hops } of found.paths) {
          const first = asked.firstHops[Number(channelKey)];
          expect(first?.isOffline).toBe(false);
          expect(hops[0]?.amountMsat).toBeLessThanOrEqual(first?.availableMsat ?? 0n);
          expect(hops[0]?.cltvExpiry).toBeLessThanOrEqual(asked.maxCltvExpiry);
          expect(hops.length).toBeLessThanOrEqual(asked.maxHops);
          expect(hops.at(-1)).toMatchObject({ nodeId: PAYEE, cltvExpiry: asked.finalCltvExpiry });
          expect(hops.slice(1).some(({ shortChannelId }) => asked.excluded.has(shortChannelId))).toBe(false);
        }
      }),
      // A failure is shrunk for half a minute, not for as long as it takes: the seed replays the rest.
      { numRuns: 3_000, interruptAfterTimeLimit: 30_000, markInterruptAsFailure: true },
    );
  });
});
