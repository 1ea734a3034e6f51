import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Transaction } from '../../worker/engine/transactions/transaction.ts';
import { scripthash } from '../../worker/engine/wallet/address.ts';
import { FakeChain, json, nameOfTx, paying, type Lie } from '../edges/chain/attack/fake-chain.ts';
import { MemoryDisk } from '../simulation/memory-store.ts';
import { FakeNode } from './fake-node.ts';

const MINUTE_S = 60;
let chain: FakeChain;
let fake: FakeNode;
/** What the first of two servers says instead of the truth. */
let lie: Lie;

beforeEach(() => {
  chain = new FakeChain();
  lie = () => undefined;
  const fetch = async (url: string): Promise<Response> => {
    const path = url.slice('http://a.test'.length);
    return (url.startsWith('http://a.') ? await lie(path) : undefined) ?? chain.answer(path);
  };
  fake = new FakeNode([], new MemoryDisk(), { fetch }, { esploraUrls: ['http://a.test', 'http://b.test'] });
});
afterEach(() => fake.stop());

function newScript(): Uint8Array {
  const script = fake.node.turns.turn(() => fake.node.wallet.newScript('receive'));
  fake.node.watchScripts();
  return script;
}

async function mine(...txs: readonly Transaction[]): Promise<void> {
  chain.mine(...txs);
  await fake.pass(MINUTE_S);
}

it('stays confirmed where one of two servers shows its transaction in the mempool of another script, and then no more', async () => {
  await fake.pass(10);
  const [paid, other] = [newScript(), newScript()];
  const payment = paying(paid);
  await mine(payment);
  const route = `/scripthash/${scripthash(other)}`;
  lie = (path) => {
    if (path === route) return json({ chain_stats: { tx_count: 0 }, mempool_stats: { tx_count: 1 } });
    return path === `${route}/txs` ? json([{ txid: nameOfTx(payment), status: { confirmed: false } }]) : undefined;
  };
  await mine();
  expect(fake.node.wallet.balance(0n, 0)).toMatchObject({ confirmedSat: 70_000n, unconfirmedSat: 0n });
  lie = () => undefined;
  await mine();
  expect(fake.node.wallet.balance(0n, 0)).toMatchObject({ confirmedSat: 70_000n, unconfirmedSat: 0n });
});
