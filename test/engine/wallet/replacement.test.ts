import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildReplacement, leastFeerate, leastFeeSat } from '../../../worker/engine/wallet/replacement.ts';

const vbytes = (weight: number): number => Math.ceil(weight / 4);

/** As nodes reckon, in satoshi per thousand vbytes without fractions. */
const perKvb = (feeSat: bigint, weight: number): bigint => (feeSat * 1000n) / BigInt(vbytes(weight));

describe('the least fee of a replacement', () => {
  it.each([
    ['its own relay, of each vbyte that it begins', [{ feeSat: 1_000n, weight: 401 }], 401, 1_101n],
    ['what all of them paid', [1_000n, 2_000n].map((feeSat) => ({ feeSat, weight: 4_000 })), 400, 3_100n],
    ['a higher feerate, where it weighs more', [{ feeSat: 10_000n, weight: 400 }], 800, 20_001n],
    ['of whole vbytes, where one more is begun', [{ feeSat: 100_000n, weight: 600 }], 601, 100_667n],
    ['nothing where it replaces nothing', [], 400, 0n],
  ])('is %s', (_name, displaced, weight, leastSat) => {
    expect(leastFeeSat(displaced, weight)).toBe(leastSat);
  });

  it('is what nodes take, and a satoshi less is not', () => {
    const paid = fc.record({
      feeSat: fc.bigInt({ min: 100n, max: 3_000_000n }),
      weight: fc.integer({ min: 300, max: 400_000 }),
    });
    const displaced = fc.array(paid, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(displaced, fc.integer({ min: 300, max: 400_000 }), (others, weight) => {
        const isTaken = (feeSat: bigint): boolean =>
          feeSat >= others.reduce((sum, other) => sum + other.feeSat, 0n) + BigInt(vbytes(weight)) &&
          others.every((other) => perKvb(feeSat, weight) > perKvb(other.feeSat, other.weight));
        const leastSat = leastFeeSat(others, weight);
        expect([isTaken(leastSat), isTaken(leastSat - 1n)]).toEqual([true, false]);
        const atFeerate = (BigInt(weight) * BigInt(leastFeerate(others, weight)) + 999n) / 1000n;
        expect(atFeerate).toBeGreaterThanOrEqual(leastSat);
      }),
    );
  });
});

describe('what is built to replace', () => {
  const displaced = [{ feeSat: 1_000n, weight: 400 }];

  it('is built again until it pays enough, however much its weight was taken for', () => {
    const asked: number[] = [];
    const built = buildReplacement(1_000, (perKw) => {
      asked.push(perKw);
      // It weighs a tenth more than what it is paid for.
      return { feeSat: BigInt(Math.ceil((400 * perKw) / 1000)), weight: 440, displaced };
    });
    expect(built.feeSat).toBeGreaterThanOrEqual(leastFeeSat(displaced, 440));
    expect(asked[0]).toBe(1_000);
    expect(asked.length).toBeGreaterThan(1);
  });

  it('is given up where it never does', () => {
    const build = (): unknown => buildReplacement(1_000, () => ({ feeSat: 1_000n, weight: 440, displaced }));
    expect(build).toThrow(expect.objectContaining({ code: 'InsufficientFunds' }) as Error);
  });
});
