import type { ChainPlatform } from '../../worker/edges/chain/platform.ts';
import { isReadable, type EsploraServer } from './esplora.ts';

/** Asks a server without a socket, as a page would; its delays are waited for by the caller's clock. */
export function fetchFrom(server: EsploraServer, after: ChainPlatform['after']): ChainPlatform['fetch'] {
  return async (url, { method = 'GET', body, headers, signal } = {}) => {
    const { pathname, search } = new URL(url);
    const sent = typeof body === 'string' ? body : '';
    // A browser gives text this type.
    const type = new Headers(headers).get('content-type') ?? 'text/plain;charset=UTF-8';
    if (type === 'application/json' && server.flavour.allowsTypes !== true) throw new TypeError('Failed to fetch');
    const { delayMs, reply } = await server.answer({ method, path: `${pathname}${search}`, body: sent, type });
    if (delayMs > 0) await Promise.race([new Promise<void>((resolve) => after(delayMs, resolve)), aborted(signal)]);
    if (reply === 'hang') return aborted(signal);
    if (reply === 'drop' || !isReadable(server.flavour, reply)) throw new TypeError('Failed to fetch');
    const content = typeof reply.body === 'string' ? reply.body : Uint8Array.from(reply.body);
    return new Response(content, { status: reply.status, headers: { ...reply.headers, 'content-type': reply.type } });
  };
}

/** Never resolves; rejects once it is given up. */
export const aborted = (signal: AbortSignal | null | undefined): Promise<never> =>
  new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
  });
