import { decodeHeader, hasProofOfWork, type BlockHeader } from '../../../../worker/edges/chain/block-header.ts';
import { concat, fromHex, reversed, toHex } from '../../../../worker/engine/primitives/bytes.ts';
import { sha256d } from '../../../../worker/engine/primitives/hash.ts';
import {
  encodeTransaction,
  transactionId,
  type Transaction,
} from '../../../../worker/engine/transactions/transaction.ts';
import { aborted } from '../../../world/esplora-fetch.ts';
import { display } from '../followed-wallet.ts';
import { HeaderServer, headersOn, regtestChain } from '../regtest-headers.ts';
import type { LyingScene, Tell } from './scene.ts';

export interface Lie {
  readonly name: string;
  /**
   * What shows it where nobody else is asked: `error` for what cannot be proven; nothing for what only another server shows (`unseen`)
   * or for what is no lie after all (`followed`).
   */
  readonly alone: 'error' | 'unseen' | 'followed';
  readonly begin: (scene: LyingScene) => Tell;
}

const NOWHERE = 'ab'.repeat(32);

/** Answers of some paths are changed. */
const rewriting =
  (paths: RegExp, change: (body: string, scene: LyingScene) => string): Lie['begin'] =>
  (scene) =>
  async (path, ask) => {
    const response = await ask(path);
    if (!paths.test(path) || !response.ok) return response;
    const body = await response.clone().text();
    const changed = change(body, scene);
    return changed === body ? response : new Response(changed);
  };

/** Some paths have an answer of its own. */
const saying =
  (paths: RegExp, answer: (init: RequestInit | undefined) => Promise<Response> | Response): Lie['begin'] =>
  () =>
  async (path, ask, init) =>
    paths.test(path) ? answer(init) : ask(path);

const json = (value: unknown): Response => new Response(JSON.stringify(value));

/** Headers of its own from some height on, and all else as it is. */
const headersFrom =
  (fork: number, made: (parent: BlockHeader) => readonly BlockHeader[]): Lie['begin'] =>
  (scene) => {
    const lowest = scene.chain.height - 20;
    const known = Array.from({ length: 21 - fork }, (_, index) => headerAt(scene, lowest + index));
    const [parent] = known.slice(-1);
    const server = new HeaderServer(parent === undefined ? known : [...known, ...made(parent)], { lowest });
    return servedBy(server);
  };

const servedBy =
  (server: HeaderServer): Tell =>
  async (path, ask) => {
    if (!/^\/blocks|^\/block-height|^\/block\/[0-9a-f]+\/header/.test(path)) return ask(path);
    const answer = server.answer(path);
    if (typeof answer === 'string') throw new Error('it answers');
    return answer.status === 404 ? ask(path) : new Response(answer.body);
  };

function headerAt({ chain }: LyingScene, height: number): BlockHeader {
  const header = decodeHeader(chain.index.blockAt(height)?.header ?? new Uint8Array());
  if (header === undefined) throw new Error(`there is no block ${height}`);
  return header;
}

/** The tip as it is now, or some blocks below. */
const tipBelow =
  (below: number): Lie['begin'] =>
  ({ chain }) => {
    const [hash, height] = [chain.index.blockAt(chain.height - below)?.hash ?? NOWHERE, chain.height - below];
    return async (path, ask) => {
      if (!path.startsWith('/blocks/tip/')) return ask(path);
      return new Response(path.endsWith('hash') ? hash : String(height));
    };
  };

/** Each time the tip is asked for it is the other one's turn. */
const byTurns =
  (one: Lie['begin']): Lie['begin'] =>
  (scene) => {
    const lie = one(scene);
    let turn = 0;
    return (path, ask, init) => {
      if (path === '/blocks/tip/hash') turn++;
      return turn % 2 === 1 ? lie(path, ask, init) : ask(path);
    };
  };

/** The next time that somebody asks for a spending there is a new block. */
const movingTip: Lie['begin'] = ({ chain }) => {
  let moves = 2;
  return async (path, ask) => {
    if (path.includes('/outspend') && moves-- > 0) await chain.mine();
    return ask(path);
  };
};

/** One that nobody has signed. */
const invented = (outputs: Transaction['outputs'], input: { readonly txid: Uint8Array; readonly vout: number }) => ({
  version: 2,
  inputs: [{ ...input, sequence: 0, scriptSig: Uint8Array.of(1, 1), witness: [] }],
  outputs,
  locktime: 0,
});

/** A spending of the watched output that nobody has made, in the mempool or in the newest block. */
const inventedSpending =
  (place: 'mempool' | 'block'): Lie['begin'] =>
  (scene) => {
    const tx = invented([{ amountSat: 1000n, script: new Uint8Array(22) }], scene.watched);
    const txid = display(transactionId(tx));
    return async (path, ask) => {
      if (path.includes(txid)) return inventedAnswer(path, tx);
      return path.includes('/outspend/')
        ? json({ spent: true, txid, vin: 0, status: statusAt(scene, place) })
        : ask(path);
    };
  };

/** A payment to the wallet that nobody has made. */
const inventedPayment =
  (place: 'mempool' | 'block'): Lie['begin'] =>
  (scene) => {
    const payment = [{ amountSat: 2_000_000_000_000n, script: scene.script }];
    const tx = invented(payment, { txid: new Uint8Array(32).fill(9), vout: 0 });
    const txid = display(transactionId(tx));
    const listed = (): object => ({ txid, status: statusAt(scene, place), vin: [] });
    return async (path, ask) => {
      if (path.includes(txid)) return inventedAnswer(path, tx);
      if (!path.startsWith('/scripthash/')) return ask(path);
      const real: unknown = await (await ask(path)).json();
      return Array.isArray(real) ? json([listed(), ...real]) : json(countingMore(real));
    };
  };

const statusAt = ({ chain }: LyingScene, place: 'mempool' | 'block'): object =>
  place === 'mempool'
    ? { confirmed: false }
    : { confirmed: true, block_height: chain.height, block_hash: chain.tip.hash };

function inventedAnswer(path: string, tx: Transaction): Response {
  if (path.endsWith('/hex')) return new Response(toHex(encodeTransaction(tx)));
  if (path.endsWith('/merkle-proof')) return json({ block_height: 1, merkle: [NOWHERE], pos: 1 });
  return new Response('Transaction not found', { status: 404 });
}

const countingMore = (stats: unknown): unknown =>
  JSON.parse(JSON.stringify(stats).replaceAll(/"tx_count":(\d+)/g, (_, count) => `"tx_count":${Number(count) + 1}`));

/**
 * A block of its own, with proof of work, in which a transaction of 64 bytes seems to lead to a payment that is in no block: see
 * `TreeDepths`.
 */
const leafOf64Bytes: Lie['begin'] = (scene) => {
  const payment = [{ amountSat: 2_000_000_000_000n, script: scene.script }];
  const tx = invented(payment, { txid: new Uint8Array(32).fill(9), vout: 0 });
  const coinbase = invented([{ amountSat: 1n, script: new Uint8Array(22) }], {
    txid: new Uint8Array(32),
    vout: 0xffff_ffff,
  });
  const [txid, first] = [tx, coinbase].map((each) => display(transactionId(each))) as [string, string];
  const leaf = sha256d(concat(new Uint8Array(32).fill(1), transactionId(tx)));
  const height = scene.chain.height + 1;
  const header = headerOver(headerAt(scene, scene.chain.height), sha256d(concat(transactionId(coinbase), leaf)));
  const status = { confirmed: true, block_height: height, block_hash: header.hash };
  const merkle = ['01'.repeat(32), first];
  const answers = new Map<string, string>([
    ['/blocks/tip/hash', header.hash],
    ['/blocks/tip/height', String(height)],
    [`/block/${header.hash}/header`, toHex(header.raw)],
    [`/block/${header.hash}/txid/0`, first],
    [`/tx/${first}/merkle-proof`, JSON.stringify({ block_height: height, merkle: [display(leaf)], pos: 0 })],
    [`/tx/${first}/hex`, toHex(encodeTransaction(coinbase))],
    [`/tx/${txid}/merkle-proof`, JSON.stringify({ block_height: height, merkle, pos: 3 })],
    [`/tx/${txid}/hex`, toHex(encodeTransaction(tx))],
  ]);
  return async (path, ask) => {
    const answer = answers.get(path);
    if (answer !== undefined) return new Response(answer);
    if (!path.startsWith('/scripthash/')) return ask(path);
    const real: unknown = await (await ask(path)).json();
    return Array.isArray(real) ? json([{ txid, status, vin: [] }, ...real]) : json(countingMore(real));
  };
};

/** Page after page of transactions that nobody has made, so many that the list has no end. */
const inventedHistory: Lie['begin'] = () => {
  let made = 0;
  const page = (): readonly object[] =>
    Array.from({ length: 25 }, () => {
      const txid = (++made).toString(16).padStart(64, '0');
      return { txid, status: { confirmed: true, block_height: 1, block_hash: NOWHERE }, vin: [] };
    });
  const stats = { chain_stats: { tx_count: 1_000_000 }, mempool_stats: { tx_count: 0 } };
  return async (path, ask) => {
    if (!path.startsWith('/scripthash/')) return ask(path);
    return json(path.includes('/txs') ? page() : stats);
  };
};

/** A number between braces of a body, changed. */
const position =
  (change: (at: number) => number) =>
  (body: string): string =>
    body.replace(/"pos":(\d+)/, (_, at) => `"pos":${change(Number(at))}`);

const AS_CONFIRMED = ({ chain }: LyingScene): string =>
  `"confirmed":true,"block_height":${chain.height},"block_hash":"${chain.tip.hash}"`;

const JSON_PATHS = /outspend|\/status|merkle-proof|^\/scripthash/;
const endless = (): Response =>
  new Response(new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1_000_000).fill(0x20)) }));

export const LIES: readonly Lie[] = [
  { name: 'a tip that does not move', alone: 'unseen', begin: tipBelow(0) },
  { name: 'a tip that was passed', alone: 'error', begin: tipBelow(3) },
  {
    name: 'another block at the height of the tip',
    alone: 'error',
    begin: headersFrom(1, (parent) => headersOn(parent, 1, { salt: 5 })),
  },
  { name: 'a tip that moves while it is asked', alone: 'followed', begin: movingTip },
  { name: 'a tip that moves to and fro', alone: 'followed', begin: byTurns(tipBelow(1)) },
  {
    name: 'a longer chain without work',
    alone: 'error',
    begin: headersFrom(0, (parent) => headersOn(parent, 5, { unproven: true })),
  },
  {
    name: 'a longer chain of another difficulty',
    alone: 'error',
    begin: headersFrom(0, (parent) => headersOn(parent, 5, { bits: 0x201f_ffff })),
  },
  {
    name: 'a longer chain of another network',
    alone: 'error',
    begin: ({ chain }) =>
      servedBy(new HeaderServer(headersOn(regtestChain().tip.header, chain.height + 9, { salt: 7 }))),
  },
  {
    name: 'a reorganisation without more work',
    alone: 'error',
    begin: headersFrom(3, (parent) => headersOn(parent, 3, { salt: 5 })),
  },
  {
    name: 'a reorganisation and back, again and again',
    alone: 'error',
    begin: byTurns(headersFrom(3, (parent) => headersOn(parent, 3, { salt: 5 }))),
  },
  {
    name: 'a Merkle proof of another root',
    alone: 'error',
    begin: rewriting(/merkle-proof/, (body) => body.replace(/"merkle":\["../, '"merkle":["00')),
  },
  {
    name: 'a Merkle proof of another place',
    alone: 'error',
    begin: rewriting(
      /merkle-proof/,
      position((at) => at ^ 1),
    ),
  },
  {
    name: 'a Merkle proof of the place of a branch that counts twice',
    alone: 'error',
    begin: rewriting(
      /merkle-proof/,
      position((at) => (at === 2 ? 3 : at)),
    ),
  },
  { name: 'a payment below a leaf of 64 bytes', alone: 'error', begin: leafOf64Bytes },
  {
    name: 'another height of a block',
    alone: 'error',
    begin: rewriting(JSON_PATHS, (body) => body.replaceAll(/"block_height":\d+/g, '"block_height":1')),
  },
  {
    name: 'a block that nobody has',
    alone: 'unseen',
    begin: rewriting(/outspend|^\/scripthash/, (body) =>
      body.replaceAll(/"block_hash":"[0-9a-f]+"/g, `"block_hash":"${NOWHERE}"`),
    ),
  },
  {
    name: 'another header under the same hash',
    alone: 'error',
    begin: rewriting(/header$/, (body) => body.replace(/^.{8}/, '00000000')),
  },
  {
    name: 'another coinbase',
    alone: 'error',
    begin: rewriting(/txid\/0$/, (_, { watched }) => display(watched.txid)),
  },
  {
    name: 'another transaction under the same id',
    alone: 'error',
    begin: rewriting(/\/hex$/, () => toHex(encodeTransaction(invented([], { txid: new Uint8Array(32), vout: 0 })))),
  },
  { name: 'no spending', alone: 'unseen', begin: rewriting(/outspend/, () => JSON.stringify({ spent: false })) },
  {
    name: 'no spending any more',
    alone: 'unseen',
    begin: () => {
      let shown = 0;
      return async (path, ask) => (path.includes('/outspend/') && shown++ > 0 ? json({ spent: false }) : ask(path));
    },
  },
  {
    name: 'a spending by what does not spend',
    alone: 'error',
    begin: rewriting(/outspend/, (body, { chain }) =>
      body.replace(/"txid":"[0-9a-f]+"/, `"txid":"${chain.tip.txids.at(0) ?? ''}"`),
    ),
  },
  { name: 'a spending that nobody has made, in the mempool', alone: 'unseen', begin: inventedSpending('mempool') },
  { name: 'a spending that nobody has made, in a block', alone: 'error', begin: inventedSpending('block') },
  { name: 'a payment that nobody has made, in the mempool', alone: 'unseen', begin: inventedPayment('mempool') },
  { name: 'a payment that nobody has made, in a block', alone: 'error', begin: inventedPayment('block') },
  {
    name: 'no payments',
    alone: 'unseen',
    begin: saying(/^\/scripthash/, () => json({ chain_stats: { tx_count: 0 }, mempool_stats: { tx_count: 0 } })),
  },
  {
    name: 'what is in the mempool in a block',
    alone: 'error',
    begin: rewriting(JSON_PATHS, (body, scene) => body.replaceAll('"confirmed":false', AS_CONFIRMED(scene))),
  },
  {
    name: 'that all is unknown',
    alone: 'error',
    begin: saying(/outspend|^\/tx\//, () => new Response('', { status: 404 })),
  },
  {
    name: 'that it wants fewer requests',
    alone: 'error',
    begin: saying(/./, () => new Response('', { status: 429, headers: { 'retry-after': '30' } })),
  },
  {
    name: 'nothing that a page may read',
    alone: 'error',
    begin: saying(/./, () => Promise.reject(new TypeError('Failed to fetch'))),
  },
  { name: 'that it is broken', alone: 'error', begin: saying(/./, () => new Response('', { status: 503 })) },
  { name: 'nothing at all', alone: 'error', begin: saying(/./, (init) => aborted(init?.signal)) },
  { name: 'nothing but its tip', alone: 'error', begin: saying(JSON_PATHS, (init) => aborted(init?.signal)) },
  { name: 'half an answer', alone: 'error', begin: rewriting(JSON_PATHS, (body) => body.slice(0, body.length / 2)) },
  { name: 'an answer without end', alone: 'error', begin: saying(JSON_PATHS, endless) },
  { name: 'a history without end', alone: 'unseen', begin: inventedHistory },
];

function headerOver(parent: BlockHeader, merkleRoot: Uint8Array): BlockHeader {
  for (let nonce = 0; ; nonce++) {
    const raw = Uint8Array.from(parent.raw);
    raw.set(reversed(fromHex(parent.hash)), 4);
    raw.set(merkleRoot, 36);
    new DataView(raw.buffer).setUint32(76, nonce, true);
    new DataView(raw.buffer).setUint32(68, parent.time + 600, true);
    const header = decodeHeader(raw);
    if (header && hasProofOfWork(header)) return header;
  }
}
