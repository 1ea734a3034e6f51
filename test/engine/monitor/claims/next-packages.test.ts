import { describe, expect, it } from 'vitest';
import type { Claim, ClaimTerms } from '../../../../worker/engine/monitor/claims/claim.ts';
import {
  isLive,
  nextPackages,
  withoutSettled,
  type ClaimPackage,
} from '../../../../worker/engine/monitor/claims/claim-package.ts';
import { claimWeight } from '../../../../worker/engine/monitor/claims/claim-transaction.ts';
import { claimsOf } from '../../../../worker/engine/monitor/claims/claims.ts';
import { toHex } from '../../../../worker/engine/primitives/bytes.ts';
import { transactionId } from '../../../../worker/engine/transactions/transaction.ts';
import { KEYS, CLOSED_AT, closedBy, confirmed, htlcOf, keysManager, preimageOf, spending } from './closed.ts';
import { Coins } from './coins.ts';

const HEIGHT = 1_000;
const now = { height: HEIGHT, feeratePerKw: 1_000 };

/** What claims need to be signed; one with a deadline has a preimage, and one without waits for its lock time. */
const TERMS = {
  toRemote: (): ClaimTerms => ({ kind: 'toRemote', format: 'anchors' }),
  revokedHtlc: (): ClaimTerms => ({
    kind: 'revokedHtlc',
    format: 'anchors',
    perCommitmentSecret: new Uint8Array(32).fill(1),
    htlcScript: new Uint8Array(100),
  }),
  counterpartyHtlc: (deadline: number | undefined): ClaimTerms => ({
    kind: 'counterpartyHtlc',
    format: 'anchors',
    perCommitmentPoint: keysManager.paymentKey(0),
    htlcScript: new Uint8Array(100),
    paymentHash: new Uint8Array(32),
    cltvExpiry: HEIGHT,
    preimage: deadline === undefined ? undefined : preimageOf(1),
  }),
};

/** A claim that is valid in the next block, and worth 50,000 sat. */
const claim = (
  vout: number,
  kind: keyof typeof TERMS,
  over: Partial<Pick<Claim, 'validFrom' | 'deadline' | 'amountSat'>> = {},
): Claim => ({
  outpoint: { txid: new Uint8Array(32).fill(7), vout },
  amountSat: 50_000n,
  script: new Uint8Array(34),
  validFrom: HEIGHT + 1,
  deadline: undefined,
  ...over,
  ...TERMS[kind](over.deadline),
});

const vouts = (packages: readonly ClaimPackage[]): readonly (readonly number[])[] =>
  packages.map(({ outpoints }) => outpoints.map(({ vout }) => vout));

const made = (claims: readonly Claim[], before: readonly ClaimPackage[] = []): readonly ClaimPackage[] =>
  nextPackages(new Coins().parts, claims, before, now);

describe('claims are taken together', () => {
  it('where nobody else can take them, or all of them can be taken by the counterparty', () => {
    expect(vouts(made([claim(1, 'toRemote'), claim(2, 'revokedHtlc'), claim(3, 'toRemote')]))).toEqual([[1, 3], [2]]);
  });

  it('where the counterparty is as near to both: twelve blocks before its time it may act', () => {
    const pair = (blocks: number): readonly Claim[] => [
      claim(1, 'counterpartyHtlc', { deadline: HEIGHT + blocks }),
      claim(2, 'revokedHtlc', { deadline: HEIGHT + blocks }),
    ];
    expect(vouts(made(pair(12)))).toEqual([[1, 2]]);
    expect(vouts(made(pair(13)))).toEqual([[1], [2]]);
  });

  it('where they have one lock time', () => {
    const late = { ...claim(2, 'counterpartyHtlc'), cltvExpiry: HEIGHT - 1 };
    expect(vouts(made([claim(1, 'counterpartyHtlc'), late, claim(3, 'counterpartyHtlc')]))).toEqual([[1, 3], [2]]);
  });

  it('where they have one deadline, and the most urgent come first', () => {
    const claims = [
      claim(1, 'toRemote'),
      claim(2, 'revokedHtlc', { deadline: HEIGHT + 90 }),
      claim(3, 'revokedHtlc', { deadline: HEIGHT + 80 }),
      claim(4, 'revokedHtlc', { deadline: HEIGHT + 90 }),
    ];
    expect(vouts(made(claims))).toEqual([[3], [2, 4], [1]]);
  });

  it('a hundred at most', () => {
    const many = Array.from({ length: 201 }, (_, vout) => claim(vout, 'toRemote'));
    const packages = vouts(made(many));
    expect(packages.map(({ length }) => length)).toEqual([100, 100, 1]);
    expect(packages.flat()).toEqual(many.map((each) => each.outpoint.vout));
  });

  it('once the next block may hold them, and once each', () => {
    const [first, later] = [claim(1, 'toRemote'), claim(2, 'toRemote', { validFrom: HEIGHT + 2 })];
    const before = made([first, later]);
    expect(vouts(before)).toEqual([[1]]);
    expect(made([first, later], before)).toEqual(before);
    const next = { ...now, height: HEIGHT + 1 };
    expect(vouts(nextPackages(new Coins().parts, [first, later], before, next))).toEqual([[1], [2]]);
  });

  it('and what is not worth what it adds is tried alone, at what is right for it', () => {
    const deadline = HEIGHT + 100;
    const withSmall = (amountSat: bigint): readonly (readonly [number | undefined, number])[] => {
      const claims = [claim(1, 'revokedHtlc', { deadline }), claim(2, 'revokedHtlc', { deadline, amountSat })];
      const packages = nextPackages(new Coins().parts, claims, [], { ...now, feeratePerKw: 2_500 });
      return packages.map(({ feeratePerKw, outpoints: [first] }) => [first?.vout, feeratePerKw]);
    };
    expect(withSmall(300n)).toEqual([[1, 2_500]]);
    expect(withSmall(900n)).toEqual([
      [1, 2_500],
      [2, budget(claim(2, 'revokedHtlc', { deadline, amountSat: 900n }))],
    ]);
  });
});

it('a claim costs half of what it is worth at most, and a tenth where nobody else can take it', () => {
  const feerate = (each: Claim): number | undefined =>
    nextPackages(new Coins().parts, [each], [], { ...now, feeratePerKw: 90_000 })[0]?.feeratePerKw;
  const [safe, contested, later, sooner] = [
    claim(1, 'toRemote'),
    claim(2, 'revokedHtlc'),
    claim(3, 'counterpartyHtlc', { deadline: HEIGHT + 300 }),
    claim(4, 'counterpartyHtlc'),
  ];
  expect([safe, contested, later, sooner].map(feerate)).toEqual([
    budget(safe, 10n),
    budget(contested),
    budget(later),
    budget(sooner),
  ]);
});

/** A part of what a claim is worth, per 1,000 weight: half where nothing else is said. */
const budget = (each: Claim, part = 2n): number =>
  Number(((each.amountSat / part) * 1_000n) / BigInt(claimWeight([each], new Coins().parts.destinationScript)));

/** HTLCs to us in our commitment, whose preimages are known and which expire together. */
function holderHtlcs(...amountsSat: readonly bigint[]): readonly Claim[] {
  const htlcs = amountsSat.map((sat, index) => htlcOf(index + 1, 'inbound', sat, HEIGHT + 200));
  const { monitor } = closedBy('holder', 'anchors', htlcs);
  const preimages = new Map(htlcs.map(({ id, paymentHash }) => [toHex(paymentHash), preimageOf(Number(id))]));
  return claimsOf(KEYS, { ...monitor, preimages }).filter(({ kind }) => kind === 'holderHtlc');
}

const amounts = (packages: readonly ClaimPackage[], claims: readonly Claim[]): readonly (readonly bigint[])[] =>
  packages.map(({ outpoints }) =>
    outpoints.map(({ vout }) => claims.find((each) => each.outpoint.vout === vout)?.amountSat ?? 0n),
  );

describe('HTLC transactions that coins pay for', () => {
  const claims = holderHtlcs(30_000n, 50_000n, 40_000n);

  it('are one, which keeps its coins', () => {
    const coins = new Coins();
    const [each, ...others] = nextPackages(coins.parts, claims, [], now);
    expect(others).toEqual([]);
    expect(each?.tx.inputs).toHaveLength(4);
    expect(coins.told).toEqual([`seen ${coins.nameOf(each)}`]);
  });

  it('are made one by one where coins do not suffice for all, the most valuable first', () => {
    const coins = new Coins();
    coins.mostClaims = 1;
    const packages = nextPackages(coins.parts, claims, [], now);
    expect(amounts(packages, claims)).toEqual([[50_000n], [40_000n], [30_000n]]);
    coins.mostClaims = 0;
    expect(nextPackages(coins.parts, claims, [], now)).toEqual([]);
  });

  it('pay as much as coins suffice for, each alone where that is less than the estimate', () => {
    const urgent = { ...now, height: HEIGHT + 150 };
    const feerates = (mostPerKw: number): readonly number[] => {
      const coins = new Coins();
      coins.mostPerKw = mostPerKw;
      return nextPackages(coins.parts, claims, [], urgent).map(({ feeratePerKw }) => feeratePerKw);
    };
    expect(feerates(1_000)).toEqual([1_000]);
    expect([253, 252].map(feerates)).toEqual([[253, 253, 253], []]);
    for (const [most, least, count] of [
      [999, 253, 3],
      [400, 253, 3],
    ] as const) {
      expect(feerates(most)).toHaveLength(count);
      for (const each of feerates(most))
        expect([each <= most, 2 * (each - least) + 250 >= most - least]).toEqual([true, true]);
    }
  });

  it('lend their coins where they are not worth the estimate', () => {
    const small = holderHtlcs(2_000n);
    const coins = new Coins();
    const dear = { ...now, feeratePerKw: 2_000 };
    const packages = nextPackages(coins.parts, small, [], dear);
    const [own] = packages;
    expect(packages).toHaveLength(1);
    expect(coins.told).toEqual([`seen ${coins.nameOf(own)}`]);
    // The coin of these tests is worth 100,000 sat.
    const feeSat = 102_000n - (own?.tx.outputs.reduce((sum, { amountSat }) => sum + amountSat, 0n) ?? 0n);
    expect(coins.lent).toMatchObject([{ txid: own && transactionId(own.tx), feeSat, feeratePerKw: 2_000 }]);
    const [each] = small;
    const most = each === undefined ? 0 : budget(each);
    const lent = (feeratePerKw: number): number => {
      const { parts, lent: found } = new Coins();
      nextPackages(parts, small, [], { ...now, feeratePerKw });
      return found.length;
    };
    expect([most, most + 1].map(lent)).toEqual([0, 1]);
    expect(nextPackages(coins.parts, small, packages, { ...dear, feeratePerKw: 3_000 })).toEqual(packages);
    expect(coins.lent[1]).toEqual({ ...coins.lent[0], feeratePerKw: 3_000 });
  });

  it('take coins after those that are worth the estimate, and alone, where they are not worth it', () => {
    const small = holderHtlcs(4_000n, 3_000n).map((each) => ({ ...each, deadline: HEIGHT + 100 }));
    const both = [...small, ...claims.map((each) => ({ ...each, outpoint: { ...each.outpoint, vout: 99 } }))];
    const packages = nextPackages(new Coins().parts, both.slice(0, 3), [], { ...now, feeratePerKw: 3_000 });
    expect(packages.map(({ outpoints }) => outpoints)).toEqual(
      [both[2], both[1], both[0]].map((each) => [each?.outpoint]),
    );
  });

  it('take their coins again where the mempool is said to have dropped them, or others', () => {
    const coins = new Coins();
    const packages = nextPackages(coins.parts, claims, [], now);
    const [name] = packages.map((each) => coins.nameOf(each));
    coins.transactionDropped(transactionId(packages[0]?.tx ?? spending(closedBy('holder').commitment.tx, [])));
    coins.told.length = 0;
    expect(nextPackages(coins.parts, claims, packages, { ...now, height: HEIGHT + 1 })).toEqual(packages);
    expect(coins.told).toEqual([`seen ${name}`]);
    coins.gone.add(name ?? '');
    const [other] = nextPackages(coins.parts, claims, packages, { ...now, height: HEIGHT + 1 });
    expect(coins.nameOf(other)).not.toBe(name);
    expect(other).toMatchObject({ since: HEIGHT, height: HEIGHT + 1 });
  });

  it('make way for dearer ones with the coins of before, or as much dearer as coins suffice for', () => {
    const coins = new Coins();
    const packages = nextPackages(coins.parts, claims, [], now);
    const [first] = packages;
    const bumped = (mostPerKw: number): ClaimPackage | undefined => {
      coins.mostPerKw = mostPerKw;
      coins.told.length = 0;
      return nextPackages(coins.parts, claims, packages, { height: HEIGHT + 1, feeratePerKw: 3_000 })[0];
    };
    const next = bumped(100_000);
    expect(next).toMatchObject({ height: HEIGHT + 1, since: HEIGHT, outpoints: first?.outpoints });
    expect(next?.feeratePerKw).toBeGreaterThanOrEqual(3_000);
    expect(coins.replaced.at(-1)).toBe(coins.nameOf(first));
    expect(coins.told).toEqual([`dropped ${coins.nameOf(first)}`, `seen ${coins.nameOf(next)}`]);
    const wanted = next?.feeratePerKw ?? 0;
    expect(bumped(wanted - 1)?.feeratePerKw).toBe(Math.floor((wanted + 1_250) / 2));
    expect(bumped(1_800)?.feeratePerKw).toBeGreaterThan(1_250);
    expect(bumped(1_250)?.feeratePerKw).toBe(1_250);
    expect(bumped(1_249)).toEqual(first);
  });

  it('without anchors are never made again', () => {
    const { monitor } = closedBy('holder', 'static_remotekey');
    const fixed = claimsOf(KEYS, monitor).filter(({ kind }) => kind === 'holderHtlc');
    const coins = new Coins();
    const packages = nextPackages(coins.parts, fixed, [], { height: 500, feeratePerKw: 1_000 });
    expect(vouts(packages).map(({ length }) => length)).toEqual([1, 1]);
    expect(nextPackages(coins.parts, fixed, packages, { height: 590, feeratePerKw: 9_000 })).toEqual(packages);
  });
});

describe('of what is taken together', () => {
  const [first, second] = [claim(1, 'revokedHtlc'), claim(2, 'revokedHtlc')];

  it('what is left is taken anew where another has taken some of it, and its fee does not start anew', () => {
    const packages = made([first, second]).map((each) => ({ ...each, feeratePerKw: 3_000 }));
    const [left] = nextPackages(new Coins().parts, [second], packages, { ...now, height: HEIGHT + 1 });
    expect(left?.tx.inputs.map(({ vout }) => vout)).toEqual([2]);
    expect(left).toMatchObject({ feeratePerKw: 3_000, since: HEIGHT, height: HEIGHT + 1 });
    expect(left?.outpoints).toEqual(packages[0]?.outpoints);
  });

  it('all is taken again where a reorganisation brings some of it back, for more than before', () => {
    const packages = made([first, second]);
    const one = nextPackages(new Coins().parts, [second], packages, now);
    const [both] = nextPackages(new Coins().parts, [first, second], one, { ...now, height: HEIGHT + 1 });
    expect(both?.tx.inputs.map(({ vout }) => vout)).toEqual([1, 2]);
    expect(both?.feeratePerKw).toBe(1_250);
  });

  it('nothing changes while some has to wait again, or nothing is left', () => {
    const packages = made([first, second]);
    const waiting = { ...second, validFrom: HEIGHT + 5 };
    expect(made([first, waiting], packages)).toEqual(packages);
    expect(made([], packages)).toEqual(packages);
    const [each] = packages;
    const live = (...claims: readonly Claim[]): boolean => each !== undefined && isLive(each, claims, HEIGHT);
    expect([live(first, second), live(first, waiting), live(first)]).toEqual([true, false, false]);
  });
});

describe('packages are over', () => {
  const { monitor, commitment } = closedBy('counterparty');
  const claims = claimsOf(KEYS, monitor).filter(({ kind }) => kind === 'toRemote');
  const packages = nextPackages(new Coins().parts, claims, [], { height: 401, feeratePerKw: 1_000 });
  const [vout = 0] = claims.map((each) => each.outpoint.vout);
  const left = (own: Parameters<typeof withoutSettled>[2], ...heights: readonly number[]): readonly number[] =>
    heights.map((height) => withoutSettled(new Coins().parts, packages, own, height).length);

  it('six blocks after all that they take was taken', () => {
    const taken = { ...monitor, outputSpends: [confirmed(spending(commitment.tx, [vout]), 405)] };
    expect(left(taken, 409, 410)).toEqual([1, 0]);
    expect(left(monitor, 10_000)).toEqual([1]);
    const coins = new Coins();
    withoutSettled(coins.parts, packages, taken, 410);
    expect(coins.told).toEqual([`dropped ${coins.nameOf(packages[0])}`]);
    coins.told.length = 0;
    coins.confirmed.add(coins.nameOf(packages[0]));
    withoutSettled(coins.parts, packages, taken, 410);
    expect(coins.told).toEqual([]);
  });

  it('not while some of it is left', () => {
    const other = { txid: transactionId(commitment.tx), vout: 99 };
    const two = packages.map((each) => ({ ...each, outpoints: [...each.outpoints, other] }));
    const taken = { ...monitor, outputSpends: [confirmed(spending(commitment.tx, [vout]), 405)] };
    expect(withoutSettled(new Coins().parts, two, taken, 10_000)).toHaveLength(1);
  });

  it('six blocks after another commitment was confirmed in the place of theirs', () => {
    const other = closedBy('holder').monitor;
    expect(left(other, CLOSED_AT + 4, CLOSED_AT + 5)).toEqual([1, 0]);
    expect(left({ ...other, confirmedSpend: undefined }, 10_000)).toEqual([1]);
    // What they take may be what was made out of the commitment.
    const { confirmedSpend } = other;
    const deep = confirmedSpend && { ...confirmedSpend, height: 1 };
    expect(left({ confirmedSpend: deep, outputSpends: [confirmed(commitment.tx, 500)] }, 10_000)).toEqual([1]);
  });
});

describe('HTLCs of little worth that expire with one of much', () => {
  const deadline = HEIGHT + 12;
  const all = holderHtlcs(200_000n, 3_000n, 3_000n, 3_000n, 3_000n, 3_000n, 3_000n).map((each) => ({
    ...each,
    deadline,
  }));
  const large = all.find(({ amountSat }) => amountSat === 200_000n);
  if (large === undefined) throw new Error('there is an HTLC');

  it('are left out where coins do not suffice for all, and it pays as much as they suffice for alone', () => {
    const coins = new Coins();
    coins.mostInAll = 17_000;
    let packages = nextPackages(coins.parts, all, [], { height: HEIGHT, feeratePerKw: 2_500 });
    for (let height = HEIGHT + 1; height < deadline; height++)
      packages = nextPackages(coins.parts, all, packages, { height, feeratePerKw: 2_500 });
    const own = packages.find(({ outpoints }) => outpoints.some(({ vout }) => vout === large.outpoint.vout));
    expect(own?.outpoints).toEqual([large.outpoint]);
    expect(own?.feeratePerKw).toBeGreaterThan(10_000);
  });

  it('leave it the coins of their transaction, which its own takes the place of', () => {
    const coins = new Coins();
    const [first] = nextPackages(coins.parts, all, [], { height: HEIGHT, feeratePerKw: 1_000 });
    expect(first?.outpoints).toHaveLength(7);
    const [alone] = nextPackages(coins.parts, all, first ? [first] : [], { height: HEIGHT + 1, feeratePerKw: 20_000 });
    expect(alone?.outpoints).toEqual([large.outpoint]);
    expect(coins.replaced).toContain(coins.nameOf(first));
    expect(coins.told.slice(0, 3)).toEqual([
      `seen ${coins.nameOf(first)}`,
      `dropped ${coins.nameOf(first)}`,
      `seen ${coins.nameOf(alone)}`,
    ]);
  });
});
