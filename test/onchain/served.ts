import type { ChainPlatform } from '../../worker/edges/chain/platform.ts';
import type { RegtestChain } from '../world/chain.ts';
import { esploraRoutes, type ServedSettings } from '../world/esplora-routes.ts';

/** A platform whose only server is the chain's Esplora, without a network between, and that has no clock. */
export function servedBy(chain: RegtestChain, settings: ServedSettings): ChainPlatform {
  const routes = esploraRoutes(chain, settings);
  return {
    now: () => 0,
    after: () => () => undefined,
    fetch: async (url, init = {}) => {
      const { pathname, searchParams: query } = new URL(url);
      const route = routes.find(({ method, path }) => method === (init.method ?? 'GET') && path.test(pathname));
      if (route === undefined) throw new TypeError(`nobody asks for ${url} here`);
      const parameters = route.path.exec(pathname)?.slice(1) ?? [];
      const sent = typeof init.body === 'string' ? init.body : '';
      const { status, type, body } = await route.reply(parameters, { body: sent, type: 'text/plain', query });
      const content = typeof body === 'string' ? body : Uint8Array.from(body);
      return new Response(content, { status, headers: { 'content-type': type } });
    },
  };
}
