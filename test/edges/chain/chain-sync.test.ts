import { describe, expect, it } from 'vitest';
import { Backoff } from '../../../worker/edges/chain/backoff.ts';
import { ChainSync } from '../../../worker/edges/chain/chain-sync.ts';
import { EsploraApi } from '../../../worker/edges/chain/esplora-api.ts';
import { HeaderChain } from '../../../worker/edges/chain/header-chain.ts';
import { WatchList } from '../../../worker/edges/chain/watch-list.ts';
import { fromHex } from '../../../worker/engine/primitives/bytes.ts';
import { FakePlatform, type Answer } from './fake-platform.ts';

/** Of regtest. */
const genesis = fromHex(
  '0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4adae5494dffff7f2002000000',
);

describe('Backoff', () => {
  it('doubles up to its most, and starts again after a success', () => {
    const backoff = new Backoff(1000, 5000);
    expect([backoff.failed(), backoff.failed(), backoff.failed(), backoff.failed()]).toEqual([1000, 2000, 4000, 5000]);
    backoff.succeeded();
    expect(backoff.failed()).toBe(1000);
  });
});

describe('polling', () => {
  const headers = HeaderChain.from('regtest', { height: 0, header: genesis });
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
  };

  function start(answer: () => Answer): { platform: FakePlatform; sync: ChainSync; states: (string | undefined)[] } {
    const states: (string | undefined)[] = [];
    const platform = new FakePlatform(answer);
    const sync = new ChainSync({
      sources: [new EsploraApi('http://esplora.test', platform)],
      platform,
      headers,
      watchList: new WatchList(),
      onUpdate: () => undefined,
      onStatus: (error) => states.push(error?.code),
      intervalMs: 30_000,
    });
    sync.start();
    return { platform, sync, states };
  }

  it('goes on at its interval while the source answers', async () => {
    const { platform, sync, states } = start(() => ({ body: headers.tip.header.hash }));
    platform.advance(0);
    await settled();
    expect([states, platform.nextDelayMs]).toEqual([[undefined], 30_000]);
    sync.stop();
    expect(platform.nextDelayMs).toBeUndefined();
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
});
