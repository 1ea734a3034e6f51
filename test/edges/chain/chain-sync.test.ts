import { describe, expect, it } from 'vitest';
import { Backoff } from '../../../worker/edges/chain/backoff.ts';
import type { ChainUpdate } from '../../../worker/edges/chain/chain-update.ts';
import { ChainSync } from '../../../worker/edges/chain/chain-sync.ts';
import { WatchList } from '../../../worker/edges/chain/watch-list.ts';
import { reversed, toHex } from '../../../worker/engine/primitives/bytes.ts';
import { encodeTransaction, transactionId } from '../../../worker/engine/transactions/transaction.ts';
import { FakePlatform, type Answer } from './fake-platform.ts';
import { regtestChain } from './regtest-headers.ts';
import { esploraAt } from './esplora-at.ts';
import { syncOf } from './sync-of.ts';

describe('Backoff', () => {
  it('doubles up to its most, and starts again after a success', () => {
    const backoff = new Backoff(1000, 5000);
    expect([backoff.failed(), backoff.failed(), backoff.failed(), backoff.failed()]).toEqual([1000, 2000, 4000, 5000]);
    backoff.succeeded();
    expect(backoff.failed()).toBe(1000);
  });
});

describe('polling', () => {
  const headers = regtestChain();
  /** Of a sync that was started: how its polls ended, and how many updates it gave. */
  interface Started {
    readonly platform: FakePlatform;
    readonly sync: ChainSync;
    readonly states: (string | undefined)[];
    readonly updates: ChainUpdate[];
  }

  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
  };

  /** Runs what is due after `ms` to its end. */
  const turn = async ({ platform }: Started, ms: number): Promise<void> => {
    platform.advance(ms);
    await settled();
  };

  function start(answer: () => Answer): Started {
    const states: (string | undefined)[] = [];
    const updates: ChainUpdate[] = [];
    const platform = new FakePlatform(answer);
    const sync = syncOf({
      sources: [esploraAt('http://esplora.test', platform)],
      platform,
      onUpdate: (update) => updates.push(update),
      onPolled: (outcome) => states.push(outcome.kind === 'complete' ? undefined : outcome.problem.code),
    });
    sync.start();
    return { platform, sync, states, updates };
  }

  it('goes on at its interval while the source answers', async () => {
    const { platform, sync, states } = start(() => ({ body: headers.tip.header.hash }));
    platform.advance(0);
    await settled();
    expect([states, platform.nextDelayMs]).toEqual([[undefined], 30_000]);
    sync.stop();
    expect(platform.nextDelayMs).toBeUndefined();
  });

  it('asks all sources for their tips, and leaves one alone for a while that fails', async () => {
    let isBroken = true;
    const platform = new FakePlatform(() => ({ body: headers.tip.header.hash }));
    const broken = new FakePlatform(() => (isBroken ? { status: 502, body: '' } : { body: headers.tip.header.hash }));
    const sync = syncOf({
      sources: [esploraAt('http://first.test', broken), esploraAt('http://second.test', platform)],
      platform,
      intervalMs: 1_000,
    });
    sync.start();
    const asked: (readonly [number, number])[] = [];
    for (let poll = 0; poll < 10; poll++) {
      if (poll === 8) isBroken = false;
      if (poll === 9) sync.wake();
      platform.advance(platform.nextDelayMs ?? 0);
      await settled();
      asked.push([broken.requests.length, sync.agreeing]);
    }
    sync.stop();
    const [one, two, three]: readonly (readonly [number, number])[] = [
      [1, 1],
      [2, 1],
      [3, 1],
    ];
    expect(asked.slice(0, 9)).toEqual([one, one, two, two, two, two, three, three, three]);
    expect(asked[9]).toEqual([4, 2]);
    expect(platform.requests.length).toBe(10);
  });

  it('waits longer after every failure, and is at its interval again after a success', async () => {
    let answer: Answer = 'drop';
    const { platform, sync, states } = start(() => answer);
    const delays: (number | undefined)[] = [];
    for (const next of ['drop', { status: 429, body: '' }, { body: headers.tip.header.hash }] as const) {
      answer = next;
      platform.advance(platform.nextDelayMs ?? 0);
      await settled();
      delays.push(platform.nextDelayMs);
    }
    expect(states).toEqual(['ChainSourceUnavailable', 'ChainSourceRateLimited', undefined]);
    expect(delays).toEqual([2000, 4000, 30_000]);
    sync.stop();
  });

  it('waits no longer while each poll brings something more, and does where none does', async () => {
    const none = { funded_txo_count: 0, funded_txo_sum: 0, spent_txo_count: 0, spent_txo_sum: 0, tx_count: 0 };
    let left = 0;
    const platform = new FakePlatform((path) => {
      if (!path.startsWith('/scripthash/')) return { body: headers.tip.header.hash };
      if (left === 0) return { status: 502, body: '' };
      left--;
      return { body: JSON.stringify({ chain_stats: none, mempool_stats: none }) };
    });
    const watchList = new WatchList();
    for (let script = 0; script < 6; script++) watchList.registerScript(new Uint8Array(22).fill(script));
    const sync = syncOf({
      sources: [esploraAt('http://esplora.test', platform)],
      platform,
      watchList,
    });
    sync.start();
    const delays: (number | undefined)[] = [];
    for (const answered of [2, 2, 1, 0, 0, 1]) {
      left = answered;
      platform.advance(platform.nextDelayMs ?? 0);
      await settled();
      delays.push(platform.nextDelayMs);
    }
    sync.stop();
    expect(delays).toEqual([2_000, 2_000, 2_000, 4_000, 8_000, 30_000]);
  });

  it('looks at once when woken while it waits after a failure, and forgets the failures', async () => {
    const started = start(() => 'drop');
    const { platform, sync, states } = started;
    await turn(started, 0);
    await turn(started, 2_000);
    expect([states.length, platform.nextDelayMs]).toEqual([2, 4_000]);
    sync.wake();
    expect(platform.nextDelayMs).toBe(0);
    await turn(started, 0);
    expect([states.length, platform.nextDelayMs]).toEqual([3, 2_000]);
    // The waits that were cut short are gone, not run later.
    await turn(started, 1_999);
    expect(states).toHaveLength(3);
    sync.stop();
  });

  it('asks again for what spends an output in the mempool where the server did not have it yet', async () => {
    const spent = { txid: new Uint8Array(32).fill(1), vout: 0 };
    const inputs = [{ ...spent, sequence: 0, scriptSig: new Uint8Array(0), witness: [] }];
    const tx = { version: 2, inputs, outputs: [{ amountSat: 1_000n, script: new Uint8Array(22) }], locktime: 0 };
    const txid = transactionId(tx);
    const spender = toHex(reversed(txid));
    let isThere = false;
    const platform = new FakePlatform((path) => {
      if (path.endsWith('/outspend/0'))
        return { body: JSON.stringify({ spent: true, txid: spender, vin: 0, status: { confirmed: false } }) };
      if (path !== `/tx/${spender}/hex`) return { body: headers.tip.header.hash };
      return isThere ? { body: toHex(encodeTransaction(tx)) } : { status: 404, body: 'Transaction not found' };
    });
    const watchList = new WatchList();
    watchList.registerOutput(spent);
    const spending: Uint8Array[] = [];
    const sync = syncOf({
      sources: [esploraAt('http://esplora.test', platform)],
      platform,
      watchList,
      onUpdate: (update) => spending.push(...update.spending.map(transactionId)),
    });
    for (const next of [false, true, true]) {
      isThere = next;
      await sync.poll({ everything: true });
    }
    expect(spending).toEqual([txid]);
  });

  it('looks at everything when woken, and not when its interval is over', async () => {
    const started = start(() => ({ body: headers.tip.header.hash }));
    const { sync, states, updates } = started;
    await turn(started, 0);
    await turn(started, 30_000);
    expect([states.length, updates.length]).toEqual([2, 1]);
    sync.wake();
    await turn(started, 0);
    expect([states.length, updates.length]).toEqual([3, 2]);
    sync.stop();
  });

  it.each([
    ['succeeds', { body: headers.tip.header.hash }],
    ['fails', 'drop'],
  ] as const)('when woken while a round is running that %s, has one more follow it', async (_name, answer) => {
    const started = start(() => answer);
    const { platform, sync, states } = started;
    platform.advance(0);
    expect(platform.requests).toHaveLength(1);
    sync.wake();
    sync.wake();
    await settled();
    expect([platform.requests.length, states.length, platform.nextDelayMs]).toEqual([1, 1, 0]);
    await turn(started, 0);
    expect([platform.requests.length, states.length]).toEqual([2, 2]);
    expect(platform.nextDelayMs).toBeGreaterThan(0);
    sync.stop();
  });

  it('does nothing when woken after it was stopped, between two rounds or in one', async () => {
    const idle = start(() => ({ body: headers.tip.header.hash }));
    await turn(idle, 0);
    idle.sync.stop();
    const busy = start(() => ({ body: headers.tip.header.hash }));
    busy.platform.advance(0);
    busy.sync.stop();
    for (const each of [idle, busy]) {
      each.sync.wake();
      await settled();
      expect(each.platform.nextDelayMs).toBeUndefined();
      await turn(each, 60_000);
      expect(each.platform.requests).toHaveLength(1);
    }
  });
});
