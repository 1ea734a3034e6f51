import { describe, expect, it } from 'vitest';
import type { EsploraApi } from '../../../worker/edges/chain/esplora-api.ts';
import { budgeted } from '../../../worker/edges/chain/request-budget.ts';
import { FakePlatform, type Answer } from './fake-platform.ts';
import { esploraAt } from './esplora-at.ts';

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** A server that answers by a function, asked by a client with a budget. */
function asking(per10s: number, answer: () => Answer): { readonly platform: FakePlatform; readonly api: EsploraApi } {
  const platform = new FakePlatform(answer);
  return { platform, api: esploraAt('http://esplora.test', budgeted(platform, per10s), 1_000_000) };
}

describe('the requests to a server', () => {
  it('are as many as there may be in ten seconds, the others wait', async () => {
    const { platform, api } = asking(60, () => ({ body: 'ab'.repeat(32) }));
    const asked = Promise.all(Array.from({ length: 180 }, () => api.tipHash()));
    const counts: number[] = [];
    for (let second = 0; second <= 20; second++) {
      await settled();
      counts.push(platform.requests.length);
      for (let part = 0; part < 10; part++) {
        platform.advance(100);
        await settled();
      }
    }
    await asked;
    expect(counts[0]).toBe(60);
    for (const [second, count] of counts.entries()) expect(count - (counts[second - 9] ?? 0)).toBeLessThanOrEqual(60);
    expect(platform.requests.length).toBe(180);
  });

  it('do not wait for a clock that was put back', async () => {
    let isGreedy = true;
    const { platform, api } = asking(1, () => (isGreedy ? { status: 429, body: '' } : { body: 'ab'.repeat(32) }));
    platform.advance(10_000_000);
    await expect(api.tipHash()).rejects.toMatchObject({ code: 'ChainSourceRateLimited' });
    isGreedy = false;
    platform.advance(-5_000_000);
    await expect(api.tipHash()).resolves.toBe('ab'.repeat(32));
  });

  it('do not wait where something is broadcast', async () => {
    const { platform, api } = asking(1, () => ({ body: 'ab'.repeat(32) }));
    const asked = [api.tipHash(), api.tipHash()];
    await settled();
    await api.broadcast(Uint8Array.of(1));
    expect(platform.requests.map((url) => new URL(url).pathname)).toEqual(['/blocks/tip/hash', '/tx']);
    for (let second = 0; second < 11; second++) {
      platform.advance(1_000);
      await settled();
    }
    await Promise.all(asked);
  });

  it.each([
    ['seconds', '30', 30_000],
    ['a date', new Date(45_000).toUTCString(), 45_000],
    ['a year', '31536000', 10_000],
    ['too long', '999999', 600_000],
    ['nothing', undefined, 10_000],
    ['nonsense', 'soon', 10_000],
  ])('stop after "too many", until the time that it says: %s', async (_name, header, pauseMs) => {
    let isGreedy = true;
    const platform = new FakePlatform(() => ({ body: 'ab'.repeat(32) }));
    const limited = {
      ...platform,
      fetch: (url: string, init?: RequestInit): Promise<Response> => {
        if (!isGreedy) return platform.fetch(url, init);
        const headers = header === undefined ? {} : { 'retry-after': header };
        return Promise.resolve(new Response('slow down', { status: 429, headers }));
      },
    };
    const api = esploraAt('http://esplora.test', budgeted(limited, 60));
    const isLimited = expect.objectContaining({ code: 'ChainSourceRateLimited' });
    await expect(api.tipHash()).rejects.toThrow(isLimited);
    isGreedy = false;
    platform.advance(pauseMs - 1_000);
    await expect(api.tipHash()).rejects.toThrow(isLimited);
    expect(platform.requests).toEqual([]);
    await api.broadcast(Uint8Array.of(1));
    expect(platform.requests.length).toBe(1);
    platform.advance(1_000);
    await expect(api.tipHash()).resolves.toBe('ab'.repeat(32));
  });
});
