import { describe, expect, it } from 'vitest';
import type { ChainUpdate } from '../../../../worker/edges/chain/chain-update.ts';
import { toHex } from '../../../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../../../worker/engine/primitives/secp256k1.ts';
import { encodeTransaction, type Transaction } from '../../../../worker/engine/transactions/transaction.ts';
import { scripthash, scriptOfAddress } from '../../../../worker/engine/wallet/address.ts';
import { Descriptors } from '../../../../worker/engine/wallet/descriptors.ts';
import { OnchainWallet } from '../../../../worker/engine/wallet/wallet.ts';
import { FakeChain, followerOf, isNamed, json, nameOfTx, paying, scriptOf, serverOf, type Lie } from './fake-chain.ts';

const script = scriptOf(1);
const asksFor = `/scripthash/${scripthash(script)}`;

describe('a payment in the mempool', () => {
  it('is not dropped because somebody has filled the page with dust that it was on', async () => {
    const chain = new FakeChain();
    const paid = paying(script);
    chain.mempool = [paid];
    const { sync, watchList, updates } = followerOf([serverOf('honest', chain)]);
    watchList.registerScript(script);
    await sync.poll();
    // Of a mempool Esplora lists fifty.
    chain.mempool.push(...Array.from({ length: 60 }, () => paying(script)));
    await sync.poll({ everything: true });
    expect(updates.filter(({ dropped }) => isNamed(dropped, paid))).toEqual([]);
  });

  it('is not dropped because a server that came late to the tip does not have it', async () => {
    const chain = new FakeChain();
    const paid = paying(script);
    chain.mempool = [paid];
    let lateAt: string | undefined;
    const late: Lie = (path) => {
      if (path === '/blocks/tip/hash' && lateAt !== undefined) return new Response(lateAt);
      if (path === asksFor) return json({ chain_stats: { tx_count: 0 }, mempool_stats: { tx_count: 0 } });
      return path.startsWith(asksFor) ? json([]) : undefined;
    };
    const { sync, watchList, updates } = followerOf([serverOf('honest', chain), serverOf('late', chain, late)]);
    watchList.registerScript(script);
    await sync.poll();
    lateAt = chain.tip.hash;
    chain.mine();
    await sync.poll();
    lateAt = undefined;
    await sync.poll();
    expect(updates.filter(({ dropped }) => isNamed(dropped, paid))).toEqual([]);
    // Another payment has taken its coins.
    chain.mempool = [];
    await sync.poll({ everything: true });
    expect(isNamed(updates.at(-1)?.dropped ?? [], paid)).toBe(true);
  });

  it('that one server says to be in a block which nobody knows is dropped once it is gone', async () => {
    const chain = new FakeChain();
    const paid = paying(script);
    chain.mempool = [paid];
    let isLying = false;
    const lie: Lie = (path) => {
      if (!isLying || !path.startsWith(asksFor)) return undefined;
      if (path === asksFor) return json({ chain_stats: { tx_count: 1 }, mempool_stats: { tx_count: 0 } });
      const status = { confirmed: true, block_height: 1, block_hash: 'ab'.repeat(32) };
      return json([{ txid: nameOfTx(paid), status }]);
    };
    const { sync, watchList, updates } = followerOf([serverOf('liar', chain, lie), serverOf('honest', chain)]);
    watchList.registerScript(script);
    await sync.poll();
    isLying = true;
    await sync.poll({ everything: true });
    // Another payment has taken its coins.
    chain.mempool = [];
    for (let block = 0; block < 2; block++) {
      chain.mine();
      await sync.poll();
    }
    expect(updates.filter(({ dropped }) => isNamed(dropped, paid))).not.toEqual([]);
  });
});

/** A server that wants addresses, and has a payment in its mempool to each that it is told. */
function inventing(): Lie {
  const invented = new Map<string, Transaction>();
  return (path) => {
    if (path.startsWith('/scripthash/')) return new Response('not found', { status: 404 });
    const [, route, of = '', below] = path.split('/');
    if (route === 'tx' && invented.has(of) && below === 'hex')
      return new Response(toHex(encodeTransaction(invented.get(of) ?? paying(script))));
    if (route !== 'address') return undefined;
    if (below === undefined) return json({ chain_stats: { tx_count: 0 }, mempool_stats: { tx_count: 1 } });
    const tx = paying(scriptOfAddress(of, 'regtest'));
    invented.set(nameOfTx(tx), tx);
    return json([{ txid: nameOfTx(tx), status: { confirmed: false } }]);
  };
}

describe('a search from the words', () => {
  it('ends though one of two servers invents a payment to every address that it is asked for', async () => {
    const chain = new FakeChain();
    const wallet = new OnchainWallet(secp, new Descriptors(new Uint8Array(64).fill(1), 'regtest'));
    const watchAll = (): void => {
      for (const watched of wallet.scripts.watched()) watchList.registerScript(watched);
    };
    const onUpdate = ({ mempool }: ChainUpdate): void => {
      for (const tx of mempool) wallet.transactionSeen(tx);
      watchAll();
    };
    const servers = [serverOf('honest', chain), serverOf('liar', chain, inventing())];
    const { sync, watchList } = followerOf(servers, { onUpdate });
    watchAll();
    await sync.poll();
    expect(watchList.fresh.size).toBe(0);
  });
});
