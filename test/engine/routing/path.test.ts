import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { msat } from '../../../worker/engine/primitives/units.ts';
import {
  findPaths,
  pathFeeMsat,
  type HintHop,
  type Path,
  type PathRequest,
} from '../../../worker/engine/routing/path.ts';

const node = (name: number): Uint8Array => new Uint8Array(33).fill(name);
const PEER = node(1);
const OTHER_PEER = node(2);
const PAYEE = node(9);

const hop = (from: Uint8Array, over: Partial<HintHop> = {}): HintHop => ({
  nodeId: from,
  shortChannelId: 7n,
  feeBaseMsat: 1000,
  feeProportionalMillionths: 100,
  cltvExpiryDelta: 40,
  ...over,
});

const request = (over: Partial<PathRequest> = {}): PathRequest => ({
  payee: PAYEE,
  hints: [[hop(PEER)]],
  amountMsat: msat(1_000_000n),
  finalCltvExpiry: 500,
  firstHops: [{ channelKey: 'a', counterpartyNodeId: PEER, availableMsat: msat(10_000_000n) }],
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

  it('split over channels only where the payee takes parts', () => {
    const firstHops = ['a', 'b'].map((channelKey) => ({
      channelKey,
      counterpartyNodeId: PEER,
      availableMsat: msat(700_000n),
    }));
    const split = paths({ payee: PEER, hints: [], firstHops });
    expect(split.map(({ channelKey, hops }) => [channelKey, hops[0]?.amountMsat])).toEqual([
      ['a', 700_000n],
      ['b', 300_000n],
    ]);
    const whole = findPaths(request({ payee: PEER, hints: [], firstHops, multiPart: false }));
    expect(whole).toEqual({ kind: 'insufficientBalance', availableMsat: 700_000n });
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
          const firstHops = available.map((most, index) => ({
            channelKey: `${index}`,
            counterpartyNodeId: PEER,
            availableMsat: msat(most),
          }));
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
});
