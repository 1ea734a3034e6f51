import { describe, expect, it } from 'vitest';
import vectors from '../../vectors/bolt03-fees-trimming.json' with { type: 'json' };
import {
  commitmentFeeSat,
  commitmentWeight,
  htlcTransactionFeeSat,
  isTrimmed,
  openerCostSat,
} from '../../../worker/engine/transactions/commitment-fees.ts';
import { htlcsById } from './vectors.ts';

describe('fees and trimming of BOLT 3', () => {
  const { example } = vectors;

  it('agrees with the worked example', () => {
    const feerate = example.feerate_per_kw;
    const kept = (amounts: number[], offered: boolean): number[] =>
      amounts.filter(
        (amount) =>
          !isTrimmed(
            { offered, amountMsat: BigInt(amount) },
            'static_remotekey',
            feerate,
            BigInt(example.dust_limit_satoshi),
          ),
      );
    expect(htlcTransactionFeeSat('static_remotekey', feerate, true)).toBe(BigInt(example.htlc_timeout_fee));
    expect(htlcTransactionFeeSat('static_remotekey', feerate, false)).toBe(BigInt(example.htlc_success_fee));
    expect(kept(example.offered_msat, true)).toEqual(example.untrimmed_offered_msat);
    expect(kept(example.received_msat, false)).toEqual(example.untrimmed_received_msat);
    expect(commitmentWeight('static_remotekey', 2)).toBe(example.commitment_weight);
    expect(commitmentFeeSat('static_remotekey', feerate, 2)).toBe(BigInt(example.base_fee_satoshi));
  });

  it.each(vectors.cases)('$name (anchors: $anchors)', (vector) => {
    const format = vector.anchors ? 'anchors' : 'static_remotekey';
    const dustLimitSat = BigInt(vector.dust_limit_satoshi);
    const untrimmed = htlcsById(vector.htlcs).filter(
      (htlc) => !isTrimmed(htlc, format, vector.feerate_per_kw, dustLimitSat),
    );
    expect(untrimmed.map(({ id }) => id)).toEqual(vector.untrimmed_htlcs);
    expect(commitmentWeight(format, untrimmed.length)).toBe(vector.commitment_weight);
    expect(commitmentFeeSat(format, vector.feerate_per_kw, untrimmed.length)).toBe(BigInt(vector.base_fee_satoshi));
  });

  it('charges the opener for both anchors', () => {
    expect(openerCostSat('anchors', 1000, 0)).toBe(1124n + 660n);
    expect(openerCostSat('static_remotekey', 1000, 0)).toBe(724n);
  });
});
