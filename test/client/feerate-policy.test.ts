import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FeeEstimator } from '../../worker/edges/chain/fee-estimator.ts';
import { FeerateMemory } from '../../worker/client/feerate-memory.ts';
import { FeeratePolicy, type FeerateMemories } from '../../worker/client/feerate-policy.ts';
import { decodeFeerates, encodeFeerates } from '../../worker/client/wallet-records.ts';
import type { ChannelFeerates, CommitmentFeerates } from '../../worker/engine/channel/channel-env.ts';

const HOUR = 3_600_000;

/** Feerates after estimates in sat/vB for every target, each at an hour. */
class Market {
  readonly fees: FeeEstimator = new FeeEstimator();
  readonly policy: FeeratePolicy;

  constructor(stored?: FeerateMemories) {
    this.policy = new FeeratePolicy(this.fees, stored);
  }

  at(hour: number, satPerVByte: number): ChannelFeerates {
    this.fees.update(new Map([[1, satPerVByte]]), hour * HOUR);
    this.policy.updated(hour * HOUR);
    return this.policy.feerates;
  }
}

const anchors = ({ commitment }: ChannelFeerates): CommitmentFeerates => commitment.anchors;

describe('FeeratePolicy', () => {
  it('follows the estimates up at once, and down only after hours', () => {
    const market = new Market();
    expect(anchors(market.at(0, 20))).toMatchObject({ target: 5000, settled: undefined });
    expect(anchors(market.at(1, 4))).toMatchObject({ target: 1000, settled: undefined });
    expect(anchors(market.at(6, 4))).toMatchObject({ target: 1000, settled: 5000 });
    expect(anchors(market.at(11, 4)).settled).toBe(5000);
    expect(anchors(market.at(12, 4)).settled).toBe(1000);
    expect(anchors(market.at(12.1, 40))).toMatchObject({ target: 10_000, settled: 10_000 });
  });

  it('never goes below several sat/vB', () => {
    const market = new Market();
    for (const hour of [0, 6, 12, 18]) market.at(hour, 1);
    for (const rates of Object.values(market.policy.feerates.commitment))
      expect(rates).toMatchObject({ target: 1000, settled: 1000, minimum: 253 });
  });

  it('has nothing settled in a run that has not heard from a server, whatever it remembers', () => {
    const market = new Market();
    market.at(0, 20);
    market.at(6, 20);
    const { memories } = market.policy;
    const next = new Market(memories);
    expect(anchors(next.policy.feerates)).toMatchObject({ target: 1000, settled: undefined });
    expect(anchors(next.at(7, 4)).settled).toBe(5000);
  });

  it('remembers over a restart, and counts what was last seen for the pause', () => {
    const market = new Market();
    market.at(0, 20);
    const { memories } = market.policy;
    if (memories === undefined) throw new Error('there is something to remember');
    const restored = decodeFeerates(encodeFeerates(memories));
    expect(restored).toEqual(memories);
    const next = new Market(restored);
    expect(anchors(next.at(24, 4)).settled).toBe(5000);
    expect(anchors(next.at(30, 4)).settled).toBe(1000);
  });

  it('remembers nothing of a server that has no estimates', () => {
    const fees = new FeeEstimator();
    const policy = new FeeratePolicy(fees);
    fees.update(new Map(), 0);
    policy.updated(0);
    expect(policy.memories).toBeUndefined();
    expect(policy.feerates.commitment.static_remotekey).toMatchObject({ target: 2000, settled: undefined });
  });
});

describe('FeerateMemory', () => {
  it('is never below an estimate of the last six hours, whatever the times between', () => {
    const note = fc.record({
      minutes: fc.integer({ min: 0, max: 500 }),
      perKw: fc.integer({ min: 253, max: 250_000 }),
    });
    fc.assert(
      fc.property(fc.array(note, { minLength: 1, maxLength: 40 }), (notes) => {
        const memory = new FeerateMemory();
        const noted: { readonly at: number; readonly perKw: number }[] = [];
        let now = 0;
        for (const { minutes, perKw } of notes) {
          now += minutes * 60_000;
          memory.note(perKw, now);
          noted.push({ at: now, perKw });
          const recent = noted.filter(({ at }) => now - at < 6 * HOUR).map((each) => each.perKw);
          if (memory.settled !== undefined) expect(memory.settled).toBeGreaterThanOrEqual(Math.max(...recent));
          if (now < 6 * HOUR) expect(memory.settled).toBeUndefined();
        }
      }),
    );
  });

  it('gets longer where the clock is set back', () => {
    const memory = new FeerateMemory();
    memory.note(5000, 10 * HOUR);
    memory.note(1000, 2 * HOUR);
    memory.note(1000, 7 * HOUR);
    expect(memory.settled).toBeUndefined();
    memory.note(1000, 8 * HOUR);
    expect(memory.settled).toBe(5000);
  });
});
