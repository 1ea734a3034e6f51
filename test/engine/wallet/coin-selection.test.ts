import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GlowwormError } from '../../../worker/engine/primitives/errors.ts';
import type { Coin } from '../../../worker/engine/wallet/coin.ts';
import {
  feeForWeight,
  findSelection,
  INPUT_WEIGHT,
  LEEWAY_WEIGHT,
  MOST_WEIGHT,
  outputWeight,
  OVERHEAD_WEIGHT,
  reserveValueSat,
  selectAll,
  selectCoins,
  type Selection,
} from '../../../worker/engine/wallet/coin-selection.ts';

const coin = (amountSat: bigint, changes: Partial<Coin> = {}): Coin => ({
  txid: new Uint8Array(32).fill(Number(amountSat % 251n)),
  vout: Number(amountSat % 1000n),
  branch: 'receive',
  index: 0,
  amountSat,
  height: 100,
  coinbase: false,
  own: false,
  trusted: false,
  ...changes,
});
const { height: _, ...pending } = coin(50_000n);
const baseWeight = OVERHEAD_WEIGHT + outputWeight(34);
const request = { baseWeight, feeratePerKw: 1000, reserveSat: 0n, reservePerKw: 1000 };
const sum = (coins: readonly Coin[]): bigint => coins.reduce((before, { amountSat }) => before + amountSat, 0n);
const weightOf = ({ coins, changeSat }: Selection): number =>
  coins.reduce((before, { branch }) => before + INPUT_WEIGHT[branch], baseWeight) +
  (coins.length < 253 ? 0 : 8) +
  (changeSat > 0n ? 124 : 0);

/** What each set of some coins would cost that suffices. */
function costsOfEverySet(coins: readonly Coin[], targetSat: bigint, feeratePerKw: number): readonly bigint[] {
  const sets = coins.reduce<readonly (readonly Coin[])[]>(
    (all, next) => [...all, ...all.map((set) => [...set, next])],
    [[]],
  );
  return sets.flatMap((set) => {
    const restSat = sum(set) - targetSat;
    const plainSat = feeForWeight(weightOf({ coins: set, feeSat: 0n, changeSat: 0n }), feeratePerKw);
    const withChangeSat = feeForWeight(weightOf({ coins: set, feeSat: 0n, changeSat: 1n }), feeratePerKw);
    if (restSat < plainSat) return [];
    return [restSat - withChangeSat >= 294n ? withChangeSat : restSat];
  });
}

describe('coin selection', () => {
  it('takes the largest first and gives change', () => {
    const selection = selectCoins({
      ...request,
      coins: [coin(9_000n), coin(100_000n), coin(20_000n)],
      targetSat: 50_000n,
    });
    expect(selection.coins.map(({ amountSat }) => amountSat)).toEqual([100_000n]);
    expect(selection.changeSat).toBe(50_000n - selection.feeSat);
  });

  it('prefers a set that leaves nothing over', () => {
    const feeSat = feeForWeight(baseWeight + 2 * INPUT_WEIGHT.receive, 1000);
    const coins = [coin(100_000n), coin(30_000n), coin(20_000n + feeSat + 1n)];
    const selection = selectCoins({ ...request, coins, targetSat: 50_000n });
    expect(selection.changeSat).toBe(0n);
    expect(sum(selection.coins)).toBe(50_001n + feeSat);
  });

  it('spends confirmed coins before larger ones that are not', () => {
    const coins = [pending, coin(20_000n), coin(20_001n)];
    const selection = selectCoins({ ...request, coins, targetSat: 30_000n });
    expect(selection.coins.every(({ height }) => height !== undefined)).toBe(true);
  });

  it('leaves the reserve, as change or in other coins', () => {
    const one = selectCoins({ ...request, coins: [coin(60_000n)], targetSat: 40_000n, reserveSat: 10_000n });
    expect(one.changeSat).toBeGreaterThanOrEqual(10_000n);
    const coins = [coin(60_000n), coin(10_000n)];
    const two = selectCoins({ ...request, coins, targetSat: 58_000n, reserveSat: 10_000n });
    expect(two.coins).toHaveLength(1);
  });

  it('keeps no reserve of coins that cost more than they bring', () => {
    const small = Array.from({ length: 20 }, (_, vout) => coin(1_000n, { vout }));
    const coins = [coin(60_000n), ...small];
    const ask = (feeratePerKw: number): Selection =>
      selectCoins({
        ...request,
        feeratePerKw,
        reservePerKw: feeratePerKw,
        coins,
        targetSat: 55_000n,
        reserveSat: 10_000n,
      });
    expect(ask(1_000).coins).toHaveLength(1);
    expect(() => ask(5_000)).toThrow(expect.objectContaining({ code: 'InsufficientFunds' }));
    expect(reserveValueSat(small, 1_000)).toBe(20_000n - 19n * 272n);
    expect(reserveValueSat(small, 5_000)).toBe(0n);
  });

  describe('among small coins', () => {
    const small = (count: number, amountSat: bigint): readonly Coin[] =>
      Array.from({ length: count }, (_, vout) => coin(amountSat, { vout }));
    const payment = { ...request, feeratePerKw: 2_750, targetSat: 10_000n };

    it('takes a large one at 1,678 sat, and not 247 of them at 185,377, though those leave nothing over', () => {
      const coins = [...small(247, 791n), coin(1_000_000n)];
      const { feeSat, ...selection } = selectCoins({ ...payment, coins });
      expect([selection.coins, feeSat]).toEqual([[coin(1_000_000n)], 1_678n]);
      expect(selectCoins({ ...payment, coins: coins.slice(0, 247) })).toMatchObject({
        feeSat: 185_377n,
        changeSat: 0n,
      });
    });

    it('takes change that is not confirmed rather than them', () => {
      const change = { ...pending, trusted: true, amountSat: 1_000_000n };
      expect(selectCoins({ ...payment, coins: [...small(250, 791n), change] })).toMatchObject({ coins: [change] });
    });

    it('takes up to three more than it has to where fees are low, if they leave nothing over', () => {
      const feeSat = feeForWeight(baseWeight + 4 * INPUT_WEIGHT.receive, 1_000);
      const some = [coin(100_000n), coin(5_000n), coin(2_500n), coin(1_500n), coin(1_000n + feeSat)];
      expect(selectCoins({ ...request, coins: some, targetSat: 10_000n })).toMatchObject({ feeSat, changeSat: 0n });
      const dear = { ...request, feeratePerKw: 10_000, targetSat: 10_000n };
      expect(selectCoins({ ...dear, coins: some }).coins).toHaveLength(1);
    });

    it('takes what one transaction has room for, and no more', () => {
      const most = Math.floor((MOST_WEIGHT - baseWeight - 124 - 8) / INPUT_WEIGHT.receive);
      const coins = small(5_000, 10_000n);
      const eachSat = 10_000n - 272n;
      const selection = selectCoins({ ...request, coins, targetSat: BigInt(most - 1) * eachSat });
      expect(weightOf(selection)).toBeLessThanOrEqual(MOST_WEIGHT);
      expect(selection.coins).toHaveLength(most);
      expect(findSelection({ ...request, coins, targetSat: BigInt(most + 1) * eachSat })).toBeUndefined();
    });
  });

  it('says what is missing', () => {
    const ask = (): unknown =>
      selectCoins({ ...request, coins: [coin(60_000n)], targetSat: 55_000n, reserveSat: 10_000n });
    const details = { availableSat: 60_000n, neededSat: 65_000n + 486n, feeSat: 486n, reserveSat: 10_000n };
    expect(ask).toThrow(expect.objectContaining({ code: 'InsufficientFunds', details }));
  });

  it('never pays more for a coin than it brings', () => {
    const coins = [coin(100_000n), coin(200n)];
    expect(selectAll({ ...request, coins }).coins).toHaveLength(1);
  });

  it('sends all but the reserve', () => {
    const { paymentSat, changeSat, feeSat } = selectAll({ ...request, coins: [coin(60_000n)], reserveSat: 10_000n });
    expect(changeSat).toBe(10_000n);
    expect(paymentSat + changeSat + feeSat).toBe(60_000n);
  });

  it('has nothing to send of nothing', () => {
    expect(() => selectAll({ ...request, coins: [] })).toThrow(expect.objectContaining({ code: 'InsufficientFunds' }));
  });

  it('balances, reaches its feerate without waste, keeps the reserve, and is the same again', () => {
    const amounts = fc.array(fc.bigInt({ min: 100n, max: 1_000_000n }), { maxLength: 30 });
    const terms = fc.record({
      targetSat: fc.bigInt({ min: 330n, max: 2_000_000n }),
      feeratePerKw: fc.integer({ min: 253, max: 50_000 }),
      reserveSat: fc.bigInt({ min: 0n, max: 100_000n }),
    });
    fc.assert(
      fc.property(amounts, terms, (values, { targetSat, feeratePerKw, reserveSat }) => {
        const coins = values.map((amountSat, vout) => coin(amountSat, { vout }));
        const ask = (): Selection =>
          selectCoins({ coins, targetSat, baseWeight, feeratePerKw, reserveSat, reservePerKw: feeratePerKw });
        try {
          const selection = ask();
          expect(sum(selection.coins)).toBe(targetSat + selection.feeSat + selection.changeSat);
          const leastFee = feeForWeight(weightOf(selection), feeratePerKw);
          expect(selection.coins.every(({ amountSat }) => amountSat > feeForWeight(272, feeratePerKw))).toBe(true);
          expect(selection.feeSat).toBeGreaterThanOrEqual(leastFee);
          expect(selection.feeSat - leastFee).toBeLessThanOrEqual(feeForWeight(124 + 272, feeratePerKw) + 294n + 30n);
          expect(sum(coins) - sum(selection.coins) + selection.changeSat).toBeGreaterThanOrEqual(reserveSat);
          expect(ask()).toEqual(selection);
        } catch (error) {
          if (!(error instanceof GlowwormError)) throw error;
          expect(error.code).toBe('InsufficientFunds');
        }
      }),
    );
  });

  it('costs little more than the cheapest of all sets of coins that suffice', () => {
    const amounts = fc.array(fc.tuple(fc.bigInt({ min: 100n, max: 60_000n }), fc.boolean(), fc.boolean()), {
      maxLength: 8,
    });
    const terms = fc.record({
      targetSat: fc.bigInt({ min: 330n, max: 150_000n }),
      feeratePerKw: fc.integer({ min: 253, max: 50_000 }),
    });
    fc.assert(
      fc.property(amounts, terms, (values, { targetSat, feeratePerKw }) => {
        const coins = values.map(([amountSat, isTaproot, isPending], vout) => {
          const { height, ...rest } = coin(amountSat, { vout, branch: isTaproot ? 'taproot' : 'receive' });
          return isPending ? { ...rest, trusted: true } : { ...rest, height: height ?? 0 };
        });
        const selection = findSelection({ ...request, coins, targetSat, feeratePerKw });
        const costs = costsOfEverySet(coins, targetSat, feeratePerKw);
        expect(selection === undefined).toBe(costs.length === 0);
        if (selection === undefined) return;
        const cheapest = costs.reduce((least, cost) => (cost < least ? cost : least));
        // The cheapest of the few that are looked at may give away what is not worth an output.
        expect(selection.feeSat).toBeLessThanOrEqual(cheapest + feeForWeight(LEEWAY_WEIGHT + 124, feeratePerKw) + 294n);
      }),
      { numRuns: 500 },
    );
  });
});
