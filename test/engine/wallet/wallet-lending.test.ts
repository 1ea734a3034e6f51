import { beforeEach, describe, expect, it } from 'vitest';
import { mnemonicSeed } from '../../../worker/engine/keys/mnemonic.ts';
import { concat } from '../../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import { transactionId, transactionWeight, type Transaction } from '../../../worker/engine/transactions/transaction.ts';
import { scriptOfAddress } from '../../../worker/engine/wallet/address.ts';
import { feeForWeight } from '../../../worker/engine/wallet/coin-selection.ts';
import { isSameOutpoint, type Coin } from '../../../worker/engine/wallet/coin.ts';
import { Descriptors } from '../../../worker/engine/wallet/descriptors.ts';
import { EMPTY_WALLET, missingSat } from '../../../worker/engine/wallet/wallet-state.ts';
import type { BumpRequest, WalletTransaction } from '../../../worker/engine/wallet/wallet-transaction.ts';
import { OnchainWallet } from '../../../worker/engine/wallet/wallet.ts';
import { paidFrom } from './paid.ts';

const descriptors = new Descriptors(mnemonicSeed('abandon '.repeat(11) + 'about'), 'regtest');
const elsewhere = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const p2wsh = concat(Uint8Array.of(0, 32), new Uint8Array(32).fill(7));
const WITNESS_WEIGHT = 290;
let wallet: OnchainWallet;
let made = 0;

beforeEach(() => {
  made = 0;
  wallet = new OnchainWallet(secp, descriptors);
  wallet.bestBlockUpdated(1000);
});

function receive(amountSat: bigint): void {
  const txid = new Uint8Array(32).fill(0xaa).with(0, ++made);
  wallet.transactionConfirmed(
    {
      version: 2,
      inputs: [{ txid, vout: 0, sequence: 0, scriptSig: new Uint8Array(0), witness: [] }],
      outputs: [{ amountSat, script: scriptOfAddress(wallet.newAddress(), 'regtest') }],
      locktime: 0,
    },
    1000,
  );
}

/** HTLC transactions of a package, each with as much as it brings. */
function htlcs(first: number, feeratePerKw: number, count = 1): BumpRequest {
  const each = Array.from({ length: count }, (_, vout) => vout + first);
  const txid = new Uint8Array(32).fill(0x55);
  const outputs = each.map(() => ({ amountSat: 5_000n, script: p2wsh }));
  return {
    tx: {
      version: 2,
      inputs: each.map((vout) => ({ txid, vout, sequence: 1, scriptSig: new Uint8Array(0), witness: [] })),
      outputs,
      locktime: 0,
    },
    prevouts: outputs,
    witnessWeight: WITNESS_WEIGHT * count,
    feeratePerKw,
    mostSat: 1_000_000n,
  };
}

/** Made, kept and lent, as what is not worth the estimate is. */
function lent(request: BumpRequest, estimatePerKw: number): WalletTransaction {
  const small = wallet.bump(request);
  wallet.transactionSeen(small.tx);
  const { txid, feeSat } = small;
  wallet.lend({ txid, weight: transactionWeight(small.tx) + WITNESS_WEIGHT, feeSat, feeratePerKw: estimatePerKw });
  return small;
}

const conflicts = (a: Transaction, b: Transaction): boolean =>
  a.inputs.some((input) => b.inputs.some((other) => isSameOutpoint(input, other)));

describe('what takes lent coins (BIP 125)', () => {
  it('pays the fees of all that it takes the place of', () => {
    receive(3_000n);
    const first = lent(htlcs(1, 1_950), 2_000);
    receive(3_000n);
    const second = lent(htlcs(2, 1_950), 2_000);
    const next = wallet.bump(htlcs(3, 2_000, 3));
    const displaced = [first, second].filter(({ tx }) => conflicts(tx, next.tx));
    const feesSat = displaced.reduce((sum, { feeSat }) => sum + feeSat, 0n);
    expect(displaced).toHaveLength(2);
    expect(next.feeSat).toBeGreaterThanOrEqual(feesSat + BigInt(transactionWeight(next.tx)) / 4n);
  });

  it('adds no input that is not confirmed and was not there before', () => {
    receive(16_000n);
    const { tx: payment } = paidFrom(wallet, elsewhere, 10_000n, { feeratePerKw: 2_000, reserveSat: 0n });
    receive(6_000n);
    const small = lent(htlcs(1, 1_000), 2_000);
    const next = wallet.bump(htlcs(2, 2_000, 4));
    expect(conflicts(next.tx, small.tx)).toBe(true);
    expect(next.tx.inputs.filter(({ txid }) => txid.join() === transactionId(payment).join())).toEqual([]);
  });

  it('pays a higher feerate than what it takes the place of', () => {
    receive(60_000n);
    const small = lent(htlcs(1, 2_500), 2_000);
    const next = wallet.bump(htlcs(2, 2_000, 10));
    expect(conflicts(next.tx, small.tx)).toBe(true);
    const perKw = ({ tx, feeSat }: WalletTransaction, count: number): number =>
      (Number(feeSat) * 1_000) / (transactionWeight(tx) + WITNESS_WEIGHT * count);
    expect(perKw(next, 10)).toBeGreaterThan(perKw(small, 1));
  });

  it('takes its own coins once where it is what they are lent to', () => {
    receive(2_500n);
    const small = lent(htlcs(1, 1_000), 2_000);
    expect(() => wallet.bump({ ...htlcs(1, 2_000, 2), replaces: small })).toThrow(
      expect.objectContaining({ code: 'InsufficientFunds' }),
    );
  });

  it('pays for itself once where it is what the coins are lent to', () => {
    receive(100_000n);
    const small = lent(htlcs(1, 500), 5_000);
    const { tx, feeSat } = wallet.bump({ ...htlcs(1, 1_000), replaces: small });
    expect(feeSat).toBeLessThanOrEqual(BigInt(transactionWeight(tx) + WITNESS_WEIGHT + 3));
  });

  it('pays for what the owner has made of it, too, after a reorganisation', () => {
    receive(100_000n);
    const small = lent(htlcs(1, 500), 2_000);
    wallet.transactionConfirmed(small.tx, 1001);
    const payment = paidFrom(wallet, elsewhere, 'all', { feeratePerKw: 20_000, reserveSat: 0n });
    wallet.transactionUnconfirmed(small.txid);
    try {
      const next = wallet.bump(htlcs(2, 2_000));
      expect(next.feeSat).toBeGreaterThan(small.feeSat + payment.feeSat);
    } catch (error) {
      expect(error).toMatchObject({ code: 'InsufficientFunds' });
    }
  });
});

describe('coins of one unconfirmed transaction', () => {
  it('pay once for what it lacks', () => {
    receive(60_000n);
    const payment = paidFrom(wallet, elsewhere, 10_000n, {
      feeratePerKw: 253,
      reserveSat: 48_000n,
      reserveCoinSat: 12_000n,
    });
    const next = wallet.bump(htlcs(1, 3_000, 3));
    const spent = next.tx.inputs.filter(({ txid }) => txid.join() === payment.txid.join()).length;
    expect(spent).toBe(1);
    const lackingSat = BigInt(transactionWeight(payment.tx)) * 3n - payment.feeSat;
    const ownSat = BigInt(transactionWeight(next.tx) + WITNESS_WEIGHT * 3) * 3n;
    expect(next.feeSat).toBeLessThanOrEqual(ownSat + lackingSat + 300n);
  });

  it('are looked at once, whatever was made of them', () => {
    const [layers, outputs] = [10, 4];
    const txid = (layer: number): Uint8Array => new Uint8Array(32).fill(layer + 1);
    const coins = Array.from({ length: layers }, (_, layer) =>
      Array.from({ length: outputs }, (_each, vout): Coin => ({
        txid: txid(layer),
        vout,
        amountSat: 10_000n,
        branch: 'change',
        index: 0,
        coinbase: false,
        own: true,
        trusted: true,
        made: { weight: 1_000, feeSat: 253n },
        ...(layer + 1 < layers ? { spentBy: { txid: txid(layer + 1) } } : {}),
      })),
    ).flat();
    let looks = 0;
    const state = {
      ...EMPTY_WALLET,
      get coins() {
        looks++;
        return coins;
      },
    };
    const last = coins.at(-1);
    if (last !== undefined) missingSat(state, [last], 2_000);
    expect(looks).toBeLessThanOrEqual(layers * outputs);
  });
});

describe('what there is to pay with', () => {
  /** As `isClaimableOnChain` asks, before a preimage is given away: HTLC-success with a coin and its change. */
  const isSaidToSuffice = (feeratePerKw: number): boolean =>
    wallet.valueSat(feeratePerKw) >= feeForWeight(703 + 272 + 124, feeratePerKw);
  const suffices = (request: BumpRequest): boolean => {
    const before = wallet.state;
    try {
      wallet.bump(request);
      wallet.rollBack(before);
      return true;
    } catch (error) {
      expect(error).toMatchObject({ code: 'InsufficientFunds' });
      expect(wallet.state).toBe(before);
      return false;
    }
  };
  const renew = (): void => {
    wallet = new OnchainWallet(secp, descriptors);
    wallet.bestBlockUpdated(1000);
  };

  it.each([20_000, 300])('are all coins of a payment that is not confirmed, whatever that paid: %i', (feeratePerKw) => {
    receive(400_000n);
    paidFrom(wallet, elsewhere, 300_000n, { feeratePerKw, reserveSat: 60_000n, reserveCoinSat: 15_000n });
    const parent = { weight: 1_812, feeSat: 300n };
    const { tx, feeSat } = wallet.bump({ ...htlcs(1, 20_000), parent });
    expect(tx.inputs.length).toBeGreaterThan(2);
    // The parents are paid for once, and nothing is given away.
    const weight = transactionWeight(tx) + WITNESS_WEIGHT;
    const payment = wallet.state.coins.find(({ made: paid }) => paid !== undefined)?.made;
    const least = feeForWeight(weight + parent.weight, 20_000) - parent.feeSat;
    const lacks = feeForWeight(payment?.weight ?? 0, 20_000) - (payment?.feeSat ?? 0n);
    expect(Number(feeSat - least - (lacks > 0n ? lacks : 0n))).toBeLessThan(1_000);
    expect(feeSat).toBeGreaterThanOrEqual(least);
  });

  it('is no more than what may be taken, where coins are lent to a transaction of two', () => {
    receive(2_000n);
    receive(3_000n);
    lent(htlcs(1, 1_990, 2), 2_000);
    if (isSaidToSuffice(2_000)) expect(suffices(htlcs(5, 2_000))).toBe(true);
  });

  it('is no more than what may be taken, where one is lent and another not confirmed', () => {
    for (let coin = 5_000n; coin < 8_600n; coin += 400n)
      for (let change = 5_000n; change < 8_600n; change += 400n) {
        renew();
        receive(coin);
        lent(htlcs(1, 1_990), 2_000);
        receive(change + 14_496n);
        paidFrom(wallet, elsewhere, 10_000n, { feeratePerKw: 8_000, reserveSat: 0n });
        expect([coin, change, isSaidToSuffice(8_000) && !suffices(htlcs(5, 8_000))]).toEqual([coin, change, false]);
      }
  });

  it.each([2_000, 4_000, 8_000])(
    'is no more than what may be taken, where what is lent is not confirmed (%i)',
    (rate) => {
      for (let amount = 12_000n; amount < 24_000n; amount += 300n) {
        renew();
        receive(amount);
        paidFrom(wallet, elsewhere, 10_000n, { feeratePerKw: 253, reserveSat: 0n });
        if (!suffices(htlcs(1, 1_000))) continue;
        lent(htlcs(1, 1_000), 2_000);
        expect([amount, isSaidToSuffice(rate) && !suffices(htlcs(5, rate))]).toEqual([amount, false]);
      }
    },
  );

  it('is not what is lent and in no block any more, nor what would take the place of a spent change', () => {
    receive(60_000n);
    const payment = paidFrom(wallet, elsewhere, 10_000n, { feeratePerKw: 2_000, reserveSat: 0n });
    wallet.transactionConfirmed(payment.tx, 1000);
    const small = lent(htlcs(1, 1_000), 2_000);
    expect(suffices(htlcs(5, 2_000))).toBe(true);
    wallet.transactionUnconfirmed(payment.txid);
    expect([suffices(htlcs(5, 2_000)), wallet.valueSat(2_000)]).toEqual([false, 0n]);
    wallet.transactionConfirmed(payment.tx, 1000);
    wallet.transactionConfirmed(small.tx, 1000);
    paidFrom(wallet, elsewhere, 10_000n, { feeratePerKw: 2_000, reserveSat: 0n });
    wallet.transactionUnconfirmed(small.txid);
    expect(suffices({ ...htlcs(1, 4_000), replaces: small })).toBe(false);
  });

  it('is found with few attempts, however much is lent', () => {
    let signatures = 0;
    const counting = new Proxy(secp, {
      get: (target, key) =>
        key === 'signLowR'
          ? (...given: Parameters<typeof secp.signLowR>) => (signatures++, target.signLowR(...given))
          : (Reflect.get(target, key) as unknown),
    });
    wallet = new OnchainWallet(counting, descriptors);
    wallet.bestBlockUpdated(1000);
    for (let name = 0; name < 64; name++) {
      receive(3_000n);
      lent(htlcs(name, 1_990), 2_000);
    }
    signatures = 0;
    expect(suffices({ ...htlcs(100, 2_000), mostSat: 100n })).toBe(false);
    expect(signatures).toBeLessThan(64);
  });
});

it('change in several coins leaves the reserve that it was asked for', () => {
  receive(300_000n);
  const feeratePerKw = 10_000;
  paidFrom(wallet, elsewhere, 'all', { feeratePerKw, reserveSat: 75_000n, reserveCoinSat: 25_000n });
  expect(wallet.valueSat(feeratePerKw)).toBeGreaterThanOrEqual(75_000n);
});

it('coins that are lent are worth no more than what may take them', () => {
  receive(2_250n);
  lent(htlcs(1, 1_990), 2_000);
  const feeratePerKw = 2_000;
  // As `isClaimableOnChain` asks, before a preimage is given away: HTLC-success with a coin and its change.
  const isEnough = wallet.valueSat(feeratePerKw) >= feeForWeight(703 + 272 + 124, feeratePerKw);
  if (isEnough) expect(() => wallet.bump(htlcs(2, feeratePerKw))).not.toThrow();
});

it('what cannot be afforded hands out no change scripts', () => {
  receive(100_000n);
  const { cursors } = wallet.state;
  expect(() => wallet.bump({ ...htlcs(1, 2_000), mostSat: 100n })).toThrow();
  expect(wallet.state.cursors).toEqual(cursors);
});
