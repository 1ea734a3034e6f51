import * as btc from '@scure/btc-signer';
import { beforeEach, describe, expect, it } from 'vitest';
import { mnemonicSeed } from '../../../worker/engine/keys/mnemonic.ts';
import { concat, equalBytes, fromHex, reversed, toHex } from '../../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import {
  decodeTransaction,
  transactionId,
  transactionWeight,
  withWitness,
  type Transaction,
} from '../../../worker/engine/transactions/transaction.ts';
import { addressOfScript, scriptOfAddress } from '../../../worker/engine/wallet/address.ts';
import { Descriptors } from '../../../worker/engine/wallet/descriptors.ts';
import type { WalletTransaction } from '../../../worker/engine/wallet/wallet-transaction.ts';
import { decodeWallet, encodeWallet } from '../../../worker/engine/wallet/wallet-record.ts';
import { GAP_LIMIT } from '../../../worker/engine/wallet/wallet-scripts.ts';
import { OnchainWallet } from '../../../worker/engine/wallet/wallet.ts';
import { paidFrom, paymentTerms } from './paid.ts';

const seed = mnemonicSeed('abandon '.repeat(11) + 'about');
const descriptors = new Descriptors(seed, 'regtest');
const elsewhere = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const p2wsh = concat(Uint8Array.of(0, 32), new Uint8Array(32).fill(7));
const terms = { feeratePerKw: 1000, reserveSat: 0n };
/** More than anything costs here. */
const MOST_SAT = 1_000_000n;
let wallet: OnchainWallet;
let made = 0;

beforeEach(() => {
  made = 0;
  wallet = new OnchainWallet(secp, descriptors);
  wallet.bestBlockUpdated(1000);
});

/** A transaction of somebody else that pays to a script. */
function payment(script: Uint8Array, amountSat: bigint): Transaction {
  const txid = new Uint8Array(32).fill(0xaa).with(0, ++made);
  return {
    version: 2,
    inputs: [{ txid, vout: 0, sequence: 0, scriptSig: new Uint8Array(0), witness: [] }],
    outputs: [{ amountSat, script }],
    locktime: 0,
  };
}

/** A transaction that spends the first output of another one, and pays somebody else. */
function spendingOf(from: Transaction): Transaction {
  const input = { txid: transactionId(from), vout: 0, sequence: 0, scriptSig: new Uint8Array(0), witness: [] };
  return { version: 2, inputs: [input], outputs: [{ amountSat: 1_000n, script: p2wsh }], locktime: 0 };
}

function receive(amountSat: bigint, branch: 'receive' | 'taproot' = 'receive'): Transaction {
  const tx = payment(scriptOfAddress(wallet.newAddress(branch), 'regtest'), amountSat);
  wallet.transactionConfirmed(tx, 1000);
  return tx;
}

describe('the balance', () => {
  it('moves from unconfirmed to confirmed, and back with a reorganisation', () => {
    const tx = payment(wallet.newScript('receive'), 50_000n);
    wallet.transactionSeen(tx);
    expect(wallet.balance(0n, 0)).toEqual({
      confirmedSat: 0n,
      unconfirmedSat: 50_000n,
      reservedSat: 0n,
      spendableSat: 0n,
      foundSat: 0n,
    });
    wallet.transactionConfirmed(tx, 1000);
    expect(wallet.balance(0n, 0).spendableSat).toBe(50_000n);
    wallet.transactionUnconfirmed(transactionId(tx));
    expect(wallet.balance(0n, 0).unconfirmedSat).toBe(50_000n);
    wallet.transactionDropped(transactionId(tx));
    expect(wallet.balance(0n, 0).unconfirmedSat).toBe(0n);
  });

  it('of other coins stays confirmed where a reorganisation takes one out', () => {
    receive(1_000n);
    wallet.transactionUnconfirmed(transactionId(receive(2_000n)));
    expect(wallet.balance(0n, 0)).toMatchObject({ confirmedSat: 1_000n, unconfirmedSat: 2_000n });
  });

  it('keeps the reserve aside, as far as there is something', () => {
    receive(50_000n);
    expect(wallet.balance(10_000n, 0)).toMatchObject({ reservedSat: 10_000n, spendableSat: 40_000n });
    expect(wallet.balance(90_000n, 0)).toMatchObject({ reservedSat: 50_000n, spendableSat: 0n });
  });

  it('counts the coins of a coinbase when they are mature', () => {
    const { inputs, ...rest } = payment(wallet.newScript('receive'), 50_000n);
    const coinbase = { ...rest, inputs: inputs.map((input) => ({ ...input, txid: new Uint8Array(32) })) };
    wallet.transactionConfirmed(coinbase, 1000);
    wallet.bestBlockUpdated(1098);
    expect(wallet.balance(0n, 0)).toMatchObject({ confirmedSat: 0n, unconfirmedSat: 50_000n, spendableSat: 0n });
    wallet.bestBlockUpdated(1099);
    expect(wallet.balance(0n, 0)).toMatchObject({ confirmedSat: 50_000n, spendableSat: 50_000n });
  });

  it('does not count what it is told twice', () => {
    const tx = receive(50_000n);
    wallet.transactionConfirmed(tx, 1000);
    expect(wallet.balance(0n, 0).confirmedSat).toBe(50_000n);
  });
});

describe('addresses', () => {
  it('are fresh within the gap, and then repeat the last', () => {
    const addresses = Array.from({ length: GAP_LIMIT + 2 }, () => wallet.newAddress());
    expect(new Set(addresses).size).toBe(GAP_LIMIT);
    expect(addresses.at(-1)).toBe(addresses.at(GAP_LIMIT - 1));
  });

  it('are watched a gap beyond the last one used', () => {
    expect(wallet.scripts.watched()).toHaveLength(8 * GAP_LIMIT);
    wallet.transactionConfirmed(payment(descriptors.script({ branch: 'receive', index: 19 }), 1_000n), 1000);
    expect(wallet.scripts.watched()).toHaveLength(8 * GAP_LIMIT + 20);
    expect(wallet.owns(descriptors.script({ branch: 'receive', index: 39 }))).toBe(true);
  });

  it('are known a gap beyond the last one used, as soon as that is', () => {
    const restored = new OnchainWallet(secp, new Descriptors(seed, 'regtest'));
    for (const index of [19, 39, 59])
      restored.transactionConfirmed(payment(descriptors.script({ branch: 'receive', index }), 1_000n), 1000);
    expect(restored.balance(0n, 0).confirmedSat).toBe(3_000n);
  });

  it('are awaited while they are the newest, or a transaction of theirs is in no block', () => {
    expect(wallet.scripts.awaited()).toEqual([]);
    const [first, second, third] = [
      wallet.newScript('receive'),
      wallet.newScript('receive'),
      wallet.newScript('receive'),
    ];
    expect(wallet.scripts.awaited()).toEqual([second, third]);
    const paid = payment(first, 50_000n);
    wallet.transactionSeen(paid);
    expect(wallet.scripts.awaited()).toEqual([second, third, first]);
    wallet.transactionConfirmed(paid, 1000);
    expect(wallet.scripts.awaited()).toEqual([second, third]);
    const { tx } = paidFrom(wallet, elsewhere, 20_000n, terms);
    expect(wallet.scripts.awaited()).toEqual([second, third, first]);
    wallet.transactionConfirmed(tx, 1001);
    expect(wallet.scripts.awaited()).toEqual([second, third]);
    wallet.transactionConfirmed(payment(wallet.newScript('receive'), 50_000n), 1002);
    expect(wallet.scripts.awaited()).toEqual([]);
  });

  it('are awaited one for each transaction that is in no block', () => {
    const scripts = Array.from({ length: 10 }, () => wallet.newScript('taproot'));
    for (const [index, script] of scripts.entries())
      wallet.transactionConfirmed(payment(script, 50_000n), 1000 + index);
    paidFrom(wallet, elsewhere, 'all', terms);
    expect(wallet.scripts.awaited()).toHaveLength(1);
  });

  it('are known once handed out, the newest first', () => {
    const scripts = Array.from({ length: 3 }, () => wallet.newScript('taproot'));
    const change = wallet.newScript('change');
    expect(wallet.scripts.handedOut()).toEqual([change, ...scripts.toReversed()]);
  });

  it('know the transactions that made or spent their coins', () => {
    const [first, second] = [wallet.newScript('receive'), wallet.newScript('receive')];
    const from = payment(first, 100_000n);
    wallet.transactionConfirmed(from, 1000);
    const { txid, tx } = paidFrom(wallet, elsewhere, 30_000n, terms);
    const change = tx.outputs[1]?.script ?? new Uint8Array(0);
    const made = { txid: transactionId(from), height: 1000 };
    expect([first, second, change, p2wsh].map((script) => wallet.scripts.transactionsOf(script))).toEqual([
      [made, { txid }],
      [],
      [{ txid }],
      [],
    ]);
    wallet.transactionConfirmed(tx, 1001);
    expect(wallet.scripts.transactionsOf(first)).toEqual([made, { txid, height: 1001 }]);
  });

  it('go on where they were after a restart', () => {
    const first = wallet.newAddress();
    receive(1_000n);
    const restarted = new OnchainWallet(secp, new Descriptors(seed, 'regtest'), structuredClone(wallet.state));
    expect([first, ...Array.from({ length: 3 }, () => restarted.newAddress())]).toHaveLength(4);
    expect(restarted.balance(0n, 0).confirmedSat).toBe(1_000n);
    expect(restarted.newAddress()).not.toBe(first);
  });
});

describe('a payment', () => {
  it('pays, gives change and reaches its feerate', () => {
    receive(100_000n);
    const { tx, feeSat, rawTx, txid } = paidFrom(wallet, elsewhere, 30_000n, terms);
    expect(decodeTransaction(rawTx)).toEqual(tx);
    expect(transactionId(tx)).toEqual(txid);
    expect(tx.outputs.map(({ amountSat }) => amountSat)).toEqual([30_000n, 70_000n - feeSat]);
    expect(Number(feeSat)).toBeGreaterThanOrEqual(transactionWeight(tx));
    expect(Number(feeSat)).toBeLessThanOrEqual(transactionWeight(tx) + 2);
    expect(wallet.balance(0n, 0)).toMatchObject({ confirmedSat: 0n, spendableSat: 70_000n - feeSat });
  });

  it('of everything leaves nothing', () => {
    receive(60_000n);
    receive(40_000n, 'taproot');
    const { tx, feeSat } = paidFrom(wallet, elsewhere, 'all', terms);
    expect(tx.outputs).toEqual([{ amountSat: 100_000n - feeSat, script: scriptOfAddress(elsewhere, 'regtest') }]);
    expect(Number(feeSat)).toBeGreaterThanOrEqual(transactionWeight(tx));
    expect(Number(feeSat)).toBeLessThanOrEqual(transactionWeight(tx) + 2);
    expect(wallet.balance(0n, 0).unconfirmedSat).toBe(0n);
  });

  it('that never confirms gives its coins back', () => {
    receive(100_000n);
    const { txid } = paidFrom(wallet, elsewhere, 30_000n, terms);
    wallet.transactionDropped(txid);
    expect(wallet.balance(0n, 0).spendableSat).toBe(100_000n);
  });

  it('has its coins still when a reorganisation takes it out of its block, or what it spends', () => {
    const coin = receive(100_000n);
    const { tx, txid } = paidFrom(wallet, elsewhere, 30_000n, terms);
    wallet.transactionConfirmed(tx, 1001);
    wallet.transactionUnconfirmed(txid);
    wallet.transactionUnconfirmed(transactionId(coin));
    expect(wallet.coinsSpentBy(txid)).toHaveLength(1);
    wallet.transactionConfirmed(coin, 1001);
    expect(wallet.balance(0n, 0).spendableSat).toBeLessThan(70_000n);
    expect(() => paidFrom(wallet, elsewhere, 80_000n, terms)).toThrow(
      expect.objectContaining({ code: 'InsufficientFunds' }),
    );
  });

  it.each([
    ['taproot', `5120${'22'.repeat(32)}`, 330n],
    ['an anchor', '51024e73', 240n],
  ])('pays to %s what the network relays, and not a satoshi less', (_name, hex, leastSat) => {
    receive(100_000n);
    const address = addressOfScript(fromHex(hex), 'regtest') ?? '';
    expect(() => paidFrom(wallet, address, leastSat - 1n, terms)).toThrow(
      expect.objectContaining({ code: 'AmountBelowDust', details: { leastSat } }),
    );
    const { tx } = paidFrom(wallet, address, leastSat, terms);
    expect(tx.outputs.some(({ amountSat, script }) => amountSat === leastSat && toHex(script) === hex)).toBe(true);
  });

  it('that another one displaces in a block is forgotten, with what spent its change', () => {
    const from = receive(100_000n);
    paidFrom(wallet, elsewhere, 30_000n, terms);
    paidFrom(wallet, elsewhere, 20_000n, terms);
    const { inputs, ...rest } = payment(wallet.newScript('receive'), 90_000n);
    const other = { ...rest, inputs: inputs.map((input) => ({ ...input, txid: transactionId(from) })) };
    wallet.transactionSeen(other);
    expect(wallet.balance(0n, 0).confirmedSat).toBe(0n);
    wallet.transactionConfirmed(other, 1001);
    expect(wallet.balance(0n, 0)).toMatchObject({ confirmedSat: 90_000n, unconfirmedSat: 0n });
  });

  it('leaves no coin behind when the transaction that it spent from is told of again, however late', () => {
    const { outputs, ...rest } = payment(wallet.newScript('receive'), 100_000n);
    const from = { ...rest, outputs: [...outputs, { amountSat: 7_000n, script: wallet.newScript('receive') }] };
    wallet.transactionConfirmed(from, 1000);
    const spending = spendingOf(from);
    wallet.transactionConfirmed(spending, 1001);
    wallet.bestBlockUpdated(5000);
    wallet.transactionConfirmed(from, 1000);
    expect(wallet.balance(0n, 0)).toMatchObject({ confirmedSat: 7_000n, unconfirmedSat: 0n, spendableSat: 7_000n });
    wallet = new OnchainWallet(secp, new Descriptors(seed, 'regtest'), decodeWallet(encodeWallet(wallet.state)));
    wallet.transactionConfirmed(from, 1000);
    expect(wallet.balance(0n, 0)).toMatchObject({ confirmedSat: 7_000n, unconfirmedSat: 0n, spendableSat: 7_000n });
  });

  it('refuses dust, the wrong network and more than there is', () => {
    receive(100_000n);
    const code = (name: string): unknown => expect.objectContaining({ code: name });
    expect(() => paidFrom(wallet, elsewhere, 293n, terms)).toThrow(code('AmountBelowDust'));
    expect(() => paidFrom(wallet, '1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2', 1_000n, terms)).toThrow(
      code('AddressWrongNetwork'),
    );
    expect(() => paidFrom(wallet, elsewhere, 99_900n, terms)).toThrow(code('InsufficientFunds'));
    expect(() => paidFrom(wallet, elsewhere, 95_000n, { ...terms, reserveSat: 10_000n })).toThrow(
      code('InsufficientFunds'),
    );
    expect(wallet.balance(0n, 0).spendableSat).toBe(100_000n);
  });

  it('is signed as btc-signer signs it', () => {
    // The two grind for a low r from different counters, so here neither grinds.
    wallet = new OnchainWallet({ ...secp, signLowR: secp.sign }, descriptors);
    wallet.bestBlockUpdated(1000);
    const sources = [receive(60_000n), receive(50_000n, 'taproot'), receive(40_000n)];
    const { tx, rawTx } = paidFrom(wallet, elsewhere, 120_000n, terms);
    const reference = new btc.Transaction({ version: 2 });
    for (const input of tx.inputs) {
      const source = sources.find((candidate) => equalBytes(transactionId(candidate), input.txid));
      const script = source?.outputs[0]?.script ?? new Uint8Array();
      const origin = descriptors.originOf(script);
      const taproot = origin?.branch === 'taproot' ? { tapInternalKey: descriptors.publicKey(origin).slice(1) } : {};
      const witnessUtxo = { script, amount: source?.outputs[0]?.amountSat ?? 0n };
      reference.addInput({ txid: reversed(input.txid), index: 0, sequence: input.sequence, witnessUtxo, ...taproot });
    }
    for (const { amountSat, script } of tx.outputs) reference.addOutput({ amount: amountSat, script });
    tx.inputs.forEach((input, index) => {
      const source = sources.find((candidate) => equalBytes(transactionId(candidate), input.txid));
      const origin = descriptors.originOf(source?.outputs[0]?.script ?? new Uint8Array());
      if (origin) reference.signIdx(descriptors.secret(origin), index, undefined, new Uint8Array(32));
    });
    reference.finalize();
    expect(toHex(rawTx)).toBe(reference.hex);
  });
});

describe('change', () => {
  /** Whether each unspent coin counts as the wallet's own. */
  const owns = (): boolean[] => wallet.state.coins.filter(({ spentBy }) => !spentBy).map(({ own }) => own);

  /** A payment in a block, whose change is all that the wallet knows. */
  function forgetful(): Transaction {
    receive(100_000n);
    const { tx } = paidFrom(wallet, elsewhere, 30_000n, terms);
    wallet.transactionConfirmed(tx, 1001);
    const change = wallet.state.coins.filter(({ spentBy }) => !spentBy);
    wallet = new OnchainWallet(secp, new Descriptors(seed, 'regtest'), { ...wallet.state, coins: change });
    return tx;
  }

  it('stays our own when the chain reports it again and the coin that it came from is not known', () => {
    const tx = forgetful();
    const stored = decodeWallet(encodeWallet(wallet.state));
    wallet = new OnchainWallet(secp, new Descriptors(seed, 'regtest'), stored);
    wallet.transactionConfirmed(tx, 1001);
    expect([owns(), wallet.state]).toEqual([[true], stored]);
  });

  it('can be spent at once even when its block is gone after that', () => {
    const tx = forgetful();
    wallet.transactionConfirmed(tx, 1001);
    wallet.transactionUnconfirmed(transactionId(tx));
    expect(wallet.balance(0n, 0).spendableSat).toBe(tx.outputs[1]?.amountSat);
  });

  it('is our own once the coin that it came from is found', () => {
    const from = payment(wallet.newScript('receive'), 100_000n);
    const input = { txid: transactionId(from), vout: 0, sequence: 0, scriptSig: new Uint8Array(0), witness: [] };
    const outputs = [{ amountSat: 90_000n, script: wallet.newScript('change') }];
    const spending = { version: 2, inputs: [input], outputs, locktime: 0 };
    wallet.transactionConfirmed(spending, 1000);
    expect(owns()).toEqual([false]);
    wallet.transactionConfirmed(from, 999);
    wallet.transactionConfirmed(spending, 1000);
    expect(owns()).toEqual([true]);
  });

  it('of what others have inputs in too is our own, but not spent before it is confirmed', () => {
    receive(100_000n);
    const prevouts = [{ amountSat: 330n, script: p2wsh }];
    const { tx, feeSat } = wallet.bump({
      tx: { ...payment(p2wsh, 0n), outputs: [] },
      prevouts,
      witnessWeight: 115,
      mostSat: MOST_SAT,
      feeratePerKw: 1000,
    });
    wallet.transactionSeen(tx);
    expect([owns(), wallet.balance(0n, 0).spendableSat]).toEqual([[true], 0n]);
    wallet.transactionConfirmed(tx, 1001);
    expect([owns(), wallet.balance(0n, 0).spendableSat]).toEqual([[true], 100_330n - feeSat]);
    wallet.bestBlockUpdated(1101);
    const { state } = wallet;
    wallet.transactionConfirmed(tx, 1001);
    expect(wallet.state).toEqual(state);
  });
});

describe('change, where closes of several channels need coins,', () => {
  const reserve = { feeratePerKw: 1000, reserveSat: 45_000n, reserveCoinSat: 15_000n };

  const amounts = ({ tx }: WalletTransaction): readonly bigint[] =>
    tx.outputs.filter(({ script }) => wallet.owns(script)).map(({ amountSat }) => amountSat);

  it('is as many coins as there are to be, each at a script of its own', () => {
    receive(100_000n);
    const sent = paidFrom(wallet, elsewhere, 20_000n, reserve);
    const [first, second, rest = 0n] = amounts(sent);
    expect([first, second]).toEqual([15_000n, 15_000n]);
    expect(rest + sent.feeSat).toBe(50_000n);
    expect(new Set(sent.tx.outputs.map(({ script }) => toHex(script))).size).toBe(4);
    const weight = transactionWeight(sent.tx);
    expect(Number(sent.feeSat)).toBeGreaterThanOrEqual(weight);
    expect(Number(sent.feeSat)).toBeLessThanOrEqual(weight + 8);
  });

  it('is one where others are there, or it does not suffice for more', () => {
    receive(100_000n);
    receive(15_000n);
    receive(15_000n);
    expect(amounts(paidFrom(wallet, elsewhere, 20_000n, reserve))).toHaveLength(1);
    wallet = new OnchainWallet(secp, descriptors);
    receive(100_000n);
    receive(14_999n);
    receive(15_000n);
    expect(amounts(paidFrom(wallet, elsewhere, 20_000n, reserve))).toHaveLength(2);
    wallet = new OnchainWallet(secp, descriptors);
    receive(50_000n);
    const two = { ...reserve, reserveSat: 30_000n };
    const most = 50_000n - 30_000n - paidFrom(wallet, elsewhere, 1_000n, { ...two, reserveSat: 0n }).feeSat;
    wallet = new OnchainWallet(secp, descriptors);
    receive(50_000n);
    // An output more costs 124 sat, and 272 when it is spent: the reserve is there all the same.
    expect(amounts(paidFrom(wallet, elsewhere, most - 395n, two))).toHaveLength(1);
    wallet = new OnchainWallet(secp, descriptors);
    receive(50_000n);
    expect(amounts(paidFrom(wallet, elsewhere, most - 396n, two))).toEqual([15_000n, 15_272n]);
  });

  it('is one of all that there is, for what more would cost is the reserve’s', () => {
    receive(100_000n);
    const sent = paidFrom(wallet, elsewhere, 'all', reserve);
    expect(amounts(sent)).toEqual([45_000n]);
  });
});

describe('a funding transaction', () => {
  const funding = { amountSat: 60_000n, script: p2wsh };

  it('has its output where it says, and locks its coins until it is given up', () => {
    receive(100_000n);
    const { tx, outputIndex, coins } = wallet.buildFunding(funding, paymentTerms(terms));
    expect(tx.outputs[outputIndex]).toEqual(funding);
    expect(wallet.balance(0n, 0)).toMatchObject({ reservedSat: 100_000n, spendableSat: 0n });
    expect(() => wallet.buildFunding(funding, paymentTerms(terms))).toThrow(
      expect.objectContaining({ code: 'InsufficientFunds' }),
    );
    wallet.unlock(coins);
    expect(wallet.balance(0n, 0).spendableSat).toBe(100_000n);
  });

  it('leaves its change to spend once it is seen', () => {
    receive(100_000n);
    const { tx, feeSat } = wallet.buildFunding(funding, paymentTerms(terms));
    wallet.transactionSeen(tx);
    expect(wallet.balance(0n, 0)).toMatchObject({ reservedSat: 0n, spendableSat: 40_000n - feeSat });
    expect(wallet.state.locked).toEqual([]);
  });
});

describe('bumping', () => {
  const foreign = payment(p2wsh, 0n);

  it('brings the child of an anchor and its parent to the feerate', () => {
    receive(100_000n);
    const parent = { weight: 1124, feeSat: 284n };
    const prevouts = [{ amountSat: 330n, script: p2wsh }];
    const anchorChild = { ...foreign, outputs: [] };
    const { tx, feeSat } = wallet.bump({
      tx: anchorChild,
      prevouts,
      witnessWeight: 115,
      mostSat: MOST_SAT,
      parent,
      feeratePerKw: 5000,
    });
    const weight = transactionWeight(tx) - 1 + 115 + parent.weight;
    expect(tx.outputs).toHaveLength(1);
    expect(tx.inputs[0]?.witness).toEqual([]);
    expect(Number(feeSat + parent.feeSat)).toBeGreaterThanOrEqual((weight * 5000) / 1000);
    expect(Number(feeSat + parent.feeSat)).toBeLessThanOrEqual(((weight + 3) * 5000) / 1000);
  });

  it('never brings both to less, whatever is left of the coin', () => {
    const parent = { weight: 1124, feeSat: 284n };
    const prevouts = [{ amountSat: 330n, script: p2wsh }];
    const request = {
      tx: { ...foreign, outputs: [] },
      prevouts,
      witnessWeight: 115,
      mostSat: MOST_SAT,
      parent,
      feeratePerKw: 1000,
    };
    const left = new Set<boolean>();
    for (let amountSat = 1_700n; amountSat < 2_600n; amountSat += 20n) {
      wallet = new OnchainWallet(secp, descriptors);
      receive(amountSat);
      const { tx, feeSat } = wallet.bump(request);
      const weight = transactionWeight(tx) - 1 + 115 + parent.weight;
      expect(Number(feeSat + parent.feeSat)).toBeGreaterThanOrEqual(weight);
      left.add(tx.outputs[0]?.amountSat === 294n);
    }
    expect(left).toEqual(new Set([true, false]));
  });

  it('keeps the outputs of an HTLC transaction where they are', () => {
    receive(100_000n, 'taproot');
    const htlc = { ...foreign, outputs: [{ amountSat: 5_000n, script: p2wsh }], locktime: 700 };
    const prevouts = [{ amountSat: 5_000n, script: p2wsh }];
    const { tx, feeSat } = wallet.bump({
      tx: htlc,
      prevouts,
      witnessWeight: 290,
      mostSat: MOST_SAT,
      feeratePerKw: 2000,
    });
    expect([tx.outputs[0], tx.locktime, tx.inputs[0]?.txid]).toEqual([htlc.outputs[0], 700, foreign.inputs[0]?.txid]);
    expect(tx.outputs[1]?.amountSat).toBe(100_000n - feeSat);
    expect(tx.inputs[1]?.witness[0]).toHaveLength(64);
  });

  describe('by coins that are not confirmed', () => {
    const htlc = { ...foreign, outputs: [{ amountSat: 5_000n, script: p2wsh }] };
    const prevouts = [{ amountSat: 5_000n, script: p2wsh }];
    const request = { tx: htlc, prevouts, witnessWeight: 290, mostSat: MOST_SAT, feeratePerKw: 2_000 };

    /** A payment by the change of the one before. */
    function paid(feeratePerKw: number): WalletTransaction {
      return paidFrom(wallet, elsewhere, 10_000n, { feeratePerKw, reserveSat: 0n });
    }

    const lacking = ({ tx, feeSat }: WalletTransaction): bigint => BigInt(transactionWeight(tx)) * 2n - feeSat;

    it('pays for what those lack that they come from', () => {
      receive(200_000n);
      const plain = wallet.bump(request).feeSat;
      const [first, second] = [paid(300), paid(500)];
      expect(wallet.bump(request).feeSat).toBe(plain + lacking(first) + lacking(second));
      wallet = new OnchainWallet(secp, descriptors, decodeWallet(encodeWallet(wallet.state)));
      expect(wallet.bump(request).feeSat).toBe(plain + lacking(first) + lacking(second));
      wallet.transactionConfirmed(first.tx, 1001);
      expect(wallet.bump(request).feeSat).toBe(plain + lacking(second));
      wallet.transactionConfirmed(second.tx, 1001);
      expect(wallet.bump(request).feeSat).toBe(plain);
    });

    it('has nothing of what they paid too much', () => {
      receive(200_000n);
      const plain = wallet.bump(request).feeSat;
      paid(9_000);
      expect(wallet.bump(request).feeSat).toBe(plain);
      const second = paid(500);
      expect(wallet.bump(request).feeSat).toBe(plain + lacking(second));
    });

    it('pays for them again in place of another', () => {
      receive(200_000n);
      const before = paid(500);
      const plain = wallet.bump({ ...request, feeratePerKw: 1_000 });
      wallet.transactionSeen(plain.tx);
      const { feeSat } = wallet.bump({ ...request, feeratePerKw: 4_000, replaces: plain });
      const lackingSat = BigInt(transactionWeight(before.tx)) * 4n - before.feeSat;
      expect(feeSat).toBe(BigInt(transactionWeight(plain.tx) + 290) * 4n + lackingSat);
    });

    it('takes none that bring nothing then', () => {
      receive(11_500n);
      paid(300);
      expect(wallet.balance(0n, 0).spendableSat).toBeGreaterThan(1_000n);
      expect(() => wallet.bump({ ...request, feeratePerKw: 1_000 })).toThrow(
        expect.objectContaining({ code: 'InsufficientFunds' }),
      );
    });
  });

  describe('by coins that are lent', () => {
    const htlc = { ...foreign, outputs: [{ amountSat: 5_000n, script: p2wsh }] };
    const prevouts = [{ amountSat: 5_000n, script: p2wsh }];
    const request = { tx: htlc, prevouts, witnessWeight: 290, mostSat: MOST_SAT, feeratePerKw: 2_000 };

    /** To a transaction that pays so much, or so it says. */
    function lent(feeSat: bigint): WalletTransaction {
      const small = wallet.bump({ ...request, feeratePerKw: 500 });
      wallet.transactionSeen(small.tx);
      wallet.lend({ txid: small.txid, weight: transactionWeight(small.tx) + 290, feeSat, feeratePerKw: 2_000 });
      return small;
    }

    it('takes them for what pays as much as they are lent for', () => {
      receive(100_000n);
      const small = lent(540n);
      expect(() => wallet.bump({ ...request, feeratePerKw: 1_999 })).toThrow(
        expect.objectContaining({ code: 'InsufficientFunds' }),
      );
      expect(wallet.coinsSpentBy(small.txid)).toHaveLength(1);
      const next = wallet.bump(request);
      expect(next.tx.inputs[1]).toEqual({ ...small.tx.inputs[1], witness: expect.anything() });
      expect(wallet.coinsSpentBy(small.txid)).toEqual([]);
      wallet.transactionSeen(next.tx);
      expect(wallet.coinsSpentBy(next.txid)).toHaveLength(1);
    });

    it('pays more than what they were lent to, and for its own relay', () => {
      receive(100_000n);
      lent(20_000n);
      const { tx, feeSat } = wallet.bump(request);
      expect(feeSat).toBeGreaterThanOrEqual(20_000n + BigInt(transactionWeight(tx) + 289) / 4n);
      expect(feeSat).toBeLessThan(20_400n);
    });

    it('takes none where that is more than it may cost', () => {
      receive(100_000n);
      const small = lent(20_000n);
      expect(() => wallet.bump({ ...request, mostSat: 20_000n })).toThrow(
        expect.objectContaining({ code: 'InsufficientFunds' }),
      );
      expect(wallet.coinsSpentBy(small.txid)).toHaveLength(1);
    });

    it('takes others where there are any', () => {
      receive(100_000n);
      const small = lent(540n);
      const other = receive(50_000n);
      expect(wallet.bump(request).tx.inputs[1]?.txid).toEqual(transactionId(other));
      expect(wallet.coinsSpentBy(small.txid)).toHaveLength(1);
    });

    it('leaves them to what they are lent to once that is in a block', () => {
      receive(100_000n);
      const small = lent(540n);
      wallet.transactionConfirmed(small.tx, 1001);
      expect(wallet.bump(request).tx.inputs[1]?.txid).toEqual(small.txid);
    });

    it('is nothing for the owner', () => {
      receive(100_000n);
      lent(540n);
      expect(wallet.balance(0n, 0).spendableSat).toBe(0n);
      expect(() => paidFrom(wallet, elsewhere, 1_000n, terms)).toThrow(
        expect.objectContaining({ code: 'InsufficientFunds' }),
      );
    });
  });

  describe('in place of another', () => {
    const parent = { weight: 1124, feeSat: 284n };
    const request = {
      tx: { ...foreign, outputs: [] },
      prevouts: [{ amountSat: 330n, script: p2wsh }],
      witnessWeight: 115,
      mostSat: MOST_SAT,
      parent,
      feeratePerKw: 300,
    };

    function bumped(feeratePerKw: number): WalletTransaction {
      const child = wallet.bump({ ...request, feeratePerKw });
      wallet.transactionSeen(child.tx);
      return child;
    }

    const paidPerKw = ({ tx, feeSat }: WalletTransaction): number =>
      (Number(feeSat) * 1000) / (transactionWeight(tx) - 1 + 115);

    it('spends the same coins, and pays the same change script', () => {
      receive(60_000n);
      receive(100_000n);
      const first = bumped(300);
      const next = wallet.bump({ ...request, feeratePerKw: 3000, replaces: first });
      expect(next.tx.inputs.map(({ txid }) => txid)).toEqual(first.tx.inputs.map(({ txid }) => txid));
      expect(next.tx.outputs[0]?.script).toEqual(first.tx.outputs[0]?.script);
      expect(next.feeSat).toBeGreaterThan(first.feeSat);
    });

    it('adds coins where the same are too few', () => {
      receive(1_500n);
      receive(1_400n);
      const first = bumped(300);
      expect(first.tx.inputs).toHaveLength(2);
      const next = wallet.bump({ ...request, feeratePerKw: 1000, replaces: first });
      expect(next.tx.inputs).toHaveLength(3);
      expect(next.tx.inputs.map(({ txid }) => toHex(txid))).toEqual(
        expect.arrayContaining(first.tx.inputs.map(({ txid }) => toHex(txid))),
      );
    });

    it('pays 1 sat/vB more than the other did, where the feerate asks for less', () => {
      receive(100_000n);
      const first = bumped(300);
      const next = wallet.bump({ ...request, feeratePerKw: 301, replaces: first });
      expect(paidPerKw(next)).toBeGreaterThanOrEqual(paidPerKw(first) + 250);
      expect(Number(next.feeSat - first.feeSat)).toBeGreaterThanOrEqual(transactionWeight(next.tx) / 4);
    });

    it('pays no more than that, however much the other paid', () => {
      receive(100_000n);
      const htlc = { ...foreign, outputs: [{ amountSat: 5_000n, script: p2wsh }] };
      const prevouts = [{ amountSat: 5_000n, script: p2wsh }];
      const first = wallet.bump({ tx: htlc, prevouts, witnessWeight: 290, mostSat: MOST_SAT, feeratePerKw: 50_000 });
      wallet.transactionSeen(first.tx);
      // As it leaves: with the witness of its own input, of 290 weight.
      const tx = withWitness(first.tx, 0, [new Uint8Array(250), new Uint8Array(37)]);
      const next = wallet.bump({
        tx: htlc,
        prevouts,
        witnessWeight: 290,
        mostSat: MOST_SAT,
        feeratePerKw: 301,
        replaces: { tx, feeSat: first.feeSat },
      });
      const perKw = (feeSat: bigint): number => (Number(feeSat) * 1000) / transactionWeight(tx);
      // A weight unit of rounding is 49.
      expect(Math.abs(perKw(next.feeSat) - perKw(first.feeSat) - 250)).toBeLessThan(70);
    });

    it('changes nothing where the coins are too few', () => {
      receive(1_500n);
      const first = bumped(300);
      const { state } = wallet;
      expect(() => wallet.bump({ ...request, feeratePerKw: 5000, replaces: first })).toThrow(
        expect.objectContaining({ code: 'InsufficientFunds' }),
      );
      expect(wallet.state).toBe(state);
    });

    it('is known to the wallet once the other is dropped; its change is not spent before it is confirmed', () => {
      receive(100_000n);
      const first = bumped(300);
      const next = wallet.bump({ ...request, feeratePerKw: 3000, replaces: first });
      wallet.transactionDropped(first.txid);
      wallet.transactionSeen(next.tx);
      expect([wallet.coinsSpentBy(first.txid).length, wallet.coinsSpentBy(next.txid).length]).toEqual([0, 1]);
      expect([wallet.isConfirmed(next.txid), wallet.balance(0n, 0).spendableSat]).toEqual([false, 0n]);
      wallet.transactionConfirmed(next.tx, 1001);
      expect([wallet.isConfirmed(next.txid), wallet.balance(0n, 0).spendableSat]).toEqual([
        true,
        100_330n - next.feeSat,
      ]);
    });
  });
});
