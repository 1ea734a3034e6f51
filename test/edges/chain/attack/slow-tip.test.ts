import { expect, it } from 'vitest';
import type { ChainPlatform } from '../../../../worker/edges/chain/platform.ts';
import { regtestChain } from '../regtest-headers.ts';
import { FakeChain, followerOf, json, serverOf, type Lie } from './fake-chain.ts';

const MINUTE_MS = 60_000;

it('one of two servers that is slow to tell of its tip holds the other up for a minute at most', async () => {
  const chain = new FakeChain();
  for (let block = 0; block < 400; block++) chain.mine();
  let now = 0;
  const clock: Omit<ChainPlatform, 'fetch'> = { now: () => now, after: () => () => undefined };
  // Just in time each time, and with nothing that helps.
  const slow: Lie = (path) => {
    now += 14_000;
    if (path === '/blocks/tip/hash') return new Response('ab'.repeat(32));
    if (path === '/blocks/tip/height') return json(chain.height);
    return path === '/block-height/0' ? undefined : new Response('', { status: 404 });
  };
  const known = chain.blocks.slice(1).map(({ header }) => header);
  const fetch = (): Promise<Response> => Promise.reject(new Error('not asked'));
  const options = { platform: { ...clock, fetch }, headers: regtestChain().extend(0, known) };
  const { sync } = followerOf([serverOf('slow', chain, slow, clock), serverOf('honest', chain)], options);
  await sync.poll();
  chain.mine();
  const before = now;
  await sync.poll();
  expect(sync.headers.tip.height).toBe(chain.height);
  expect(now - before).toBeLessThanOrEqual(MINUTE_MS);
});
