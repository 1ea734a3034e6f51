import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { activityOf } from '../../worker/client/activity.ts';
import type { Activity } from '../../worker/client/api.ts';
import { planOnchain, sendOnchain, type OnchainRequest } from '../../worker/client/onchain-payment.ts';
import type { ChainPlatform } from '../../worker/edges/chain/platform.ts';
import { mnemonicSeed } from '../../worker/engine/keys/mnemonic.ts';
import { fromHex } from '../../worker/engine/primitives/bytes.ts';
import { decodeTransaction } from '../../worker/engine/transactions/transaction.ts';
import { Descriptors } from '../../worker/engine/wallet/descriptors.ts';
import type { WalletTransaction } from '../../worker/engine/wallet/wallet-transaction.ts';
import { servedBy } from '../onchain/served.ts';
import { MemoryDisk } from '../simulation/memory-store.ts';
import { RegtestChain } from '../world/chain.ts';
import { CALM_FEES } from '../world/esplora.ts';
import { FakeNode, MNEMONIC } from './fake-node.ts';
import { paidFrom } from '../engine/wallet/paid.ts';

const ELSEWHERE = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
/** P2WSH of some script. */
const FUNDING_SCRIPT = Uint8Array.of(0, 32, ...new Uint8Array(32));
const MINUTE_S = 60;
const REFUSAL = 'sendrawtransaction RPC error: {"message":"min relay fee not met, 100 < 141"}';

/** What a server does with what it is sent, and whether it shows what is not in a block. */
type Conduct =
  | 'takes'
  /** A refusal, and it keeps what it refuses. */
  | 'refuses'
  /** It says that it takes it, and keeps it to itself. */
  | 'swallows'
  | 'fails';

let chain: RegtestChain;
let fake: FakeNode;
let disk: MemoryDisk;
let conducts: Conduct[];
/** What was sent to servers that did not pass it on. */
let kept: Uint8Array[];

beforeEach(async () => {
  kept = [];
  chain = await RegtestChain.start();
});
afterEach(async () => {
  await fake.stop();
  await chain.stop();
});

/** A node over as many servers, each with the chain's blocks. */
function start(...of: readonly Conduct[]): void {
  conducts = [...of];
  const { fetch } = servedBy(chain, { feeEstimates: CALM_FEES, packages: true });
  const server: Pick<ChainPlatform, 'fetch'> = {
    fetch: (url, init) => {
      const conduct = conducts[Number(/\d+/.exec(url)?.[0])] ?? 'takes';
      if (init?.method !== 'POST' || conduct === 'takes') return fetch(url, init);
      const raw = fromHex(String(init.body));
      if (conduct === 'fails') return Promise.reject(new TypeError('fetch failed'));
      kept.push(raw);
      return Promise.resolve(
        conduct === 'refuses' ? new Response(REFUSAL, { status: 400 }) : new Response('taken', { status: 200 }),
      );
    },
  };
  const esploraUrls = of.map((_, index) => `http://server${index}.test`);
  fake = new FakeNode([], disk, server, { esploraUrls });
}

/** A node with so many coins of 100,000 sat each, in blocks. */
async function startWith(coins: number, ...of: readonly Conduct[]): Promise<void> {
  disk = new MemoryDisk();
  start(...of);
  await fake.pass(MINUTE_S);
  for (let coin = 0; coin < coins; coin++) {
    const address = fake.node.turns.turn(() => fake.node.wallet.newAddress());
    await chain.fund(address, 100_000);
    await mine();
  }
  expect(fake.node.wallet.balance(0n, 0).confirmedSat).toBe(BigInt(coins) * 100_000n);
}

/** What was just paid leaves, and the chain grows by a block. */
async function mine(): Promise<void> {
  await fake.pass(10);
  await chain.mine(1);
  await fake.pass(MINUTE_S);
}

async function restart(): Promise<void> {
  await fake.stop();
  disk = fakeDisk();
  start(...conducts);
  await fake.pass(MINUTE_S);
}

const fakeDisk = (): MemoryDisk => {
  const next = new MemoryDisk();
  next.apply(new Map(disk.durable));
  return next;
};

const pay = (amountSat: bigint | 'all'): string => payTo({ address: ELSEWHERE, amountSat });

function payTo(request: OnchainRequest): string {
  const { node, timers } = fake;
  return node.turns.turn(() => {
    const signed = planOnchain(node.payer, request).map((planned) => node.wallet.payments.sign(planned));
    return sendOnchain(node.payer, request, signed, timers.now())[0] ?? '';
  });
}

async function replaceBy(txid: string, feeratePerVbyte: number): Promise<{ readonly txid: string }> {
  const sent = fake.node.payments.replace('replace', { txid, feeratePerVbyte });
  await fake.pass(10);
  return sent;
}

/** The funding of a channel that has its signatures. */
function fund(amountSat: bigint): WalletTransaction {
  const { node } = fake;
  return node.turns.turn(() => {
    const built = node.wallet.buildFunding({ amountSat, script: FUNDING_SCRIPT }, node.payer.onchainTerms());
    node.wallet.transactionMade(built.tx);
    return built;
  });
}

/** A coin on an address of BIP 44, as after a restore. */
function find(amountSat: bigint): void {
  const { node } = fake;
  const script = new Descriptors(mnemonicSeed(MNEMONIC), 'regtest').script({ branch: 'legacy', index: 0 });
  const inputs = [
    { txid: new Uint8Array(32).fill(9), vout: 0, sequence: 0, scriptSig: new Uint8Array(0), witness: [] },
  ];
  node.wallet.scripts.watched();
  node.turns.turn(() =>
    node.wallet.transactionConfirmed({ version: 2, inputs, outputs: [{ amountSat, script }], locktime: 0 }, 1),
  );
}

const rows = (): readonly Activity[] => activityOf(fake.node, fake.timers.now(), 100);
const row = (txid: string): Activity | undefined => rows().find(({ id }) => id === txid);
const spendableSat = (): bigint => fake.node.wallet.balance(0n, 0).spendableSat;
const rawOf = (txid: string): Uint8Array => fake.node.rows.sent.get(txid)?.rawTx ?? new Uint8Array(0);
const inputsOf = (txid: string): readonly string[] =>
  decodeTransaction(
    fake.node.rows.sent.list().find((send) => send.txid === txid)?.rawTx ?? new Uint8Array(0),
  ).inputs.map((input) => `${String(input.txid)}:${input.vout}`);

describe('a payment that every server refuses', () => {
  it('has failed after a while, its coins come back, and neither a block nor a restart forgets it', async () => {
    await startWith(2, 'refuses', 'refuses');
    const before = spendableSat();
    const txid = pay(50_000n);
    await fake.pass(20);
    expect(row(txid)).toMatchObject({ state: 'pending', problem: { code: 'SendRefusedForNow' } });
    expect(spendableSat()).toBeLessThan(before);
    await fake.pass(5 * MINUTE_S);
    const failed = { state: 'failed', feeMsat: 0n, problem: { code: 'SendRefused' } };
    expect([row(txid), spendableSat()]).toMatchObject([failed, before]);
    const { length } = kept;
    await mine();
    await restart();
    await mine();
    expect([row(txid), spendableSat(), kept.length]).toMatchObject([failed, before, length]);
  });

  it('is not given up while one cannot be reached, which may have it, for ten minutes', async () => {
    await startWith(1, 'refuses', 'fails');
    const txid = pay(50_000n);
    await fake.pass(8 * MINUTE_S);
    expect(row(txid)?.state).toBe('pending');
    await fake.pass(30 * MINUTE_S);
    expect(row(txid)?.state).toBe('failed');
  });

  it('is not given up where one has taken it once, also after a restart', async () => {
    await startWith(1, 'swallows', 'refuses');
    const txid = pay(50_000n);
    await fake.pass(MINUTE_S);
    conducts = ['refuses', 'refuses'];
    await restart();
    await fake.pass(60 * MINUTE_S);
    expect(row(txid)).toMatchObject({ state: 'pending', problem: { code: 'SendRefusedForNow' } });
    expect(spendableSat()).toBeLessThan(50_000n);
  });

  it('is given up though for a while none could be reached: no answer is no word that it was taken', async () => {
    await startWith(1, 'refuses', 'refuses');
    const txid = pay(50_000n);
    await fake.pass(20);
    conducts = ['fails', 'fails'];
    await fake.pass(MINUTE_S);
    expect(row(txid)).toMatchObject({ state: 'pending' });
    expect(row(txid)?.problem).toBeUndefined();
    conducts = ['refuses', 'refuses'];
    await fake.pass(30 * MINUTE_S);
    expect(row(txid)?.state).toBe('failed');
  });

  it('takes those with it that spend its change', async () => {
    await startWith(1, 'refuses');
    const before = spendableSat();
    const [first, second] = [pay(20_000n), pay(30_000n)];
    await fake.pass(5 * MINUTE_S);
    expect([row(first)?.state, row(second)?.state, spendableSat()]).toEqual(['failed', 'failed', before]);
  });

  it('is not given up where a channel is built on it, be it on the change of a payment that spends its change', async () => {
    await startWith(1, 'refuses');
    const [first, second] = [pay(20_000n), pay(30_000n)];
    const { txid } = fund(20_000n);
    await fake.pass(5 * MINUTE_S);
    expect([row(first)?.state, row(second)?.state]).toEqual(['pending', 'pending']);
    expect(fake.node.wallet.coinsSpentBy(txid)).toHaveLength(1);
  });

  it('never stands beside the one that is paid in its place: what the server kept cannot come then', async () => {
    await startWith(3, 'refuses');
    const first = pay(150_000n);
    await fake.pass(5 * MINUTE_S);
    conducts = ['takes'];
    const second = pay(10_000n);
    expect(inputsOf(second).some((coin) => inputsOf(first).includes(coin))).toBe(true);
    await mine();
    expect(row(second)?.state).toBe('succeeded');
    await expect(chain.submit(kept[0] ?? new Uint8Array(0))).rejects.toThrow();
    expect(row(first)).toMatchObject({ state: 'failed', problem: { code: 'SendDisplaced' } });
    // From here on payments are free to take what they like.
    expect(fake.node.payer.onchainTerms().against).toEqual([]);
  });

  it('does not stand beside the one that is paid in place of two, where both spent what one payment had left', async () => {
    await startWith(1, 'takes');
    const own = fake.node.turns.turn(() => fake.node.wallet.newAddress());
    payTo({ address: own, amountSat: 40_000n });
    await fake.pass(10);
    conducts = ['refuses'];
    const [first, second] = [pay(20_000n), pay(30_000n)];
    await fake.pass(5 * MINUTE_S);
    expect([row(first)?.state, row(second)?.state]).toEqual(['failed', 'failed']);
    conducts = ['takes'];
    const third = pay(10_000n);
    await mine();
    expect(row(third)?.state).toBe('succeeded');
    for (const rawTx of kept) await expect(chain.submit(rawTx)).rejects.toThrow();
  });

  it('is counted where it comes all the same, and the other is told to have failed', async () => {
    await startWith(3, 'refuses');
    const before = spendableSat();
    const first = pay(150_000n);
    await fake.pass(5 * MINUTE_S);
    const second = pay(150_000n);
    await chain.submit(kept[0] ?? new Uint8Array(0));
    await mine();
    expect(row(first)).toMatchObject({ state: 'succeeded', amountMsat: 150_000_000n });
    expect(row(second)).toMatchObject({ state: 'failed', problem: { code: 'SendDisplaced' }, feeMsat: 0n });
    const costSat = 150_000n + (row(first)?.feeMsat ?? 0n) / 1_000n;
    expect(spendableSat()).toBe(before - costSat);
  });

  it('counts as pending again where a server shows it, and nothing has spent its coins', async () => {
    await startWith(1, 'refuses');
    const txid = pay(50_000n);
    await fake.pass(5 * MINUTE_S);
    expect(row(txid)?.state).toBe('failed');
    await chain.submit(kept[0] ?? new Uint8Array(0));
    fake.node.wake();
    await fake.pass(MINUTE_S);
    expect(row(txid)?.state).toBe('pending');
    await mine();
    expect(row(txid)?.state).toBe('succeeded');
  });

  it('holds up a payment that could stand beside it, until a block rules that out', async () => {
    await startWith(2, 'refuses');
    const address = fake.node.turns.turn(() => fake.node.wallet.newAddress());
    pay(150_000n);
    await fake.pass(5 * MINUTE_S);
    conducts = ['swallows'];
    pay('all');
    await chain.fund(address, 100_000);
    await mine();
    expect(spendableSat()).toBe(100_000n);
    for (const amountSat of [10_000n, 'all'] as const)
      expect(() => pay(amountSat)).toThrow(expect.objectContaining({ code: 'EarlierPaymentUnsettled' }) as Error);
    conducts = ['takes'];
    await mine();
    await mine();
    expect(pay(10_000n)).toMatch(/^[0-9a-f]{64}$/);
  });

  it('holds up nothing where it only brought to the wallet what was found on other addresses of its words', async () => {
    await startWith(1, 'refuses');
    find(10_000n);
    const sweep = fake.node.payments.sweep({});
    await fake.pass(5 * MINUTE_S);
    expect(row((await sweep).txids[0] ?? '')?.state).toBe('failed');
    expect(pay(10_000n)).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('a payment that was replaced', () => {
  it('is seen in the block that has it all the same, also where what replaced it spends more coins', async () => {
    await startWith(1, 'takes');
    const { node } = fake;
    await chain.fund(
      node.turns.turn(() => node.wallet.newAddress()),
      50_000,
    );
    await mine();
    const txid = pay(99_500n);
    const { rawTx = new Uint8Array(0) } = node.rows.sent.list()[0] ?? {};
    await fake.pass(10);
    const { txid: other } = await replaceBy(txid, 100);
    expect(inputsOf(other)).toHaveLength(2);
    await fake.pass(MINUTE_S);
    await chain.forget(node.rows.sent.get(other)?.rawTx ?? rawTx);
    await chain.submit(rawTx);
    await mine();
    expect([row(txid)?.state, row(other)?.state]).toEqual(['succeeded', 'replaced']);
  });
});

describe('a payment that was replaced by one that a block rules out', () => {
  it('does not stand beside the one that is paid in its place: its own coins are free, and it may come', async () => {
    await startWith(2, 'takes');
    const replaced = pay(95_000n);
    await fake.pass(10);
    conducts = ['refuses'];
    const refused = pay(50_000n);
    await fake.pass(5 * MINUTE_S);
    conducts = ['takes'];
    const { txid: other } = await replaceBy(replaced, 100);
    await fake.pass(MINUTE_S);
    await chain.forget(rawOf(other));
    await chain.submit(rawOf(refused));
    await chain.fund(
      fake.node.turns.turn(() => fake.node.wallet.newAddress()),
      200_000,
    );
    await mine();
    expect([refused, other, replaced].map((txid) => row(txid)?.state)).toEqual(['succeeded', 'failed', 'failed']);
    pay(95_000n);
    await mine();
    await expect(chain.submit(rawOf(replaced))).rejects.toThrow();
    expect(row(replaced)).toMatchObject({ problem: { code: 'SendDisplaced' } });
  });
});

describe('a payment out of what the funding of a channel left', () => {
  it('has failed where a block has another transaction that spends a coin of the funding', async () => {
    await startWith(1, 'refuses');
    const refused = pay(50_000n);
    await fake.pass(5 * MINUTE_S);
    conducts = ['takes'];
    const funding = fund(20_000n);
    await chain.submit(funding.rawTx);
    const txid = pay(10_000n);
    await fake.pass(MINUTE_S);
    expect(row(txid)).toMatchObject({ state: 'pending' });
    await chain.forget(funding.rawTx);
    await chain.submit(rawOf(refused));
    await mine();
    expect([row(refused)?.state, row(txid)?.problem?.code]).toEqual(['succeeded', 'SendDisplaced']);
  });
});

describe('a payment whose coin another device took', () => {
  it('is not sent again where the block of that is gone, and counts again where a server shows it', async () => {
    await startWith(1, 'takes');
    const before = spendableSat();
    const elsewhere = paidFrom(fake.node.payer.draftWallet(), ELSEWHERE, 20_000n, {
      feeratePerKw: 5_000,
      reserveSat: 0n,
    });
    const txid = pay(50_000n);
    const paidSat = before - spendableSat();
    const { rawTx = new Uint8Array(0) } = fake.node.rows.sent.list()[0] ?? {};
    await fake.pass(10);
    await chain.forget(rawTx);
    await chain.submit(elsewhere.rawTx);
    await mine();
    expect(row(txid)).toMatchObject({ state: 'failed', problem: { code: 'SendDisplaced' } });
    await chain.reorg(1, { keepOut: true });
    await mine();
    expect(row(txid)).toMatchObject({ state: 'failed', problem: { code: 'SendRefused' } });
    expect(spendableSat()).toBe(before);
    await chain.submit(rawTx);
    fake.node.wake();
    await fake.pass(MINUTE_S);
    expect([row(txid)?.state, before - spendableSat()]).toEqual(['pending', paidSat]);
  });
});

describe('a payment whose coin leaves the chain', () => {
  it('has it again where that comes back', async () => {
    await startWith(2, 'takes');
    const txid = pay(150_000n);
    const leftSat = spendableSat();
    const { txs } = chain.tip;
    await chain.reorg(1, { keepOut: true });
    await fake.pass(MINUTE_S);
    expect(spendableSat()).toBe(100_000n);
    for (const tx of txs.slice(1)) await chain.submit(tx.toRaw());
    fake.node.wake();
    await mine();
    expect([row(txid)?.state, spendableSat()]).toEqual(['pending', leftSat]);
  });
});

describe('a payment that a server takes and keeps to itself', () => {
  it('is told as unseen after minutes, and is in a block once another server takes it', async () => {
    await startWith(1, 'swallows', 'refuses');
    const txid = pay(50_000n);
    await fake.pass(10 * MINUTE_S);
    expect(row(txid)).toMatchObject({ state: 'pending', problem: { code: 'SendUnseen' } });
    expect(fake.node.chain.status).toMatchObject({ kind: 'synced', unseen: 1 });
    conducts = ['swallows', 'takes'];
    await fake.pass(20 * MINUTE_S);
    expect(row(txid)?.problem).toBeUndefined();
    await mine();
    expect(row(txid)?.state).toBe('succeeded');
    expect(fake.node.chain.status).not.toHaveProperty('unseen');
  });

  it('is at the other at once where that is honest', async () => {
    await startWith(1, 'swallows', 'takes');
    const txid = pay(50_000n);
    await fake.pass(MINUTE_S);
    expect(fake.node.chain.standing(txid)).toEqual({ kind: 'seen' });
    await mine();
    expect(row(txid)).toMatchObject({ state: 'succeeded' });
  });
});
