import { beforeEach, expect, it } from 'vitest';
import { quoteFound } from '../../worker/client/found-coins.ts';
import { AT, FakePayer } from './fake-payer.ts';

let payer: FakePayer;

const find = (from: number, to: number): void => {
  for (let index = from; index < to; index++) payer.find({ branch: 'legacy', index }, 10_000n);
};
const foundSat = (): bigint => payer.wallet.balance(0n, 0).foundSat;

beforeEach(() => {
  payer = new FakePayer();
  find(0, 25);
});

it('a sweep brings and costs what was quoted, to one address', async () => {
  const { amountSat, feeSat, feeratePerVbyte, transactions } = quoteFound(payer);
  const swept = await payer.payments.sweep({ maxFeeSat: feeSat });
  const txids = payer.sends.map(({ txid }) => txid);
  expect([swept, transactions]).toEqual([{ txid: txids[0], txids, feeSat }, 2]);
  const common = { at: AT, fate: { kind: 'waiting' }, address: payer.sends[0]?.address, amountSat: 0n };
  expect(payer.sends).toMatchObject([common, common]);
  expect([amountSat + feeSat, feeratePerVbyte]).toEqual([250_000n, 4]);
  expect(payer.wallet.balance(0n, 0)).toMatchObject({ foundSat: 0n, unconfirmedSat: amountSat });
});

it('what comes while it goes on waits for the next one, and neither is of coins of the other', async () => {
  const { feeSat } = quoteFound(payer);
  payer.betweenTurns = (goOn) => {
    payer.betweenTurns = (next) => next();
    find(25, 50);
    expect(quoteFound(payer)).toMatchObject({ feeSat, transactions: 2 });
    goOn();
  };
  expect(await payer.payments.sweep({ maxFeeSat: feeSat })).toMatchObject({ feeSat });
  expect(foundSat()).toBe(250_000n);
});

it('nothing is sent where a coin of it goes elsewhere while it is signed', async () => {
  payer.betweenTurns = (goOn) => {
    payer.betweenTurns = (next) => next();
    payer.wallet.transactionUnconfirmed(payer.wallet.state.coins[0]?.txid ?? new Uint8Array(32));
    goOn();
  };
  await expect(payer.payments.sweep({})).rejects.toMatchObject({ code: 'CoinsChanged' });
  expect([payer.sends, foundSat()]).toEqual([[], 240_000n]);
});

it('nothing is sent for more than was agreed to, or where nothing is worth it', async () => {
  const { feeSat } = quoteFound(payer);
  await expect(payer.payments.sweep({ maxFeeSat: feeSat - 1n })).rejects.toMatchObject({ code: 'FeeTooHigh' });
  payer.feeratePerKw = 50_000;
  expect(() => quoteFound(payer)).toThrow(expect.objectContaining({ code: 'NothingToSweep' }) as Error);
  await expect(payer.payments.sweep({})).rejects.toMatchObject({ code: 'NothingToSweep' });
  expect(payer.sends).toEqual([]);
});
