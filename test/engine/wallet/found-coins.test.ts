import * as btc from '@scure/btc-signer';
import { beforeEach, describe, expect, it } from 'vitest';
import { mnemonicSeed } from '../../../worker/engine/keys/mnemonic.ts';
import { reversed, toHex } from '../../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import { transactionId, transactionWeight, type Transaction } from '../../../worker/engine/transactions/transaction.ts';
import { Descriptors, FOUND_BRANCHES, type Branch } from '../../../worker/engine/wallet/descriptors.ts';
import { sweptFrom } from './paid.ts';
import type { WalletTransaction } from '../../../worker/engine/wallet/wallet-transaction.ts';
import { OnchainWallet } from '../../../worker/engine/wallet/wallet.ts';
import { paidFrom, paymentTerms } from './paid.ts';

const seed = mnemonicSeed('abandon '.repeat(11) + 'about');
const descriptors = new Descriptors(seed, 'regtest');
const ELSEWHERE = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const FEERATE = 1000;
const TERMS = { feeratePerKw: FEERATE, reserveSat: 0n };
let wallet: OnchainWallet;
let made = 0;

beforeEach(() => {
  made = 0;
  wallet = new OnchainWallet(secp, descriptors);
  wallet.bestBlockUpdated(1000);
});

function payment(amountSat: bigint, branch: Branch, index = 0): Transaction {
  const txid = new Uint8Array(32).fill(0xaa).with(0, ++made);
  return {
    version: 2,
    inputs: [{ txid, vout: 0, sequence: 0, scriptSig: new Uint8Array(0), witness: [] }],
    outputs: [{ amountSat, script: descriptors.script({ branch, index }) }],
    locktime: 0,
  };
}

function receive(amountSat: bigint, branch: Branch, index = 0): Transaction {
  const tx = payment(amountSat, branch, index);
  wallet.transactionConfirmed(tx, 1000);
  return tx;
}

const sweep = (): WalletTransaction | undefined => sweptFrom(wallet, FEERATE);

describe('coins of BIP 44 and BIP 49 addresses', () => {
  it('are a number of their own once they are confirmed', () => {
    wallet.transactionSeen(payment(7_000n, 'nested', 1));
    receive(50_000n, 'legacy');
    receive(20_000n, 'receive');
    expect(wallet.balance(15_000n, 0)).toEqual({
      confirmedSat: 20_000n,
      unconfirmedSat: 7_000n,
      reservedSat: 15_000n,
      spendableSat: 5_000n,
      foundSat: 50_000n,
    });
  });

  it.each(FOUND_BRANCHES)('pay for nothing: %s', (branch) => {
    receive(1_000_000n, branch);
    receive(1_000n, 'receive');
    const script = descriptors.script({ branch: 'receive', index: 9 });
    const poor = expect.objectContaining({ code: 'InsufficientFunds' }) as Error;
    expect(() => paidFrom(wallet, ELSEWHERE, 2_000n, TERMS)).toThrow(poor);
    expect(() => wallet.buildFunding({ amountSat: 2_000n, script }, paymentTerms(TERMS))).toThrow(poor);
    const bump = { tx: payment(5_000n, 'receive'), prevouts: [{ amountSat: 5_000n, script }], witnessWeight: 100 };
    expect(() => wallet.bump({ ...bump, feeratePerKw: 5_000, mostSat: 100_000n })).toThrow(poor);
    expect(wallet.valueSat(FEERATE)).toBe(1_000n);
    expect(paidFrom(wallet, ELSEWHERE, 'all', { ...TERMS, feeratePerKw: 253 }).tx.inputs).toHaveLength(1);
  });
});

describe('a sweep of them', () => {
  it('takes all to a fresh address, at its feerate, and each satoshi is somewhere', () => {
    for (const [at, branch] of FOUND_BRANCHES.entries()) receive(10_000n + BigInt(at), branch, at);
    receive(3_000n, 'taproot');
    const built = sweep();
    expect(built?.tx.inputs).toHaveLength(4);
    const weight = transactionWeight(built?.tx ?? payment(0n, 'receive'));
    expect(Number(built?.feeSat)).toBeGreaterThanOrEqual(weight);
    expect(Number(built?.feeSat)).toBeLessThan(weight + 20);
    expect(wallet.balance(0n, 0)).toEqual({
      confirmedSat: 3_000n,
      unconfirmedSat: 40_006n - (built?.feeSat ?? 0n),
      reservedSat: 0n,
      spendableSat: 3_000n,
      foundSat: 0n,
    });
    expect(sweep()).toBeUndefined();
  });

  it('takes no coin that another one is being signed for, which is found still', () => {
    receive(50_000n, 'legacy');
    const planned = wallet.foundSweeps(FEERATE).flatMap(({ coins }) => coins);
    wallet.lock(planned);
    expect([wallet.foundSweeps(FEERATE), wallet.balance(0n, 0)]).toMatchObject([
      [],
      { foundSat: 50_000n, reservedSat: 0n },
    ]);
    wallet.unlock(planned);
    expect(wallet.foundSweeps(FEERATE)).toHaveLength(1);
  });

  it('brings coins that pay for nothing before they are confirmed: whoever relays it can change its id', () => {
    receive(50_000n, 'legacy');
    const built = sweep();
    expect(wallet.balance(0n, 0).spendableSat).toBe(0n);
    wallet.transactionConfirmed(built?.tx ?? payment(0n, 'receive'), 1001);
    expect(wallet.balance(0n, 0).spendableSat).toBe(50_000n - (built?.feeSat ?? 0n));
  });

  it('that never confirms leaves them as they were', () => {
    receive(50_000n, 'nested');
    wallet.transactionDropped(sweep()?.txid ?? seed);
    expect(wallet.balance(0n, 0)).toMatchObject({ foundSat: 50_000n, unconfirmedSat: 0n });
  });

  it('is signed as btc-signer signs it', () => {
    // The two grind for a low r from different counters, so here neither grinds.
    wallet = new OnchainWallet({ ...secp, signLowR: secp.sign }, descriptors);
    wallet.bestBlockUpdated(1000);
    const sources = FOUND_BRANCHES.map((branch, at) => receive(10_000n + BigInt(at), branch, at));
    const built = sweep();
    const reference = new btc.Transaction({ version: 2, allowLegacyWitnessUtxo: true });
    const origins = (built?.tx.inputs ?? []).map((input) => {
      const [source] = sources.filter((tx) => toHex(transactionId(tx)) === toHex(input.txid));
      const { amountSat = 0n, script = seed } = source?.outputs[0] ?? {};
      const origin = descriptors.originOf(script) ?? { branch: 'receive', index: 0 };
      const redeemScript = btc.p2wpkh(descriptors.publicKey(origin)).script;
      reference.addInput({
        txid: reversed(input.txid),
        index: 0,
        sequence: input.sequence,
        witnessUtxo: { script, amount: amountSat },
        ...(origin.branch.startsWith('nested') ? { redeemScript } : {}),
      });
      return origin;
    });
    for (const { amountSat, script } of built?.tx.outputs ?? []) reference.addOutput({ amount: amountSat, script });
    for (const [index, origin] of origins.entries()) reference.signIdx(descriptors.secret(origin), index);
    reference.finalize();
    expect(toHex(built?.rawTx ?? seed)).toBe(reference.hex);
  });

  it('is of twenty coins at most, the others follow, and what is not worth its input stays', () => {
    for (let index = 0; index < 45; index++) receive(10_000n, 'legacy', index);
    receive(592n, 'legacy', 45);
    expect(wallet.foundSweeps(FEERATE).map(({ coins }) => coins.length)).toEqual([20, 20, 5]);
    const [first, second, third, fourth] = [sweep(), sweep(), sweep(), sweep()];
    expect([first, second, third].map((built) => built?.tx.inputs.length)).toEqual([20, 20, 5]);
    expect(fourth).toBeUndefined();
    expect(wallet.balance(0n, 0).foundSat).toBe(592n);
  });

  it('is none where they are worth less than its fee, and of a coinbase once that is mature', () => {
    receive(800n, 'nested');
    const { inputs, ...rest } = payment(50_000n, 'legacy');
    const coinbase = { ...rest, inputs: inputs.map((input) => ({ ...input, txid: new Uint8Array(32) })) };
    wallet.transactionConfirmed(coinbase, 1000);
    expect(wallet.foundSweeps(FEERATE)).toEqual([]);
    wallet.bestBlockUpdated(1099);
    expect(wallet.foundSweeps(FEERATE)).toHaveLength(1);
  });
});
