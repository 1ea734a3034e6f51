import { afterEach, expect, it, vi } from 'vitest';
import { still } from './fake-chain.ts';
import { esploraAt } from '../esplora-at.ts';

/** More than any body may have, see `EsploraHttp`. */
const MOST = 9_000_000;
const CHUNK = new Uint8Array(1_000_000).fill(0x20);

afterEach(() => {
  vi.unstubAllGlobals();
});

it.each(['tipHeight', 'feeEstimates'] as const)('%s does not read an answer that does not end', async (call) => {
  let read = 0;
  const endless = (): Response =>
    new Response(
      new ReadableStream<Uint8Array>({
        pull: (stream) => {
          read += CHUNK.length;
          if (read > 4 * MOST) stream.close();
          else stream.enqueue(CHUNK);
        },
      }),
    );
  const fetch = (): Promise<Response> => Promise.resolve(endless());
  vi.stubGlobal('fetch', fetch);
  const api = esploraAt('https://esplora.test/api', { ...still, fetch });
  await api[call]().catch(() => undefined);
  // Fee estimates are looked for at two routes.
  expect(read).toBeLessThan(3 * MOST);
});
