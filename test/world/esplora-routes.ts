import { type BlockRecord, type KnownTx } from './chain-index.ts';
import { EsploraJson } from './esplora-json.ts';
import {
  blockOf,
  EsploraError,
  type EsploraRoute,
  get,
  hash32,
  integer,
  route,
  scriptHashOfAddress,
  txOf,
} from './esplora-route.ts';
import type { FeeEstimates } from './esplora.ts';
import { json, type Reply, text } from './http-server.ts';
import { merkleBlock } from './merkle-block.ts';
import type { ServedChain } from './served-chain.ts';
import { packageJson } from './tx-package.ts';
import { RejectedTx } from './tx-pool.ts';

const BLOCKS_PER_PAGE = 10;
const TXS_PER_PAGE = 25;
const MEMPOOL_TXS_PER_PAGE = 50;
const MOST_PACKAGED = 25;

/** What a server is told to do from outside. */
export interface ServedSettings {
  readonly feeEstimates: FeeEstimates;
  /** Whether it takes packages; without, it is as old as those that have no such endpoint. */
  readonly packages: boolean;
}

/** How a server's lists of a script's transactions are cut. */
export interface ScriptPages {
  /** The first page; `after` is the query's `after_txid`. */
  first(view: EsploraJson, chain: ServedChain, scriptHash: string, after: string | null): readonly KnownTx[];
  /** What follows a transaction of the chain, as `/txs/chain/:last` gives it. */
  next(known: readonly KnownTx[], from: number): readonly KnownTx[];
}

/** Up to 50 of the mempool and 25 of the chain. */
const BLOCKSTREAM_PAGES: ScriptPages = {
  first: (view, chain, scriptHash) => [
    ...view.mempoolOf(scriptHash).slice(0, MEMPOOL_TXS_PER_PAGE),
    ...chain.index.transactionsOf(scriptHash).slice(0, TXS_PER_PAGE),
  ],
  next: (known, from) => known.slice(from, from + TXS_PER_PAGE),
};

/** Every route of Blockstream's API, with its answers and the words of its errors. */
export function esploraRoutes(
  chain: ServedChain,
  settings: ServedSettings,
  pages: ScriptPages = BLOCKSTREAM_PAGES,
): readonly EsploraRoute[] {
  const view = new EsploraJson(chain);
  return [
    ...blockRoutes(chain, view),
    ...txRoutes(chain, view),
    ...scriptRoutes(chain, view, pages, 'address'),
    ...scriptRoutes(chain, view, pages, 'scripthash'),
    get('/fee-estimates', () => json(200, settings.feeEstimates)),
    get('/mempool', () => json(200, view.mempool())),
    get('/mempool/txids', () => json(200, txidsOf(chain.mempoolTxs().map((tx) => ({ tx }))))),
    route('POST', '/tx', (_, { body }) => broadcast(chain, body)),
    route('POST', '/txs/package', (_, { body }) => submitPackage(chain, settings, body)),
  ];
}

function blockRoutes(chain: ServedChain, view: EsploraJson): EsploraRoute[] {
  const page = (start: number): Reply => {
    if (chain.index.blockAt(start) === undefined) throw new EsploraError(404, 'Block not found');
    const heights = Array.from({ length: BLOCKS_PER_PAGE }, (_, i) => start - i);
    return json(
      200,
      heights.flatMap((height) => chain.index.blockAt(height) ?? []).map((block) => view.block(block)),
    );
  };
  const one = (name: string, reply: (block: BlockRecord, parameter: string) => Reply): EsploraRoute =>
    get(name, ([hash = '', parameter = '']) => reply(blockOf(chain, hash), parameter));
  return [
    get('/blocks/tip/height', () => text(200, String(chain.height))),
    get('/blocks/tip/hash', () => text(200, chain.tip.hash)),
    get('/blocks', () => page(chain.height)),
    get('/blocks/:start', ([start = '']) => page(integer(start))),
    get('/block-height/:height', ([height = '']) => {
      const block = chain.index.blockAt(integer(height));
      if (block === undefined) throw new EsploraError(404, 'Block not found');
      return text(200, block.hash);
    }),
    one('/block/:hash', (block) => json(200, view.block(block))),
    one('/block/:hash/header', (block) => text(200, Buffer.from(block.header).toString('hex'))),
    one('/block/:hash/raw', (block) => bytes(block.raw)),
    one('/block/:hash/status', (block) => json(200, view.blockStatus(block))),
    one('/block/:hash/txids', (block) => json(200, block.txids)),
    one('/block/:hash/txid/:index', (block, index) => {
      const txid = block.txids[integer(index)];
      if (txid === undefined) throw new EsploraError(404, 'tx not found');
      return text(200, txid);
    }),
    one('/block/:hash/txs', (block) => blockTxs(chain, view, block, 0)),
    one('/block/:hash/txs/:start', (block, start) => blockTxs(chain, view, block, integer(start))),
  ];
}

function txRoutes(chain: ServedChain, view: EsploraJson): EsploraRoute[] {
  const one = (name: string, reply: (known: KnownTx) => Reply): EsploraRoute =>
    get(name, ([txid = '']) => reply(txOf(chain, txid)));
  return [
    one('/tx/:txid', (known) => json(200, view.tx(known))),
    one('/tx/:txid/hex', ({ tx }) => text(200, tx.toRaw().toString('hex'))),
    one('/tx/:txid/raw', ({ tx }) => bytes(tx.toRaw())),
    // The real server says "unconfirmed" and "unspent" of transactions that it has never seen.
    get('/tx/:txid/status', ([txid = '']) => json(200, view.status(chain.find(hash32(txid))?.at))),
    get('/tx/:txid/outspend/:vout', ([txid = '', vout = '']) => json(200, view.outspend(hash32(txid), integer(vout)))),
    one('/tx/:txid/outspends', ({ tx }) =>
      json(
        200,
        tx.outputs.map((_, vout) => view.outspend(tx.txid(), vout)),
      ),
    ),
    get('/tx/:txid/merkle-proof', ([txid = '']) => {
      const at = chain.find(hash32(txid))?.at;
      if (at === undefined) throw new EsploraError(404, 'Transaction not found or is unconfirmed');
      return json(200, view.merkleProof(at));
    }),
    get('/tx/:txid/merkleblock-proof', ([txid = '']) => {
      const at = chain.find(hash32(txid))?.at;
      if (at === undefined) throw new EsploraError(404, 'Transaction not found or is unconfirmed');
      return text(200, Buffer.from(merkleBlock(at)).toString('hex'));
    }),
  ];
}

function scriptRoutes(
  chain: ServedChain,
  view: EsploraJson,
  pages: ScriptPages,
  kind: 'address' | 'scripthash',
): EsploraRoute[] {
  const hashOf = kind === 'address' ? scriptHashOfAddress : hash32;
  const one = (rest: string, reply: (scriptHash: string, id: string, parameter: string) => Reply): EsploraRoute =>
    get(`/${kind}/:id${rest}`, ([id = '', parameter = '']) => reply(hashOf(id), id, parameter));
  const pool = (scriptHash: string): readonly KnownTx[] => view.mempoolOf(scriptHash).slice(0, MEMPOOL_TXS_PER_PAGE);
  const txs = (known: readonly KnownTx[]): Reply =>
    json(
      200,
      known.map((entry) => view.tx(entry)),
    );
  return [
    one('', (scriptHash, id) =>
      json(200, {
        [kind]: id,
        chain_stats: view.stats(scriptHash, chain.index.transactionsOf(scriptHash)),
        mempool_stats: view.stats(scriptHash, view.mempoolOf(scriptHash)),
      }),
    ),
    get(`/${kind}/:id/txs`, ([id = ''], query) => txs(pages.first(view, chain, hashOf(id), query.get('after_txid')))),
    one('/txs/chain', (scriptHash) => txs(chain.index.transactionsOf(scriptHash).slice(0, TXS_PER_PAGE))),
    one('/txs/chain/:last', (scriptHash, _, last) => {
      const known = chain.index.transactionsOf(scriptHash);
      const from = known.findIndex(({ tx }) => tx.txid() === hash32(last)) + 1;
      return txs(from === 0 ? [] : pages.next(known, from));
    }),
    one('/txs/mempool', (scriptHash) => txs(pool(scriptHash))),
    one('/utxo', (scriptHash) => json(200, view.unspent(scriptHash))),
  ];
}

function blockTxs(chain: ServedChain, view: EsploraJson, block: BlockRecord, start: number): Reply {
  if (start >= block.txids.length) throw new EsploraError(404, 'start index out of range');
  if (start % TXS_PER_PAGE !== 0) {
    throw new EsploraError(400, `start index must be a multipication of ${TXS_PER_PAGE}`);
  }
  const page = block.txs.slice(start, start + TXS_PER_PAGE);
  return json(
    200,
    page.map((tx) => view.tx(chain.find(tx.txid()) ?? { tx })),
  );
}

export async function broadcast(chain: ServedChain, body: string): Promise<Reply> {
  const hex = body.trim();
  if (!/^([0-9a-f]{2})+$/i.test(hex)) throw new EsploraError(400, 'Invalid hex string');
  try {
    return text(200, await chain.submit(Buffer.from(hex, 'hex')));
  } catch (error) {
    if (!(error instanceof RejectedTx)) throw error;
    const reason = JSON.stringify({ code: error.rpcCode, message: error.message });
    return text(400, `sendrawtransaction RPC error: ${reason}`);
  }
}

/** electrs passes on the result of Core's `submitpackage`, and of its errors nothing but that there was one. */
export async function submitPackage(chain: ServedChain, settings: ServedSettings, body: string): Promise<Reply> {
  if (!settings.packages) throw new EsploraError(404, 'endpoint does not exist "/txs/package"');
  const hexes = packageOf(body);
  if (hexes.length > MOST_PACKAGED) throw new EsploraError(400, `Exceeded maximum of ${MOST_PACKAGED} transactions`);
  const wrong = hexes.findIndex((hex) => hex.length < 120 || hex.length >= 800_000);
  if (wrong >= 0) throw new EsploraError(400, `Invalid transaction size for item ${wrong}`);
  try {
    return json(200, packageJson(await chain.submitPackage(hexes.map((hex) => Buffer.from(hex, 'hex')))));
  } catch (error) {
    if (error instanceof RejectedTx) throw new EsploraError(400, 'RPC error');
    throw error;
  }
}

/** `["<hex>", …]` */
function packageOf(body: string): readonly string[] {
  try {
    const hexes: unknown = JSON.parse(body);
    if (Array.isArray(hexes) && hexes.every((hex): hex is string => typeof hex === 'string')) return hexes;
  } catch {
    // The answer is the same.
  }
  throw new EsploraError(400, 'invalid type: a sequence of strings was expected');
}

function bytes(body: Uint8Array): Reply {
  return { status: 200, type: 'application/octet-stream', body };
}

function txidsOf(known: readonly KnownTx[]): readonly string[] {
  return known.map(({ tx }) => tx.txid());
}
