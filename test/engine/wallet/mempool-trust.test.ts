import { beforeEach, describe, expect, it } from 'vitest';
import { mnemonicSeed } from '../../../worker/engine/keys/mnemonic.ts';
import { nobleSecp256k1, type Secp256k1 } from '../../../worker/engine/primitives/secp256k1.ts';
import { transactionId, withWitness, type Transaction } from '../../../worker/engine/transactions/transaction.ts';
import { signCoins } from '../../../worker/engine/wallet/coin-signing.ts';
import { Descriptors, type Branch } from '../../../worker/engine/wallet/descriptors.ts';
import { OnchainWallet, type WalletBalance } from '../../../worker/engine/wallet/wallet.ts';
import { paidFrom } from './paid.ts';

const seed = mnemonicSeed('abandon '.repeat(11) + 'about');
const descriptors = new Descriptors(seed, 'regtest');
const ELSEWHERE = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const TERMS = { feeratePerKw: 1000, reserveSat: 0n };
let checks = 0;
const secp: Secp256k1 = { ...nobleSecp256k1, verify: (...args) => (checks++, nobleSecp256k1.verify(...args)) };
let wallet: OnchainWallet;
/** Another device with the same words and coins. */
let device: OnchainWallet;
let made = 0;

beforeEach(() => {
  made = 0;
  wallet = new OnchainWallet(secp, descriptors);
  device = new OnchainWallet(nobleSecp256k1, new Descriptors(seed, 'regtest'));
});

const input = (txid: Uint8Array, vout = 0): Transaction['inputs'][number] => ({
  txid,
  vout,
  sequence: 0xffff_fffd,
  scriptSig: new Uint8Array(0),
  witness: [],
});

const paying = (amountSat: bigint, branch: Branch, index: number, ...inputs: Transaction['inputs']): Transaction => ({
  version: 2,
  inputs,
  outputs: [{ amountSat, script: descriptors.script({ branch, index }) }],
  locktime: 0,
});

const foreign = (amountSat: bigint, branch: Branch = 'receive', index = 0): Transaction =>
  paying(amountSat, branch, index, input(new Uint8Array(32).fill(0xaa).with(0, ++made)));

/** A coin that both know, in a block. */
function coin(amountSat: bigint, branch: Branch = 'receive', index = 0): Uint8Array {
  const tx = foreign(amountSat, branch, index);
  for (const each of [wallet, device]) each.transactionConfirmed(tx, 100);
  return transactionId(tx);
}

/** With the first witness element's bytes changed at a place. */
function tampered(tx: Transaction, at: number): Transaction {
  const [signature = new Uint8Array(0), ...others] = tx.inputs[0]?.witness ?? [];
  return withWitness(tx, 0, [signature.with(at, (signature[at] ?? 0) ^ 1), ...others]);
}

const signed = (tx: Transaction): Transaction => signCoins(nobleSecp256k1, descriptors, tx, wallet.state.coins, []);

const seen = (tx: Transaction): WalletBalance => {
  wallet.transactionSeen(tx);
  return wallet.balance(0n, 0);
};

describe('a transaction in the mempool that spends coins of the wallet', () => {
  it.each<[string, Branch]>([
    ['P2WPKH', 'receive'],
    ['taproot', 'taproot'],
    ['taproot change', 'taprootChange'],
  ])('counts where another device has signed it: %s', (_name, branch) => {
    coin(60_000n, branch, 0);
    coin(50_000n, branch, 1);
    const { tx, feeSat } = paidFrom(device, ELSEWHERE, 90_000n, TERMS);
    expect(seen(tx)).toMatchObject({
      confirmedSat: 0n,
      unconfirmedSat: 20_000n - feeSat,
      spendableSat: 20_000n - feeSat,
    });
  });

  it.each<[string, (tx: Transaction) => Transaction]>([
    ['a wrong signature', (tx) => tampered(tx, 20)],
    ['a signature of another kind', (tx) => tampered(tx, (tx.inputs[0]?.witness[0]?.length ?? 0) - 1)],
    ['no signature', (tx) => withWitness(tx, 0, [])],
    ['something that is no signature', (tx) => withWitness(tx, 0, [Uint8Array.of(1), new Uint8Array(33)])],
    [
      'the key of another',
      (tx) => withWitness(tx, 0, [tx.inputs[0]?.witness[0] ?? seed, device.state.coins[0]?.txid ?? seed]),
    ],
    [
      'a script beside the witness, which gives it another id',
      (tx) => ({ ...tx, inputs: tx.inputs.map((each) => ({ ...each, scriptSig: Uint8Array.of(0) })) }),
    ],
    ['more outputs than were signed', (tx) => ({ ...tx, outputs: [...tx.outputs, ...foreign(1n).outputs] })],
  ])('is not there for the wallet with %s', (_name, change) => {
    for (const branch of ['receive', 'taproot'] as const) {
      coin(100_000n, branch);
      const before = wallet.state;
      seen(change(paidFrom(device, ELSEWHERE, 'all', TERMS).tx));
      expect(wallet.state).toBe(before);
    }
  });

  it('is not there where it makes more than it spends, and nobody checks a signature for it', () => {
    const txid = coin(100_000n);
    checks = 0;
    expect(seen(paying(2_000_000_000_000n, 'receive', 1, input(txid)))).toMatchObject({ spendableSat: 100_000n });
    expect(seen(paying(2_100_000_000_000_001n, 'receive', 1, input(new Uint8Array(32)))).unconfirmedSat).toBe(0n);
    expect(checks).toBe(0);
  });

  it('is not there where only some of its inputs are signed', () => {
    coin(60_000n, 'receive', 0);
    coin(50_000n, 'receive', 1);
    const { tx } = paidFrom(device, ELSEWHERE, 'all', TERMS);
    expect(seen(withWitness(tx, 1, []))).toMatchObject({ spendableSat: 110_000n });
  });

  it('spends a coin that it did not spend yet when it was seen first, if it is signed', () => {
    const from = foreign(100_000n);
    const invented = paying(90_000n, 'receive', 1, input(transactionId(from)));
    expect(seen(invented)).toMatchObject({ unconfirmedSat: 90_000n, spendableSat: 0n });
    wallet.transactionConfirmed(from, 100);
    expect(seen(invented)).toMatchObject({ unconfirmedSat: 90_000n, spendableSat: 100_000n });
  });

  it('brings nothing to spend with another’s input beside ours, nor from what others have still to pay', () => {
    const txid = coin(100_000n);
    const shared = paying(500_000n, 'change', 0, input(txid), input(new Uint8Array(32).fill(9)));
    const ours = signed(shared);
    expect(seen(ours)).toMatchObject({ confirmedSat: 0n, unconfirmedSat: 500_000n, spendableSat: 0n });
    wallet.transactionDropped(transactionId(ours));
    wallet.transactionSeen(foreign(70_000n, 'receive', 3));
    const unpaid = wallet.state.coins.find(({ height }) => height === undefined);
    const onwards = signed(paying(60_000n, 'change', 1, input(unpaid?.txid ?? txid)));
    expect(seen(onwards)).toMatchObject({ confirmedSat: 100_000n, unconfirmedSat: 60_000n, spendableSat: 100_000n });
  });

  it.each(['legacy', 'nested'] as const)('of %s coins counts once it is in a block', (branch) => {
    const spending = paying(90_000n, 'receive', 7, input(coin(100_000n, branch)));
    expect(seen(signed(spending))).toMatchObject({ foundSat: 100_000n, unconfirmedSat: 0n });
    wallet.transactionConfirmed(spending, 101);
    expect(wallet.balance(0n, 0)).toMatchObject({ foundSat: 0n, confirmedSat: 90_000n });
  });

  it('is checked once', () => {
    coin(100_000n);
    const { tx } = paidFrom(device, ELSEWHERE, 30_000n, TERMS);
    checks = 0;
    for (let times = 0; times < 3; times++) seen(tx);
    expect(checks).toBe(1);
  });

  it('is not checked where this wallet has made it', () => {
    coin(100_000n);
    checks = 0;
    seen(paidFrom(wallet, ELSEWHERE, 30_000n, TERMS).tx);
    expect(checks).toBe(0);
  });
});

describe('a transaction of a block', () => {
  it('that a server has in its mempool, or has no more, is in the block all the same', () => {
    const received = foreign(100_000n);
    wallet.transactionConfirmed(received, 100);
    coin(50_000n, 'receive', 1);
    const { tx: sent } = paidFrom(wallet, ELSEWHERE, 30_000n, TERMS);
    wallet.transactionConfirmed(sent, 101);
    const before = wallet.state;
    for (const tx of [received, sent]) {
      wallet.transactionSeen(tx);
      wallet.transactionDropped(transactionId(tx));
    }
    expect(wallet.state).toEqual(before);
  });

  it('that spends another keeps it from being dropped, and what is between', () => {
    const received = foreign(100_000n);
    wallet.transactionSeen(received);
    const first = signed(paying(90_000n, 'receive', 5, input(transactionId(received))));
    const second = signed(paying(80_000n, 'receive', 6, input(transactionId(first))));
    wallet.transactionSeen(first);
    wallet.transactionConfirmed(second, 100);
    const before = wallet.state;
    for (const tx of [received, first]) wallet.transactionDropped(transactionId(tx));
    expect(wallet.state).toEqual(before);
    expect(wallet.balance(0n, 0).confirmedSat).toBe(80_000n);
  });

  it('may be larger than what a mempool takes, and only then', () => {
    const { outputs, ...rest } = foreign(1_000n);
    const huge = { ...rest, outputs: Array.from({ length: 3_300 }, () => outputs).flat() };
    expect(seen(huge)).toMatchObject({ unconfirmedSat: 0n });
    wallet.transactionConfirmed(huge, 100);
    expect(wallet.balance(0n, 0).confirmedSat).toBe(3_300_000n);
  });

  it('may be in the mempool, or dropped, once a reorganisation has taken it out', () => {
    const received = foreign(100_000n);
    wallet.transactionConfirmed(received, 100);
    wallet.transactionUnconfirmed(transactionId(received));
    expect(seen(received)).toMatchObject({ confirmedSat: 0n, unconfirmedSat: 100_000n });
    wallet.transactionDropped(transactionId(received));
    expect(wallet.balance(0n, 0).unconfirmedSat).toBe(0n);
  });
});
