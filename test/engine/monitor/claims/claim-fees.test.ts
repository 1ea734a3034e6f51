import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bumpInterval,
  isBumpDue,
  RELAYED_PER_KW,
  wantedFeerate,
  type FeeTerms,
} from '../../../../worker/engine/monitor/claims/claim-fees.ts';

/** A claim of 1,000,000 sat with 1,000 weight: half of it is 500,000 sat per 1,000 weight. */
const terms = (over: Partial<FeeTerms> = {}): FeeTerms => ({
  weight: 1_000,
  valueSat: 1_000_000n,
  deadline: 200,
  since: 100,
  isContested: true,
  ...over,
});

describe('the feerate of a claim', () => {
  it('begins with the estimate, and is half of what is at stake one block before the deadline', () => {
    expect(wantedFeerate(terms(), 1_000, 100)).toBe(1_000);
    // Broadcast at 198 it can be in block 199, and in block 200 the counterparty could take it.
    expect([197, 198, 199, 250].map((height) => wantedFeerate(terms(), 1_000, height))).toEqual([
      494_908, 500_000, 500_000, 500_000,
    ]);
    expect(wantedFeerate(terms(), 1_000, 149)).toBe(250_500);
  });

  it('is the whole budget at once where the deadline is there already', () => {
    expect(wantedFeerate(terms({ since: 300 }), 1_000, 300)).toBe(500_000);
  });

  it.each([
    ['half where the counterparty can take it too', true, 5_000],
    ['a tenth where nobody else can', false, 1_000],
  ])('is never more than %s', (_name, isContested, most) => {
    expect(wantedFeerate(terms({ valueSat: 10_000n, deadline: undefined, isContested }), 50_000, 100)).toBe(most);
  });

  it('is at least what the network relays', () => {
    expect(wantedFeerate(terms({ deadline: undefined }), 1, 100)).toBe(RELAYED_PER_KW);
    expect(wantedFeerate(terms({ valueSat: 100n }), 1_000, 100)).toBe(RELAYED_PER_KW);
  });

  it('never falls as time passes, whatever the estimate does not', () => {
    const anyTerms = fc.record({
      weight: fc.integer({ min: 300, max: 100_000 }),
      valueSat: fc.bigInt({ min: 0n, max: 10_000_000n }),
      deadline: fc.option(fc.integer({ min: 0, max: 3_000 }), { nil: undefined }),
      since: fc.nat({ max: 2_000 }),
      isContested: fc.boolean(),
    });
    fc.assert(
      fc.property(
        anyTerms,
        fc.nat({ max: 200_000 }),
        fc.nat({ max: 3_000 }),
        fc.nat({ max: 100 }),
        (each, estimate, at, later) => {
          const [now, then] = [at, at + later].map((height) => wantedFeerate(each, estimate, height));
          expect(Number.isInteger(now)).toBe(true);
          expect(then).toBeGreaterThanOrEqual(now ?? 0);
        },
      ),
    );
  });
});

describe('a claim is made again', () => {
  it('in every block within three of its deadline, every third within fifteen, else every fifteenth', () => {
    expect([97, 96, 85, 84].map((height) => bumpInterval(100, height))).toEqual([1, 3, 3, 15]);
    expect(bumpInterval(undefined, 100)).toBe(15);
  });

  const before = { feeratePerKw: 2_000, height: 100 };
  const now = (height: number, feeratePerKw = 1_000, deadline: number | undefined = 150) => ({
    height,
    feeratePerKw,
    deadline,
    isContested: true,
  });

  it('when its time has come, for 1 sat/vB more at least', () => {
    expect(isBumpDue(before, 2_250, now(115))).toBe(true);
    expect(isBumpDue(before, 2_249, now(115))).toBe(false);
    expect(isBumpDue(before, 9_000, now(114))).toBe(false);
  });

  it('at once when the estimate is a quarter higher', () => {
    expect(isBumpDue(before, 2_500, now(101, 2_500))).toBe(true);
    expect(isBumpDue(before, 2_499, now(101, 2_499))).toBe(false);
    expect(isBumpDue(before, 2_500, { ...now(101, 2_500), isContested: false })).toBe(false);
  });
});
