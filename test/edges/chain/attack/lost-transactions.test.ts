import { describe, expect, it } from 'vitest';
import { followerOf, fundings, paying, scriptOf, serverOf, type Lie } from './fake-chain.ts';

describe('a server that has lost its transactions', () => {
  it('does not tell that the output of a funding that is in a block is unspent', async () => {
    const { chain, outpoints } = fundings(1);
    let isLost = false;
    const gateway: Lie = (path) =>
      isLost && path.startsWith('/tx/') ? new Response('no such route', { status: 404 }) : undefined;
    const { sync, watchList } = followerOf([serverOf('gateway', chain, gateway)]);
    for (const { txid, vout } of outpoints) {
      watchList.registerTx(txid);
      watchList.registerOutput({ txid, vout });
    }
    await sync.poll();
    isLost = true;
    chain.mine(paying(scriptOf(4), outpoints));
    await expect(sync.poll()).rejects.toMatchObject({ code: 'ChainSourceBadReply' });
  });
});
