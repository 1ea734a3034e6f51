import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Activity } from '../../worker/client/api.ts';
import { decodeTransaction, transactionWeight } from '../../worker/engine/transactions/transaction.ts';
import { scriptOfAddress } from '../../worker/engine/wallet/address.ts';
import { World } from '../world/world.ts';
import { Scenario } from './scenario.ts';
import { NodeWallet } from './wallet-in-node.ts';

const ELSEWHERE = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
/** More of them are for a look by hand. */
const COINS = Number(process.env['COINS'] ?? 300);
const EACH_SAT = 5_000;
const IN_A_TRANSACTION = 500;
/** Of each of them the chain checks a signature. */
const PATIENCE_MS = 20_000 + COINS * 50;

let world: World;
let wallet: NodeWallet;
let scenario: Scenario;

beforeAll(async () => {
  world = await World.start({ withoutBob: true });
  wallet = await NodeWallet.openIn(world);
  scenario = new Scenario(world, wallet);
  await wallet.api.createWallet();
  await scenario.until('the chain', () => wallet.told.snapshot.chain.kind === 'synced');
  await fund((await wallet.api.newAddress({ type: 'p2wpkh' })).address);
  await scenario.mine(1);
  const balanceSat = BigInt(COINS * EACH_SAT);
  await scenario.until('the coins', () => wallet.told.snapshot.onchain.spendableSat === balanceSat);
});
afterAll(async () => {
  await wallet.close();
  await world.stop();
});

/** Many coins for one address. */
async function fund(address: string): Promise<void> {
  const script = Buffer.from(scriptOfAddress(address, 'regtest'));
  for (let made = 0; made < COINS; made += IN_A_TRANSACTION) {
    const length = Math.min(IN_A_TRANSACTION, COINS - made);
    await world.chain.submit(world.chain.faucet.build(Array.from({ length }, () => ({ script, sats: EACH_SAT }))));
  }
}

const rows = async (): Promise<readonly Activity[]> =>
  (await wallet.api.activity({ limit: 1_000 })).filter(({ kind }) => kind === 'onchainSent');

/** Pays, and has it confirmed. */
async function pay(amountSat: bigint | 'all'): Promise<{ readonly amountSat: bigint; readonly feeSat: bigint }> {
  const quote = await wallet.api.quoteOnchain({ address: ELSEWHERE, amountSat });
  const paying = wallet.api.sendOnchain({ address: ELSEWHERE, amountSat, maxFeeSat: quote.feeSat });
  await scenario.until('signing', () => wallet.told.snapshot.onchain.signing !== undefined);
  const { txids, feeSat } = await paying;
  expect([txids.length, feeSat]).toEqual([quote.transactions, quote.feeSat]);
  await scenario.until('it is out', () => txids.every((txid) => world.chain.find(txid) !== undefined), PATIENCE_MS);
  for (const txid of txids) {
    const raw = world.chain.find(txid)?.tx.toRaw() ?? new Uint8Array(0);
    expect(transactionWeight(decodeTransaction(raw))).toBeLessThanOrEqual(400_000);
  }
  await scenario.mine(1);
  expect((await rows()).filter(({ id }) => txids.includes(id)).map(({ state }) => state)).toEqual(
    txids.map(() => 'succeeded'),
  );
  return quote;
}

describe('a wallet of many coins', () => {
  it('sends 80 % of them', async () => {
    const before = wallet.told.snapshot.onchain.spendableSat;
    const amountSat = (before * 8n) / 10n;
    const { feeSat } = await pay(amountSat);
    expect(wallet.told.snapshot.onchain.spendableSat).toBe(before - amountSat - feeSat);
  });

  it('sends to two at once, at a feerate and with a label of its owner', async () => {
    const { address } = await wallet.api.newAddress({ type: 'p2wpkh', label: 'to myself' });
    const outputs = [
      { address: ELSEWHERE, amountSat: 20_000n },
      { address, amountSat: 20_000n },
    ];
    const { txid } = await wallet.api.sendOnchain({ outputs, feeratePerVbyte: 7, label: 'rent' });
    await scenario.until('it is out', () => world.chain.find(txid) !== undefined);
    await world.fund(address, 30_000);
    await scenario.mine(1);
    await wallet.restart();
    await scenario.until('the chain', () => wallet.told.snapshot.chain.kind === 'synced');
    const labelled = (await wallet.api.activity({ limit: 1_000 })).filter(({ label }) => label !== undefined);
    expect(labelled).toHaveLength(2);
    expect(labelled).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ id: txid, label: 'rent', amountMsat: 20_000_000n }),
        expect.objectContaining({ kind: 'onchainReceived', label: 'to myself', amountMsat: 30_000_000n }),
      ]),
    );
    const raw = world.chain.find(txid)?.tx.toRaw() ?? new Uint8Array(0);
    const [row] = (await rows()).filter(({ id }) => id === txid);
    expect(Number(row?.feeMsat) / 1_000 / (transactionWeight(decodeTransaction(raw)) / 4)).toBeCloseTo(7, 0);
  });

  const isOut = (txid: string): Promise<unknown> =>
    scenario.until('it is out', () => world.chain.find(txid) !== undefined);
  const stateOf = async (txid: string): Promise<string | undefined> =>
    (await rows()).find(({ id }) => id === txid)?.state;

  it('sends a payment again at a higher fee, and that confirms', async () => {
    const before = wallet.told.snapshot.onchain.spendableSat;
    const first = await wallet.api.sendOnchain({ address: ELSEWHERE, amountSat: 15_000n, feeratePerVbyte: 2 });
    await isOut(first.txid);
    const quote = await wallet.api.quoteBump({ txid: first.txid, feeratePerVbyte: 9 });
    const second = await wallet.api.bumpOnchain({ txid: first.txid, feeratePerVbyte: 9, maxFeeSat: quote.feeSat });
    await isOut(second.txid);
    expect(world.chain.find(first.txid)).toBeUndefined();
    expect([await stateOf(first.txid), await stateOf(second.txid)]).toEqual(['replaced', 'pending']);
    await wallet.restart();
    await scenario.mine(1);
    expect([await stateOf(first.txid), await stateOf(second.txid)]).toEqual(['replaced', 'succeeded']);
    expect(wallet.told.snapshot.onchain).toMatchObject({ spendableSat: before - 15_000n - second.feeSat });
  });

  it('cancels a payment, and that confirms', async () => {
    const before = wallet.told.snapshot.onchain.spendableSat;
    const first = await wallet.api.sendOnchain({ address: ELSEWHERE, amountSat: 15_000n, feeratePerVbyte: 2 });
    await isOut(first.txid);
    const second = await wallet.api.cancelOnchain({ txid: first.txid });
    await isOut(second.txid);
    await scenario.mine(1);
    expect([await stateOf(first.txid), await stateOf(second.txid)]).toEqual(['replaced', 'succeeded']);
    expect(wallet.told.snapshot.onchain).toMatchObject({ spendableSat: before - second.feeSat });
  });

  it('hurries a payment from others, which a block then has with what was paid for it', async () => {
    const before = wallet.told.snapshot.onchain.spendableSat;
    const { address } = await wallet.api.newAddress({ type: 'p2wpkh' });
    const txid = await world.chain.fund(address, 60_000);
    await wallet.api.wake();
    await scenario.until('it is seen', () => wallet.told.snapshot.onchain.unconfirmedSat === 60_000n);
    const request = { txid, feeratePerVbyte: 40 };
    const quote = await wallet.api.quoteBump(request);
    await expect(wallet.api.bumpOnchain({ ...request, maxFeeSat: quote.feeSat - 1n })).rejects.toMatchObject({
      code: 'FeeTooHigh',
    });
    const child = await wallet.api.bumpOnchain({ ...request, maxFeeSat: quote.feeSat });
    await isOut(child.txid);
    const both = [txid, child.txid].map((each) => world.chain.mempoolEntries().find(({ tx }) => tx.txid() === each));
    const [feeSat, weight] = both.reduce<readonly [number, number]>(
      ([fees, weights], entry) => [
        fees + (entry?.fee ?? 0),
        weights + transactionWeight(decodeTransaction(entry?.tx.toRaw() ?? new Uint8Array(0))),
      ],
      [0, 0],
    );
    expect((feeSat * 4) / weight).toBeGreaterThanOrEqual(40);
    expect((feeSat * 4) / weight).toBeLessThan(41);
    expect(await stateOf(child.txid)).toBe('pending');
    await scenario.mine(1);
    const all = await wallet.api.activity({ limit: 1_000 });
    expect([txid, child.txid].map((id) => all.find((row) => row.id === id)?.state)).toEqual(['succeeded', 'succeeded']);
    expect(wallet.told.snapshot.onchain).toMatchObject({ spendableSat: before + 60_000n - child.feeSat });
    await expect(wallet.api.quoteBump(request)).rejects.toMatchObject({ code: 'PaymentUnknown' });
  });

  it('sends everything', async () => {
    const before = wallet.told.snapshot.onchain.spendableSat;
    const { amountSat, feeSat } = await pay('all');
    expect(amountSat + feeSat).toBe(before);
    expect(wallet.told.snapshot.totalMsat).toBe(0n);
  });
});
