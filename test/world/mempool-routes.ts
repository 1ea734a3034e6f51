import type { KnownTx } from './chain-index.ts';
import { EsploraJson } from './esplora-json.ts';
import { EsploraError, type EsploraRoute, get, hash32, integer, route, scriptHashOfAddress } from './esplora-route.ts';
import { esploraRoutes, submitPackage, type ServedSettings } from './esplora-routes.ts';
import { json, type Reply } from './http-server.ts';
import type { ServedChain } from './served-chain.ts';

const BLOCKS_PER_PAGE = 15;
const TXS_PER_PAGE = 10;

/** What it has as Blockstream's servers have it. */
const SAME =
  /^(\/blocks\/tip\/|\/block\/:hash$|\/block\/:hash\/(header|raw|txids|txs)|\/block-height\/|\/tx\/:txid$|\/tx\/:txid\/(hex|status|merkle-proof)$|\/(address|scripthash)\/:id$|\/mempool|POST \/tx$)/;

/**
 * The API of mempool's own backend over an Electrum server, as those have it who run it at home: no route for one output or one
 * transaction of a block, other pages, status 500 for most of what it does not know, and of a spending only that there is one.
 */
export function mempoolRoutes(chain: ServedChain, settings: ServedSettings): readonly EsploraRoute[] {
  const view = new EsploraJson(chain);
  const same = esploraRoutes(chain, settings).filter(({ name }) => SAME.test(name));
  return [
    get('/tx/:txid/status', ([txid = '']) => {
      const known = chain.find(hash32(txid));
      if (known === undefined) throw new EsploraError(404, 'No such mempool or blockchain transaction');
      return json(200, view.status(known.at));
    }),
    get('/tx/:txid/outspends', ([txid = '']) => {
      const known = chain.find(hash32(txid));
      if (known === undefined) throw new EsploraError(500, 'Failed to get transaction outspends');
      return json(
        200,
        known.tx.outputs.map((_, vout) => ({ spent: chain.spend(known.tx.txid(), vout) !== undefined })),
      );
    }),
    get('/blocks', () => blocks(chain, view, chain.height)),
    get('/blocks/:start', ([start = '']) => blocks(chain, view, integer(start))),
    ...(['address', 'scripthash'] as const).map((kind) =>
      get(`/${kind}/:id/txs`, ([id = ''], query) => {
        const hash = kind === 'address' ? scriptHashOfAddress(id) : hash32(id);
        return json(
          200,
          historyAfter(chain, view, hash, query.get('after_txid')).map((known) => view.tx(known)),
        );
      }),
    ),
    get('/v1/fees/recommended', () => json(200, recommended(settings))),
    route('POST', '/txs/package', async (_, extras) => {
      // Its framework reads a list out of a body of this type alone.
      if (extras.type !== 'application/json') return refused('submitpackage', -1);
      const reply = await submitPackage(chain, settings, extras.body);
      return reply.status === 400 ? refused('submitpackage', -25) : reply;
    }),
    ...same.map(failing),
  ];
}

/** All that it passes on of an error of the node's. */
const refused = (method: string, code: number): Reply => json(400, { error: `${method} RPC error: {"code":${code}}` });

/** The mempool's first, then the newest blocks', ten at a time. */
function historyAfter(
  chain: ServedChain,
  view: EsploraJson,
  scriptHash: string,
  after: string | null,
): readonly KnownTx[] {
  const history = [...view.mempoolOf(scriptHash), ...chain.index.transactionsOf(scriptHash)];
  // One that is not in the list begins it anew.
  const from = history.findIndex(({ tx }) => tx.txid() === after) + 1;
  return history.slice(from, from + TXS_PER_PAGE);
}

/** From above its tip it shows what a page from there would have below. */
function blocks(chain: ServedChain, view: EsploraJson, start: number): Reply {
  const heights = Array.from({ length: BLOCKS_PER_PAGE }, (_, i) => start - i);
  const known = heights.flatMap((height) => chain.index.blockAt(height) ?? []);
  return json(
    200,
    known.map((block) => ({ ...view.block(block), extras: { totalFees: 0 } })),
  );
}

function recommended({ feeEstimates }: ServedSettings): object {
  const at = (target: number): number => Math.ceil(feeEstimates[target] ?? 1);
  return { fastestFee: at(1), halfHourFee: at(3), hourFee: at(6), economyFee: at(144), minimumFee: 1 };
}

/** It says "not found" of few things only, and of what the node says to a transaction nothing but a code. */
function failing(same: EsploraRoute): EsploraRoute {
  const isKept = /^\/tx\/:txid\/hex|^\/tx\/:txid$/.test(same.name);
  return {
    ...same,
    reply: async (parameters, extras) => {
      const reply = await same.reply(parameters, extras);
      if (reply.status === 404 && !isKept) return json(500, { error: 'Failed' });
      const code = /"code":(-?\d+)/.exec(String(reply.body))?.[1];
      return reply.status === 400 && code !== undefined ? refused('sendrawtransaction', Number(code)) : reply;
    },
  };
}
