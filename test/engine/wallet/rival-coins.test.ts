import { beforeEach, describe, expect, it } from 'vitest';
import { mnemonicSeed } from '../../../worker/engine/keys/mnemonic.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import type { Outpoint, Transaction } from '../../../worker/engine/transactions/transaction.ts';
import { isSameOutpoint } from '../../../worker/engine/wallet/coin.ts';
import { Descriptors } from '../../../worker/engine/wallet/descriptors.ts';
import type { WalletTransaction } from '../../../worker/engine/wallet/wallet-transaction.ts';
import { OnchainWallet } from '../../../worker/engine/wallet/wallet.ts';
import { paidFrom, paymentTerms } from './paid.ts';

const ELSEWHERE = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const UNSETTLED = expect.objectContaining({ code: 'EarlierPaymentUnsettled' }) as Error;
let wallet: OnchainWallet;
let received: number;

beforeEach(() => {
  wallet = new OnchainWallet(secp, new Descriptors(mnemonicSeed('abandon '.repeat(11) + 'about'), 'regtest'));
  wallet.bestBlockUpdated(1_000);
  received = 0;
});

function receive(amountSat: bigint): Outpoint {
  const input = { txid: new Uint8Array(32).fill(++received), vout: 0, sequence: 0, witness: [] };
  const outputs = [{ amountSat, script: wallet.newScript('receive') }];
  wallet.transactionConfirmed(
    { version: 2, inputs: [{ ...input, scriptSig: new Uint8Array(0) }], outputs, locktime: 0 },
    990,
  );
  const coin = wallet.state.coins.at(-1);
  if (coin === undefined) throw new Error('no coin');
  return { txid: coin.txid, vout: coin.vout };
}

const send = (amountSat: bigint | 'all', ...against: readonly (readonly Outpoint[])[]): WalletTransaction =>
  paidFrom(wallet, ELSEWHERE, amountSat, { feeratePerKw: 1_000, against });

const spends = ({ inputs }: Transaction, coin: Outpoint): boolean =>
  inputs.some((input) => isSameOutpoint(input, coin));

describe('a payment after one that may still come', () => {
  it('spends one of its coins, though others would do, and pays the same fee for what it weighs', () => {
    const [small, large] = [receive(20_000n), receive(100_000n)];
    const { tx, feeSat } = send(50_000n, [small]);
    expect([spends(tx, small), spends(tx, large)]).toEqual([true, true]);
    expect(tx.outputs.reduce((sum, { amountSat }) => sum + amountSat, 0n)).toBe(120_000n - feeSat);
    expect(feeSat).toBeLessThan(900n);
  });

  it('needs no other coin where that one suffices', () => {
    const [one, other] = [receive(100_000n), receive(100_000n)];
    expect(send(50_000n, [one]).tx.inputs).toHaveLength(1);
    expect(wallet.coinsSpentBy(send(50_000n, [other]).txid)).toMatchObject([other]);
  });

  it('spends one coin of each of several, and one of two that they have in common', () => {
    const [one, other, third] = [receive(30_000n), receive(40_000n), receive(200_000n)];
    expect(send(10_000n, [one], [other]).tx.inputs).toHaveLength(2);
    expect(send(10_000n, [third], [other, third]).tx.inputs).toHaveLength(1);
  });

  it('spends all of them with everything', () => {
    const [one, other] = [receive(30_000n), receive(40_000n)];
    const { tx } = send('all', [one]);
    expect([spends(tx, one), spends(tx, other)]).toEqual([true, true]);
  });

  it('may spend what comes of a transaction that spends one of them', () => {
    const coin = receive(100_000n);
    const { txid } = send(20_000n, [coin]);
    receive(500_000n);
    const { tx } = send(10_000n, [coin]);
    expect(tx.inputs.map((input) => input.txid)).toEqual([txid]);
  });

  it('spends none that the earlier one needs to be there itself, though that spends one of them', () => {
    const coin = receive(200_000n);
    const script = wallet.newScript('receive');
    const terms = paymentTerms({ feeratePerKw: 1_000 });
    const [unsigned] = wallet.payments.prepare([{ amountSat: 50_000n, script }], terms);
    if (unsigned === undefined) throw new Error('nothing was prepared');
    wallet.transactionMade(wallet.payments.sign(unsigned).tx);
    const [large, small] = wallet.state.coins
      .filter(({ txid }) => txid !== coin.txid)
      .toSorted((one, other) => Number(other.amountSat - one.amountSat));
    if (large === undefined || small === undefined) throw new Error('there is no change');
    expect(spends(send(10_000n, [small, coin]).tx, small)).toBe(true);
  });

  it('waits where none of them is free, and leaves the wallet as it is', () => {
    const coin = receive(100_000n);
    send('all', [coin]);
    receive(100_000n);
    const before = wallet.state.coins;
    for (const amountSat of [10_000n, 'all'] as const) expect(() => send(amountSat, [coin])).toThrow(UNSETTLED);
    expect(wallet.state.coins).toEqual(before);
  });

  it('is free where a block has decided, and where the wallet knows of none of them', () => {
    const coin = receive(100_000n);
    wallet.transactionConfirmed(send('all', [coin]).tx, 1_000);
    receive(100_000n);
    expect(send(10_000n, [coin], [{ txid: new Uint8Array(32).fill(99), vout: 7 }]).tx.inputs).toHaveLength(1);
  });

  it('is refused in the words of a wallet that has too little where it has', () => {
    const coin = receive(10_000n);
    const insufficient = expect.objectContaining({ code: 'InsufficientFunds' }) as Error;
    expect(() => send(10_000n, [coin])).toThrow(insufficient);
  });
});
