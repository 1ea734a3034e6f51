import { describe, expect, it } from 'vitest';
import { scripthash } from '../../../../worker/engine/wallet/address.ts';
import {
  confirmedOf,
  FakeChain,
  followerOf,
  json,
  nameOfTx,
  paying,
  scriptOf,
  serverOf,
  type Lie,
} from './fake-chain.ts';

const script = scriptOf(1);
const asksFor = `/scripthash/${scripthash(script)}`;

describe('a transaction of a block that has nothing to do with a script', () => {
  it('which one server lists for it, hides no coin that another one shows', async () => {
    const chain = new FakeChain();
    const unrelated = paying(scriptOf(2));
    chain.mine(unrelated);
    const lie: Lie = (path) => {
      if (path === asksFor) return json({ chain_stats: { tx_count: 1 }, mempool_stats: { tx_count: 0 } });
      return path.startsWith(asksFor)
        ? json([{ txid: nameOfTx(unrelated), status: chain.statusOf(nameOfTx(unrelated)) }])
        : undefined;
    };
    const { sync, watchList, updates } = followerOf([serverOf('liar', chain, lie), serverOf('honest', chain)]);
    watchList.registerScript(script);
    await sync.poll();
    const paid = paying(script);
    chain.mine(paid);
    for (let block = 0; block < 3; block++) {
      await sync.poll();
      chain.mine();
    }
    expect(confirmedOf(updates)).toContain(nameOfTx(paid));
  });
});
