import { beforeEach, describe, expect, it } from 'vitest';
import type { OnchainSent } from '../../worker/client/api.ts';
import { quoteReplacing } from '../../worker/client/onchain-replacement.ts';
import type { Fate, OnchainSend } from '../../worker/client/onchain-send.ts';
import { toHex } from '../../worker/engine/primitives/bytes.ts';
import {
  decodeTransaction,
  transactionWeight,
  type Transaction,
} from '../../worker/engine/transactions/transaction.ts';
import { scriptOfAddress } from '../../worker/engine/wallet/address.ts';
import { ELSEWHERE, FakePayer } from './fake-payer.ts';

let payer: FakePayer;
let first: OnchainSend;

const txOf = ({ rawTx }: OnchainSend): Transaction => decodeTransaction(rawTx);
const inputsOf = (send: OnchainSend): readonly string[] => txOf(send).inputs.map(({ txid }) => toHex(txid));
const arriving = (send: OnchainSend): readonly bigint[] =>
  txOf(send)
    .outputs.filter(({ script }) => toHex(script) === toHex(scriptOfAddress(ELSEWHERE, 'regtest')))
    .map(({ amountSat }) => amountSat);
const perKw = (send: OnchainSend): number => (Number(send.feeSat) * 1_000) / transactionWeight(txOf(send));
const replacedBy = ({ txid }: OnchainSend): Fate => ({ kind: 'replaced', by: txid });
const last = (): OnchainSend => payer.sends.at(-1) ?? first;
const freeSat = (): bigint => payer.wallet.balance(0n, 0).spendableSat;

/** Of 20,000 sat, out of a wallet with such coins. */
async function paid(amountSat: bigint | 'all', ...coins: readonly bigint[]): Promise<void> {
  payer = new FakePayer(...coins);
  await payer.pay({ address: ELSEWHERE, amountSat, label: 'rent' });
  first = last();
}

beforeEach(() => paid(20_000n, 100_000n));

describe('a payment that is not confirmed', () => {
  it('is sent again at the feerate that is asked for, out of its change', async () => {
    const request = { txid: first.txid, feeratePerVbyte: 20 };
    const quote = quoteReplacing(payer, 'replace', request);
    const sent = await payer.payments.replace('replace', { ...request, maxFeeSat: quote.feeSat });
    expect(sent).toEqual({ txid: last().txid, txids: [last().txid], feeSat: quote.feeSat });
    expect([inputsOf(last()), arriving(last())]).toEqual([inputsOf(first), [20_000n]]);
    expect(perKw(last())).toBeGreaterThanOrEqual(5_000);
    expect(perKw(last())).toBeLessThan(5_100);
    expect(quote.feeratePerVbyte).toBeCloseTo(20, 0);
    expect(freeSat()).toBe(80_000n - quote.feeSat);
    expect(last()).toMatchObject({ label: 'rent', address: ELSEWHERE, amountSat: 20_000n });
  });

  it('pays as much more as servers ask for, where less is asked for', async () => {
    await payer.payments.replace('replace', { txid: first.txid, feeratePerVbyte: 1 });
    const weight = transactionWeight(txOf(last()));
    expect(Number(last().feeSat - first.feeSat)).toBeGreaterThanOrEqual(weight / 4);
    expect(Number(last().feeSat - first.feeSat)).toBeLessThanOrEqual(weight / 4 + 3);
    expect(perKw(last())).toBeGreaterThan(perKw(first));
  });

  it('takes more coins, confirmed ones, where its change does not suffice', async () => {
    await paid(94_000n, 100_000n);
    payer.receive(50_000n);
    await payer.payments.replace('replace', { txid: first.txid, feeratePerVbyte: 100 });
    expect(inputsOf(last())).toHaveLength(2);
    expect(inputsOf(last())).toEqual(expect.arrayContaining([...inputsOf(first)]));
    expect(arriving(last())).toEqual([94_000n]);
  });

  it('stays as it is where there is nothing to pay more with, or more than was agreed to', async () => {
    await paid('all', 100_000n);
    const before = payer.wallet.state;
    const bump = (more: object): Promise<unknown> => payer.payments.replace('replace', { txid: first.txid, ...more });
    await expect(bump({ feeratePerVbyte: 20 })).rejects.toMatchObject({ code: 'InsufficientFunds' });
    await paid(20_000n, 100_000n);
    await expect(bump({ feeratePerVbyte: 20, maxFeeSat: 500n })).rejects.toMatchObject({ code: 'FeeTooHigh' });
    expect(before.coins.every(({ spentBy }) => spentBy !== undefined)).toBe(true);
    expect(payer.sends).toEqual([first]);
  });

  it('can be replaced again, and only the newest waits for a block', async () => {
    for (const feeratePerVbyte of [10, 20, 30])
      await payer.payments.replace('replace', { txid: last().txid, feeratePerVbyte });
    expect(payer.sent.wanted()).toEqual([last()]);
    const others = payer.sent.list().filter(({ txid }) => txid !== last().txid);
    expect(others.map(({ fate }) => fate)).toEqual(Array.from({ length: 3 }, () => replacedBy(last())));
    await expect(payer.payments.replace('replace', { txid: first.txid })).rejects.toMatchObject({
      code: 'PaymentNotReplaceable',
    });
  });

  it('is cancelled by a payment to the wallet itself', async () => {
    const quote = quoteReplacing(payer, 'cancel', { txid: first.txid });
    await payer.payments.replace('cancel', { txid: first.txid, maxFeeSat: quote.feeSat });
    expect([inputsOf(last()), arriving(last())]).toEqual([inputsOf(first), []]);
    expect([freeSat(), last().amountSat]).toEqual([100_000n - quote.feeSat, 0n]);
    expect(payer.wallet.owns(scriptOfAddress(last().address, 'regtest'))).toBe(true);
    expect(perKw(last())).toBeGreaterThan(perKw(first));
  });

  it('of everything can be cancelled, though not be sent at a higher fee', async () => {
    await paid('all', 100_000n);
    await payer.payments.replace('cancel', { txid: first.txid });
    expect(freeSat()).toBe(100_000n - last().feeSat);
  });

  it('stands where it confirms after all, and what took its place is gone', async () => {
    await payer.payments.replace('replace', { txid: first.txid, feeratePerVbyte: 20 });
    const replacement = last();
    payer.wallet.transactionConfirmed(txOf(first), 1_001);
    payer.sent.confirmed(txOf(first));
    expect(payer.sent.get(first.txid)).toEqual({ ...first, fate: { kind: 'confirmed' } });
    expect(payer.sent.get(replacement.txid)?.fate).toEqual(replacedBy(first));
    expect([payer.sent.wanted(), freeSat()]).toEqual([[], 80_000n - first.feeSat]);
  });
});

describe('what takes its place', () => {
  it('has its own fate: servers that had the first one may refuse it', async () => {
    payer.sent.accepted(first.txid);
    await payer.payments.replace('replace', { txid: first.txid, feeratePerVbyte: 20 });
    expect(payer.sent.mayTakeBack(last().txid, 'feeTooLow')).toBe(true);
  });

  it('leaves the newest of those before it in its place where it is taken back', async () => {
    await payer.payments.replace('replace', { txid: first.txid, feeratePerVbyte: 10 });
    const second = last();
    await payer.payments.replace('replace', { txid: second.txid, feeratePerVbyte: 20 });
    payer.sent.takeBack(last().txid, 'feeTooLow');
    expect(payer.sent.wanted().map(({ txid }) => txid)).toEqual([second.txid]);
    expect(payer.sent.get(first.txid)?.fate).toEqual(replacedBy(second));
    await expect(payer.payments.replace('replace', { txid: last().txid })).rejects.toMatchObject({
      code: 'PaymentNotReplaceable',
    });
  });

  it('does not count as displaced by what it has taken the place of, nor that by it', async () => {
    await payer.payments.replace('replace', { txid: first.txid, feeratePerVbyte: 10 });
    payer.sent.confirmed(txOf(last()));
    expect(payer.sent.get(first.txid)?.fate).toEqual(replacedBy(last()));
  });
});

describe('is not replaced', () => {
  const refused = (txid: string, code: string): Promise<unknown> =>
    Promise.all(
      (['replace', 'cancel'] as const).map((kind) =>
        expect(payer.payments.replace(kind, { txid, feeratePerVbyte: 50 })).rejects.toMatchObject({ code }),
      ),
    );

  it('what nobody knows', () => refused('07'.repeat(32), 'PaymentUnknown'));

  it('a payment that is in a block', async () => {
    payer.wallet.transactionConfirmed(txOf(first), 1_001);
    await refused(first.txid, 'PaymentNotReplaceable');
  });

  it('a payment whose change something has spent, which would go with it', async () => {
    await payer.pay({ address: ELSEWHERE, amountSat: 20_000n });
    await refused(first.txid, 'PaymentNotReplaceable');
  });

  it('a payment whose change the funding of a channel spends that is not signed yet', async () => {
    const output = { amountSat: 30_000n, script: scriptOfAddress(ELSEWHERE, 'regtest') };
    const { coins } = payer.wallet.buildFunding(output, payer.onchainTerms());
    await refused(first.txid, 'PaymentNotReplaceable');
    payer.wallet.unlock(coins);
    await payer.payments.replace('replace', { txid: first.txid });
    expect(payer.sends).toHaveLength(2);
  });

  it('a payment of many coins whose change is spent while its replacement is signed, which the payer is told', async () => {
    await paid(20_000n * 25n, ...Array.from({ length: 25 }, () => 21_000n));
    let second: OnchainSent | undefined;
    payer.betweenTurns = (goOn) => {
      payer.betweenTurns = (next) => next();
      void payer.pay({ address: ELSEWHERE, amountSat: 5_000n }).then((sent) => {
        second = sent;
        goOn();
      });
    };
    await expect(payer.payments.replace('cancel', { txid: first.txid })).rejects.toMatchObject({
      code: 'CoinsChanged',
    });
    expect(payer.sent.wanted().map(({ txid }) => txid)).toEqual([first.txid, second?.txid]);
    expect(payer.wallet.state.locked).toEqual([]);
  });

  it('a payment of many coins that confirms while its replacement is signed', async () => {
    await paid(20_000n * 25n, ...Array.from({ length: 30 }, () => 21_000n));
    payer.betweenTurns = (goOn) => {
      payer.wallet.transactionConfirmed(txOf(first), 1_001);
      goOn();
    };
    await expect(payer.payments.replace('cancel', { txid: first.txid })).rejects.toMatchObject({
      code: 'CoinsChanged',
    });
    expect([payer.sends, payer.wallet.state.locked]).toEqual([[first], []]);
  });
});
