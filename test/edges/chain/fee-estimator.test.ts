import { describe, expect, it } from 'vitest';
import { FeeEstimator, refreshFees } from '../../../worker/edges/chain/fee-estimator.ts';
import { FakePlatform } from './fake-platform.ts';
import { esploraAt } from './esplora-at.ts';

describe('FeeEstimator', () => {
  it('turns sat/vB into sat per 1000 weight by target', () => {
    const fees = new FeeEstimator();
    fees.update(
      new Map([
        [1, 40],
        [2, 20],
        [6, 10],
        [144, 4],
      ]),
      0,
    );
    expect(fees.feerate('urgentOnChainSweep')).toBe(5000);
    expect(fees.feerate('nonAnchorChannelFee')).toBe(2500);
    expect(fees.feerate('anchorChannelFee')).toBe(1000);
    expect(fees.feerate('maximumFeeEstimate')).toBe(100_000);
    fees.update(new Map([[1, 1]]), 0);
    expect(fees.feerate('maximumFeeEstimate')).toBe(50_000);
  });

  it('stays within the floor and the cap', () => {
    const fees = new FeeEstimator();
    fees.update(
      new Map([
        [1, 99_000],
        [2, 1],
        [1008, 0.1],
      ]),
      0,
    );
    expect(fees.feerate('maximumFeeEstimate')).toBe(250_000);
    expect(fees.feerate('urgentOnChainSweep')).toBe(253);
    expect(fees.feerate('minAllowedAnchorChannelRemoteFee')).toBe(253);
  });

  it('has defaults while nothing is known, and says so', () => {
    const fees = new FeeEstimator();
    expect(fees.isStale(0)).toBe(true);
    expect(fees.feerate('nonAnchorChannelFee')).toBe(2000);
    fees.update(new Map([[12, 8]]), 1000);
    expect([fees.isStale(3_601_000), fees.isStale(3_601_001)]).toEqual([false, true]);
    expect(fees.feerate('nonAnchorChannelFee')).toBe(2000);
  });

  it('takes an estimate for a day for an urgent target only where it is above what is assumed without one', () => {
    const fees = new FeeEstimator();
    fees.update(
      new Map([
        [144, 2],
        [1008, 1],
      ]),
      0,
    );
    expect(fees.feerate('urgentOnChainSweep')).toBe(5000);
    fees.update(new Map([[144, 30]]), 0);
    expect(fees.feerate('urgentOnChainSweep')).toBe(7500);
  });

  it('keeps commitments at several sat/vB when the market is at one, and nothing else', () => {
    const fees = new FeeEstimator();
    fees.update(new Map([[1, 1]]), 0);
    expect([fees.feerate('anchorChannelFee'), fees.feerate('nonAnchorChannelFee')]).toEqual([1000, 1000]);
    expect([fees.feerate('outputSpendingFee'), fees.feerate('minAllowedAnchorChannelRemoteFee')]).toEqual([253, 253]);
  });

  it('takes a faster target for commitments that cannot be bumped', () => {
    const fees = new FeeEstimator();
    fees.update(
      new Map([
        [12, 20],
        [144, 8],
      ]),
      0,
    );
    expect([fees.feerate('anchorChannelFee'), fees.feerate('nonAnchorChannelFee')]).toEqual([2000, 5000]);
  });

  it('asks no more than 5 sat/vB of an anchor commitment of the peer, whatever the market', () => {
    const fees = new FeeEstimator();
    fees.update(new Map([[1008, 100]]), 0);
    expect(fees.feerate('minAllowedAnchorChannelRemoteFee')).toBe(1250);
    expect(fees.feerate('minAllowedNonAnchorChannelRemoteFee')).toBe(12_500);
  });

  it('asks the next source when one fails', async () => {
    const platform = new FakePlatform(() => ({ body: '{"2": 8, "x": 1, "6": -3}' }));
    const broken = esploraAt('http://broken.test', new FakePlatform(() => 'drop'));
    const fees = new FeeEstimator();
    await refreshFees(fees, [broken, esploraAt('http://good.test', platform)], platform);
    expect(fees.feerate('urgentOnChainSweep')).toBe(2000);
    await expect(refreshFees(fees, [broken], platform)).rejects.toThrow("can't be reached");
    expect(fees.feerate('urgentOnChainSweep')).toBe(2000);
  });
});
