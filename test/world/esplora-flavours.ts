import { pick, type Random, randomOf } from '../simulation/random.ts';
import type { RegtestChain } from './chain.ts';
import { EsploraError, type EsploraRoute, hash32 } from './esplora-route.ts';
import { esploraRoutes, type ScriptPages, type ServedSettings } from './esplora-routes.ts';
import { type Reply, text } from './http-server.ts';
import { mempoolRoutes } from './mempool-routes.ts';
import { LaggingChain } from './served-chain.ts';

/** A way in which real servers differ. */
export interface EsploraFlavour {
  readonly name: string;
  readonly routes: (chain: RegtestChain, settings: ServedSettings, random: Random) => readonly EsploraRoute[];
  /** What it says to a path that it does not know. */
  readonly unknown: (method: string, path: string) => Reply;
  /** Without, no page of another origin may read its answers. */
  readonly withoutCors?: boolean;
  /** It answers a browser that asks first, as before it sends JSON. */
  readonly allowsTypes?: true;
  /** For how long each answer may be kept, in seconds, by the name of its route. */
  readonly maxAge: (route: string) => number | undefined;
  /** How long an answer takes, in milliseconds. */
  readonly delayMs?: (random: Random) => number;
  /** How many of 100 requests fail. */
  readonly failsPer100?: number;
}

const SHORT_SECONDS = 10;
const LONG_SECONDS = 157_784_630;
/** How often a node that lags is asked before it has the newest block. */
const LAG_REQUESTS = 8;
const MIXED_PER_PAGE = 50;

/** blockstream.info's. */
const blockstream: EsploraFlavour = {
  name: 'esplora',
  routes: (chain, settings) => esploraRoutes(chain, settings),
  unknown: (_, path) => text(404, `endpoint does not exist "${path}"`),
  maxAge: (route) => (route.startsWith('/block/') ? LONG_SECONDS : SHORT_SECONDS),
};

/** The same program at home, started with `--cors`; older, so without packages. */
const electrs: EsploraFlavour = {
  ...blockstream,
  name: 'electrs',
  routes: (chain, settings) => esploraRoutes(chain, settings).filter(({ name }) => name !== 'POST /txs/package'),
};

/** The same without `--cors`. */
export const electrsWithoutCors: EsploraFlavour = { ...electrs, name: 'electrs without CORS', withoutCors: true };

/** mempool's own backend over an Electrum server; express answers what it does not know with a page. */
const mempool: EsploraFlavour = {
  name: 'mempool',
  allowsTypes: true,
  routes: (chain, settings) => mempoolRoutes(chain, settings),
  unknown: (method, path) => ({
    status: 404,
    type: 'text/html; charset=utf-8',
    body: `<!DOCTYPE html>\n<html lang="en">\n<body>\n<pre>Cannot ${method} /api/v1${path}</pre>\n</body>\n</html>\n`,
  }),
  maxAge: () => undefined,
};

/** The same before it knew of script hashes. */
const mempoolByAddress: EsploraFlavour = {
  ...mempool,
  name: 'mempool without script hashes',
  routes: (chain, settings) => mempoolRoutes(chain, settings).filter(({ name }) => !name.startsWith('/scripthash/')),
};

/** Mempool and chain together are 50 on a page; the next one begins with what the last one ended with. */
const mempoolPages: ScriptPages = {
  first: (view, chain, scriptHash, after) => {
    const all = [...view.mempoolOf(scriptHash), ...chain.index.transactionsOf(scriptHash)];
    const last = after === null ? 0 : all.findIndex(({ tx }) => tx.txid() === hash32(after));
    if (last < 0) throw new EsploraError(422, 'after_txid not found');
    return all.slice(last, last + MIXED_PER_PAGE);
  },
  next: (known, from) => known.slice(from - 1, from + MIXED_PER_PAGE / 2 - 1),
};

/** mempool.space's: its own electrs, and fee estimates of its backend's. */
const mempoolElectrs: EsploraFlavour = {
  ...blockstream,
  name: 'mempool/electrs',
  routes: (chain, settings) => esploraRoutes(chain, settings, mempoolPages).map(asTransformed),
  maxAge: (route) => (route.startsWith('/block/') ? 30 * 24 * 3600 : 1),
};

function asTransformed(route: EsploraRoute): EsploraRoute {
  if (route.name !== '/fee-estimates') return route;
  return { ...route, reply: async (...args) => ({ ...(await route.reply(...args)), status: 203 }) };
}

/** Two nodes behind one address, of which one hears of blocks late. */
export const balancedPair: EsploraFlavour = {
  ...blockstream,
  name: 'a pair behind a load balancer',
  routes: (chain, settings, random) => {
    const lagging = new LaggingChain(chain, LAG_REQUESTS);
    const late = esploraRoutes(lagging, settings);
    return esploraRoutes(chain, settings).map((route, index) => ({
      ...route,
      reply: (...args) => {
        lagging.ask();
        return ((random(2) === 0 ? late[index] : undefined) ?? route).reply(...args);
      },
    }));
  },
};

const slow: EsploraFlavour = {
  ...blockstream,
  name: 'slow',
  delayMs: (random) => 10 + random(90),
};

const failing = (failsPer100: number): EsploraFlavour => ({
  ...blockstream,
  name: `failing ${failsPer100} of 100 times`,
  failsPer100,
});

/** All that tell the truth as far as they know it. */
export const HONEST_FLAVOURS: readonly [EsploraFlavour, ...EsploraFlavour[]] = [
  blockstream,
  electrs,
  mempool,
  mempoolByAddress,
  mempoolElectrs,
  balancedPair,
  slow,
  failing(2),
];

/**
 * Without one that fails: after a failure the wallet waits for two seconds, or for ten with a broadcast, and by then a journey has
 * mined the block in which something was to be, and waits for what only another one would bring.
 */
const JOURNEY_FLAVOURS = HONEST_FLAVOURS.filter((flavour) => flavour.failsPer100 === undefined);

/** What a journey has, by `FLAVOUR_SEED` or a fresh seed: it says which, for one that fails has to have it again. */
export function esploraOfRun(): { readonly flavour: EsploraFlavour; readonly seed: number } {
  const seed = Number(process.env['FLAVOUR_SEED'] ?? Date.now() % 1_000_000);
  const flavour = pick(randomOf(seed), JOURNEY_FLAVOURS) ?? blockstream;
  console.log(`its Esplora server is of the flavour "${flavour.name}"; replay with FLAVOUR_SEED=${seed}`);
  return { flavour, seed };
}
