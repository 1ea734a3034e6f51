import { expect, it } from 'vitest';
import { KeysManager } from '../../../../worker/engine/keys/keys-manager.ts';
import type { Claim } from '../../../../worker/engine/monitor/claims/claim.ts';
import { nextPackages, type ClaimPackage } from '../../../../worker/engine/monitor/claims/claim-package.ts';
import type { ClaimParts, CoinSource } from '../../../../worker/engine/monitor/claims/claim-transaction.ts';
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

/** A wallet without a coin to spare, and what it was told of transactions. */
function coinSource(told: string[]): CoinSource {
  return {
    bump: () => {
      throw new Error('there is nothing to pay for');
    },
    coinsSpentBy: () => [],
    isConfirmed: () => false,
    transactionSeen: () => void told.push('seen'),
    transactionDropped: () => void told.push('dropped'),
  };
}

const keys = new KeysManager(secp, new Uint8Array(64).fill(1), 'regtest');
const parts = (told: string[]): ClaimParts => ({
  signer: keys.deriveChannelSigner(0, PARAMS.fundingSat).claims,
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
