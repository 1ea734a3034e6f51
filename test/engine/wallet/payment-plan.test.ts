import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat } from '../../../worker/engine/primitives/bytes.ts';
import { GlowwormError } from '../../../worker/engine/primitives/errors.ts';
import type { TransactionOutput } from '../../../worker/engine/transactions/transaction.ts';
import type { Coin } from '../../../worker/engine/wallet/coin.ts';
import {
  feeForWeight,
  MOST_WEIGHT,
  outputWeight,
  OVERHEAD_WEIGHT,
  weightOf,
} from '../../../worker/engine/wallet/coin-selection.ts';
import { planPayment, type PlannedTransaction } from '../../../worker/engine/wallet/payment-plan.ts';
import { sumOf } from '../../../worker/engine/wallet/wallet-transaction.ts';
import { paymentTerms } from './paid.ts';

const terms = { feeratePerKw: 1_000, reserveSat: 0n, reservePerKw: 1_000 };
const script = (byte: number): Uint8Array => concat(Uint8Array.of(0, 20), new Uint8Array(20).fill(byte));
const coinsOf = (count: number, amountSat: bigint | ((index: number) => bigint)): readonly Coin[] =>
  Array.from({ length: count }, (_, vout) => ({
    txid: new Uint8Array(32).fill(7),
    vout,
    branch: 'receive',
    index: vout,
    amountSat: typeof amountSat === 'bigint' ? amountSat : amountSat(vout),
    height: 100,
    coinbase: false,
    own: false,
    trusted: false,
  }));

const weight = ({ coins, outputs, changeSat }: PlannedTransaction): number =>
  outputs.reduce(
    (sum, output) => sum + outputWeight(output.script.length),
    weightOf(OVERHEAD_WEIGHT, coins) + (changeSat > 0n ? outputWeight(22) : 0),
  );

/** What must be so of every plan; what each script gets. */
function received(planned: readonly PlannedTransaction[], feeratePerKw: number): ReadonlyMap<Uint8Array, bigint> {
  const got = new Map<Uint8Array, bigint>();
  const spent = planned.flatMap(({ coins }) => coins);
  expect(new Set(spent).size).toBe(spent.length);
  for (const each of planned) {
    const { coins, outputs, changeSat, feeSat } = each;
    expect(sumOf(coins)).toBe(sumOf(outputs) + changeSat + feeSat);
    expect(weight(each)).toBeLessThanOrEqual(MOST_WEIGHT);
    expect(feeSat).toBeGreaterThanOrEqual(feeForWeight(weight(each), feeratePerKw));
    for (const { amountSat, script: to } of outputs) {
      expect(amountSat).toBeGreaterThanOrEqual(294n);
      got.set(to, (got.get(to) ?? 0n) + amountSat);
    }
  }
  return got;
}

describe('a payment of 5,000 coins', () => {
  const coins = coinsOf(5_000, (index) => 5_000n + BigInt(index % 7));
  const balanceSat = sumOf(coins);
  const to = script(1);

  it('is as many transactions as it needs: of 80 % of them three', () => {
    const amountSat = (balanceSat * 80n) / 100n;
    const planned = planPayment(coins, [{ amountSat, script: to }], terms);
    expect(planned.map((each) => each.coins.length)).toEqual([1433, 1433, 1364]);
    expect(received(planned, terms.feeratePerKw)).toEqual(new Map([[to, amountSat]]));
    expect(planned.map(({ changeSat }) => changeSat > 0n)).toEqual([false, false, true]);
  });

  it('of everything leaves nothing, in four', () => {
    const planned = planPayment(coins, { everythingTo: to }, terms);
    expect(planned.map((each) => each.coins.length)).toEqual([1433, 1433, 1433, 701]);
    expect(planned.every(({ feeSat, ...each }) => feeSat === feeForWeight(weight({ ...each, feeSat }), 1_000))).toBe(
      true,
    );
    expect(received(planned, terms.feeratePerKw).get(to)).toBe(
      balanceSat - planned.reduce((sum, { feeSat }) => sum + feeSat, 0n),
    );
  });

  it('of everything leaves the reserve, as change of the first', () => {
    const planned = planPayment(coins, { everythingTo: to }, { ...terms, reserveSat: 150_000n });
    expect(planned.map(({ changeSat }) => changeSat)).toEqual([150_000n, 0n, 0n, 0n]);
  });

  it('of everything leaves what is not worth its fee', () => {
    const mixed = [...coins, ...coinsOf(1_000, 272n)];
    expect(planPayment(mixed, { everythingTo: to }, terms).flatMap((each) => each.coins)).toHaveLength(5_000);
  });

  it('keeps the reserve in what it leaves', () => {
    const most = 5_000n * (5_003n - 272n);
    const pay = (reserveSat: bigint): unknown =>
      planPayment(coins, [{ amountSat: most - 200_000n, script: to }], { ...terms, reserveSat });
    expect(pay(150_000n)).toHaveLength(4);
    expect(() => pay(250_000n)).toThrow(expect.objectContaining({ code: 'InsufficientFunds' }));
  });

  it('to several pays each, one of them by two transactions', () => {
    const outputs: readonly TransactionOutput[] = [4_000_000n, 5_000_000n, 3_000_000n].map((amountSat, index) => ({
      amountSat,
      script: script(index),
    }));
    const planned = planPayment(coins, outputs, terms);
    expect(planned.map((each) => each.outputs.length)).toEqual([2, 2]);
    expect(received(planned, terms.feeratePerKw)).toEqual(
      new Map(outputs.map(({ amountSat, script: each }) => [each, amountSat])),
    );
  });

  it('leaves no part of it that is too small to be relayed', () => {
    const roomSat = sumOf(planPayment(coins, { everythingTo: to }, terms)[0]?.outputs ?? []);
    for (const overSat of [1n, 293n, 294n, 295n]) {
      const planned = planPayment(coins, [{ amountSat: roomSat + overSat, script: to }], terms);
      expect(planned).toHaveLength(2);
      expect(received(planned, terms.feeratePerKw)).toEqual(new Map([[to, roomSat + overSat]]));
    }
  });
});

describe('a payment', () => {
  it('to several is one transaction where that is enough', () => {
    const outputs = [1, 2, 3].map((byte) => ({ amountSat: 10_000n, script: script(byte) }));
    const planned = planPayment(coinsOf(4, 20_000n), outputs, terms);
    expect(planned).toHaveLength(1);
    expect(planned[0]?.outputs).toEqual(outputs);
  });

  it('is refused where one of several is too small', () => {
    const outputs = [10_000n, 293n].map((amountSat) => ({ amountSat, script: script(1) }));
    expect(() => planPayment(coinsOf(4, 20_000n), outputs, terms)).toThrow(
      expect.objectContaining({ code: 'AmountBelowDust', details: { leastSat: 294n } }),
    );
  });

  it('pays to the satoshi whatever it is made of, or is refused', () => {
    const amounts = fc.array(fc.bigInt({ min: 294n, max: 9_000_000n }), { minLength: 1, maxLength: 5 });
    const coin = fc.record({
      count: fc.integer({ min: 1, max: 6_000 }),
      eachSat: fc.bigInt({ min: 100n, max: 9_000n }),
    });
    const random = fc.record({
      feeratePerKw: fc.integer({ min: 253, max: 5_000 }),
      reserveSat: fc.constantFrom(0n, 45_000n),
    });
    fc.assert(
      fc.property(amounts, coin, random, (sats, { count, eachSat }, chosen) => {
        const outputs = sats.map((amountSat, index) => ({ amountSat, script: script(index) }));
        const coins = coinsOf(count, (index) => eachSat + BigInt(index % 11));
        try {
          const planned = planPayment(coins, outputs, paymentTerms(chosen));
          expect(received(planned, chosen.feeratePerKw)).toEqual(
            new Map(outputs.map((output) => [output.script, output.amountSat])),
          );
        } catch (error) {
          if (!(error instanceof GlowwormError)) throw error;
          expect(error.code).toBe('InsufficientFunds');
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('a payment beside one that was taken back', () => {
  const coins = coinsOf(3_000, 20_000n);
  const code = (expected: string): Error => expect.objectContaining({ code: expected }) as Error;
  const pay = (amountSat: bigint): readonly PlannedTransaction[] =>
    planPayment(coins, [{ amountSat, script: script(1) }], terms, coins.slice(0, 2));

  it('is one transaction, with the coins that rule the other out', () => {
    const [planned, ...others] = pay(100_000n);
    expect(others).toEqual([]);
    expect(planned?.coins).toEqual(expect.arrayContaining(coins.slice(0, 2)));
  });

  it('waits where one is too small for it, and is refused where the coins are too few', () => {
    expect(() => pay(40_000_000n)).toThrow(code('EarlierPaymentUnsettled'));
    expect(() => pay(70_000_000n)).toThrow(code('InsufficientFunds'));
    expect(() => planPayment(coins, { everythingTo: script(1) }, terms, coins.slice(0, 2))).toThrow(
      code('EarlierPaymentUnsettled'),
    );
  });
});
