import { expect, it } from 'vitest';
import { KeysManager } from '../../../../worker/engine/keys/keys-manager.ts';
import type { Claim } from '../../../../worker/engine/monitor/claims/claim.ts';
import { nextPackages, type ClaimPackage } from '../../../../worker/engine/monitor/claims/claim-package.ts';
import type { ClaimParts, CoinSelectionSource } from '../../../../worker/engine/monitor/claims/claim-transaction.ts';
import { nobleSecp256k1 as secp } from '../../../../worker/engine/primitives/secp256k1.ts';
import type { Outpoint, Transaction } from '../../../../worker/engine/transactions/transaction.ts';
import { PARAMS } from '../samples.ts';

const outpoint = (byte: number): Outpoint => ({ txid: new Uint8Array(32).fill(byte), vout: 0 });

/** Without another amount, worth less than any output has to be. */
const claim = (byte: number, amountSat = 100n): Claim => ({
  kind: 'revokedHtlc',
  outpoint: outpoint(byte),
  amountSat,
  script: new Uint8Array(34),
  validFrom: 1,
  deadline: undefined,
  format: 'anchors',
  perCommitmentSecret: new Uint8Array(32).fill(1),
  htlcScript: new Uint8Array(100),
});

const takes = (outpoints: readonly Outpoint[]): Transaction => ({
  version: 2,
  inputs: outpoints.map((each) => ({ ...each, sequence: 1, scriptSig: new Uint8Array(0), witness: [] })),
  outputs: [],
  locktime: 0,
});

const COIN = {
  ...outpoint(9),
  amountSat: 1_000n,
  branch: 'receive',
  index: 0,
  height: 1,
  coinbase: false,
  own: false,
  trusted: false,
} as const;

/** A wallet without a coin to spare, and what it was told of transactions. */
function coinSource(told: string[]): CoinSelectionSource {
  return {
    bump: () => {
      throw new Error('there is nothing to pay for');
    },
    valueSat: () => 0n,
    coinsSpentBy: () => [COIN],
    isConfirmed: () => false,
    transactionMade: () => void told.push('seen'),
    transactionDropped: () => void told.push('dropped'),
    lend: () => void told.push('lent'),
  };
}

const keys = new KeysManager(secp, new Uint8Array(64).fill(1), 'regtest');
const parts = (told: string[]): ClaimParts => ({
  signer: keys.deriveChannelSigner(PARAMS, PARAMS.fundingSat).claims,
  coins: coinSource(told),
  destinationScript: keys.destinationScript(),
});
const before: ClaimPackage = {
  outpoints: [outpoint(1), outpoint(2)],
  tx: takes([outpoint(2), outpoint(9)]),
  feeratePerKw: 1_000,
  height: 10,
  since: 10,
};

it('a package that cannot be made anew keeps its coins while its transaction is valid', () => {
  const after = (there: readonly Claim[]): string[] => {
    const told: string[] = [];
    const packages = nextPackages(parts(told), there, [before], { height: 12, feeratePerKw: 1_000 });
    expect(packages).toEqual([before]);
    return told;
  };
  // A reorganisation has brought back the first, which the transaction does not take.
  expect(after([claim(1), claim(2)]).at(-1)).toBe('seen');
  // The counterparty has taken what the transaction takes.
  expect(after([claim(1)]).at(-1)).toBe('dropped');
});

it('a transaction that is still valid makes way for none that pays less', () => {
  const dear = { ...before, feeratePerKw: 20_000 };
  const there = [claim(1, 2_000n), claim(2, 2_000n)];
  const after = (height: number, own: ClaimPackage): readonly ClaimPackage[] =>
    nextPackages(parts([]), there, [own], { height, feeratePerKw: 1_000 });
  expect(after(12, dear)).toEqual([dear]);
  // As soon as it is not, whatever gets the claims is better than nothing.
  const taken = { ...dear, tx: takes([outpoint(1), outpoint(2), outpoint(9)]), outpoints: dear.outpoints };
  const [again] = nextPackages(parts([]), [claim(1, 2_000n)], [taken], { height: 12, feeratePerKw: 1_000 });
  expect(again?.feeratePerKw).toBeLessThan(20_000);
  expect(again?.tx.inputs).toHaveLength(1);
});

it.each([
  // More than the budget of all together: half of what they bring.
  ['dear', { made: 1_000, now: 200_000 }],
  // What the others paid is more than the one has to pay by itself.
  ['usual', { made: 7_400, now: 9_400 }],
])(
  'an HTLC of much worth does not wait for those of little that expire with it, at a %s feerate',
  (_name, { made, now }) => {
    const deadline = 100;
    const large = { ...claim(1, 1_000_000n), deadline };
    const small = Array.from({ length: 40 }, (_, index) => ({ ...claim(index + 2, 3_000n), deadline }));
    const there = [...small, large];
    const [first, ...others] = nextPackages(parts([]), there, [], { height: 90, feeratePerKw: made });
    expect([first?.tx.inputs.length, others]).toEqual([41, []]);
    if (first === undefined) return;
    const [lean, ...rest] = nextPackages(parts([]), there, [first], { height: 91, feeratePerKw: now });
    expect(lean).toMatchObject({ outpoints: [large.outpoint], since: 90, height: 91 });
    expect(lean?.feeratePerKw).toBeGreaterThanOrEqual(now);
    expect(rest.map(({ tx }) => tx.inputs.length)).toEqual([40]);
    const paidSat = ({ tx }: ClaimPackage, broughtSat: bigint): bigint => broughtSat - (tx.outputs[0]?.amountSat ?? 0n);
    expect(paidSat(lean ?? first, 1_000_000n)).toBeGreaterThan(paidSat(first, 1_120_000n));
  },
);

it('a package keeps HTLCs of little worth where a replacement without them would cost more than what is left allows', () => {
  const deadline = 100;
  const large = { ...claim(1, 110_000n), deadline };
  const small = Array.from({ length: 40 }, (_, index) => ({ ...claim(index + 2, 2_500n), deadline }));
  const [first] = nextPackages(parts([]), [...small, large], [], { height: 90, feeratePerKw: 4_000 });
  const told = nextPackages(parts([]), [...small, large], first ? [first] : [], { height: 91, feeratePerKw: 10_000 });
  expect(told).toHaveLength(1);
  expect(told[0]?.tx.inputs).toHaveLength(41);
});
