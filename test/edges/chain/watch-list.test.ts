import { describe, expect, it } from 'vitest';
import { WatchList } from '../../../worker/edges/chain/watch-list.ts';

const TXID = new Uint8Array(32).fill(7);
const SHOWN = '07'.repeat(32);

describe('a transaction that two channels name as their funding', () => {
  it('is asked for until neither of them is watched', () => {
    const list = new WatchList();
    list.registerTx(TXID);
    list.registerOutput({ txid: TXID, vout: 0 });
    list.registerOutput({ txid: TXID, vout: 1 });

    list.unregisterOutput({ txid: TXID, vout: 1 });
    expect([...list.items.keys()]).toEqual([`tx:${SHOWN}`, `output:${SHOWN}:0`]);
    list.unregisterOutput({ txid: TXID, vout: 0 });
    expect([[...list.items.keys()], [...list.fresh]]).toEqual([[], []]);
  });
});
