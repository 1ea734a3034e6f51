import { afterEach, describe, expect, it, vi } from 'vitest';
import { esploraClientCalls } from '../../../worker/edges/chain/esplora-client-calls.ts';
import { FakePlatform } from './fake-platform.ts';
import { esploraAt } from './esplora-at.ts';

const platform = new FakePlatform(() => 'drop');

/** The package calls the global fetch. */
function serve(answer: (url: string) => Response | Promise<Response>): string[] {
  const urls: string[] = [];
  vi.stubGlobal('fetch', async (url: string) => {
    urls.push(url);
    return answer(url);
  });
  return urls;
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('the esplora-client package', () => {
  it.each(['http://127.0.0.1:3000/api', 'https://esplora.test', 'https://esplora.test/a/b/api'])(
    "can't be pointed at %s",
    (url) => {
      expect(esploraClientCalls(url, platform, 1000)).toBeUndefined();
    },
  );

  it.each([
    ['https://esplora.test/api', 'https://esplora.test/api/fee-estimates'],
    ['https://esplora.test/signet/api/', 'https://esplora.test/signet/api/fee-estimates'],
  ])('is used for %s', async (baseUrl, expected) => {
    const urls = serve(() => Response.json({ 2: 7.5 }));
    expect(await esploraAt(baseUrl, platform).feeEstimates()).toEqual(new Map([[2, 7.5]]));
    expect(urls).toEqual([expected]);
  });

  it('is not asked for the tip, which no cache may answer', async () => {
    const urls = serve(() => new Response('1'));
    const own = new FakePlatform(() => ({ body: '812345' }));
    expect(await esploraAt('https://esplora.test/api', own).tipHeight()).toBe(812_345);
    expect([urls, own.requests]).toEqual([[], ['https://esplora.test/api/blocks/tip/height']]);
  });

  it('brings fee estimates, which are checked', async () => {
    const api = esploraAt('https://esplora.test/api', platform);
    serve(() => Response.json({ 2: 7.5 }));
    expect(await api.feeEstimates()).toEqual(new Map([[2, 7.5]]));
    serve(() => new Response('none'));
    await expect(api.feeEstimates()).rejects.toThrow(expect.objectContaining({ code: 'ChainSourceBadReply' }));
  });

  it.each([
    [429, 'Too Many Requests', 'ChainSourceRateLimited'],
    [503, 'down', 'ChainSourceUnavailable'],
  ])('fails with the typed error of status %i', async (status, body, code) => {
    serve(() => new Response(body, { status }));
    const api = esploraAt('https://esplora.test/api', platform);
    await expect(api.feeEstimates()).rejects.toThrow(expect.objectContaining({ code }));
  });

  it('is given up after a time', async () => {
    serve(() => new Promise<Response>(() => undefined));
    const clock = new FakePlatform(() => 'drop');
    const asked = esploraAt('https://esplora.test/api', clock, 1000).feeEstimates();
    clock.advance(1000);
    await expect(asked).rejects.toThrow('no answer in time');
  });
});
