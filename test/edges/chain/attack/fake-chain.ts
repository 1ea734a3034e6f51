import { decodeHeader, hasProofOfWork, type BlockHeader } from '../../../../worker/edges/chain/block-header.ts';
import { ChainSync, type ChainSyncOptions } from '../../../../worker/edges/chain/chain-sync.ts';
import type { ChainUpdate } from '../../../../worker/edges/chain/chain-update.ts';
import type { EsploraApi } from '../../../../worker/edges/chain/esplora-api.ts';
import type { ChainPlatform } from '../../../../worker/edges/chain/platform.ts';
import { WatchList } from '../../../../worker/edges/chain/watch-list.ts';
import { concat, equalBytes, fromHex, reversed, toHex } from '../../../../worker/engine/primitives/bytes.ts';
import { sha256d } from '../../../../worker/engine/primitives/hash.ts';
import {
  encodeTransaction,
  transactionId,
  type Outpoint,
  type Transaction,
} from '../../../../worker/engine/transactions/transaction.ts';
import { scripthash } from '../../../../worker/engine/wallet/address.ts';
import { HeaderServer, regtestChain } from '../regtest-headers.ts';
import { esploraAt } from '../esplora-at.ts';
import { syncOf } from '../sync-of.ts';

interface Block {
  readonly header: BlockHeader;
  readonly txs: readonly Transaction[];
}

export const display = (txid: Uint8Array): string => toHex(reversed(txid));
export const nameOfTx = (tx: Transaction): string => display(transactionId(tx));

/** An output script that is nobody else's. */
export const scriptOf = (byte: number): Uint8Array => concat(Uint8Array.of(0, 20), new Uint8Array(20).fill(byte));

let salt = 0;

/** A transaction that pays to a script, out of nowhere or out of some outpoints. */
export function paying(script: Uint8Array, spent: readonly Outpoint[] = [], witness: Uint8Array[] = []): Transaction {
  const from = spent.length > 0 ? spent : [{ txid: new Uint8Array(32).fill(9), vout: ++salt }];
  const inputs = from.map((outpoint) => ({ ...outpoint, sequence: 0, scriptSig: new Uint8Array(0), witness }));
  return { version: 2, inputs, outputs: [{ amountSat: 70_000n, script }], locktime: 0 };
}

const coinbaseOf = (height: number): Transaction => ({
  ...paying(scriptOf(0), [{ txid: new Uint8Array(32), vout: 0xffff_ffff }]),
  locktime: height,
});

/** A chain of a few small blocks, and an honest server of it. */
export class FakeChain {
  readonly blocks: Block[] = [{ header: regtestChain().tip.header, txs: [] }];
  mempool: Transaction[] = [];

  get tip(): BlockHeader {
    return (this.blocks.at(-1) ?? this.#none()).header;
  }

  get height(): number {
    return this.blocks.length - 1;
  }

  mine(...paid: readonly Transaction[]): void {
    const txs = [coinbaseOf(this.blocks.length), ...paid];
    const root = rootOf(txs.map(transactionId));
    const previous = this.tip;
    for (let nonce = 0; ; nonce++) {
      const back = new Uint8Array(12);
      const view = new DataView(back.buffer);
      [previous.time + 600, previous.bits, nonce].forEach((value, index) => view.setUint32(index * 4, value, true));
      const header = decodeHeader(concat(new Uint8Array(4), reversed(fromHex(previous.hash)), root, back));
      if (!header || !hasProofOfWork(header)) continue;
      this.blocks.push({ header, txs });
      break;
    }
    const names = new Set(txs.map(nameOfTx));
    this.mempool = this.mempool.filter((tx) => !names.has(nameOfTx(tx)));
  }

  /** What an honest server says. */
  readonly answer = (path: string): Response => {
    const found = this.#answer(path);
    if (found === undefined) return new Response('not found', { status: 404 });
    return new Response(typeof found === 'string' ? found : JSON.stringify(found));
  };

  statusOf(txid: string): object {
    const place = this.#placeOf(txid);
    if (place === undefined) return { confirmed: false };
    const [height] = place;
    return { confirmed: true, block_height: height, block_hash: this.blocks[height]?.header.hash };
  }

  /** The transactions of a script, the newest first. */
  historyOf(hash: string): readonly { readonly txid: string; readonly status: object }[] {
    const coins = new Set<string>();
    const all = [...this.blocks.flatMap(({ txs }) => txs), ...this.mempool];
    const touching = all.filter((tx) => {
      tx.outputs.forEach(({ script }, vout) => {
        if (scripthash(script) === hash) coins.add(`${nameOfTx(tx)}:${vout}`);
      });
      const isPaid = tx.outputs.some(({ script }) => scripthash(script) === hash);
      return isPaid || tx.inputs.some(({ txid, vout }) => coins.has(`${display(txid)}:${vout}`));
    });
    return touching.toReversed().map((tx) => ({ txid: nameOfTx(tx), status: this.statusOf(nameOfTx(tx)) }));
  }

  #answer(path: string): unknown {
    const [, route = '', of = '', ...rest] = path.split('/');
    const what = rest.join('/');
    if (route === 'blocks' || route === 'block-height') return this.#ofHeaders(path);
    if (route === 'scripthash') return this.#script(of, what);
    if (route === 'tx') return this.#transaction(of, what);
    const block = this.blocks.find(({ header }) => header.hash === of);
    if (route !== 'block' || block === undefined) return undefined;
    return what === 'header' ? toHex(block.header.raw) : block.txs[0] && nameOfTx(block.txs[0]);
  }

  #ofHeaders(path: string): string | undefined {
    const answer = new HeaderServer(this.blocks.map(({ header }) => header)).answer(path);
    return typeof answer === 'object' && answer.status === undefined ? answer.body : undefined;
  }

  #script(hash: string, what: string): unknown {
    const history = this.historyOf(hash);
    const isConfirmed = ({ status }: { readonly status: object }): boolean => 'block_height' in status;
    if (what.startsWith('txs/chain/')) {
      const last = history.findIndex(({ txid }) => what.endsWith(txid));
      return history.slice(last + 1, last + 26);
    }
    if (what === 'txs')
      return [
        ...history.filter((each) => !isConfirmed(each)).slice(0, 50),
        ...history.filter(isConfirmed).slice(0, 25),
      ];
    const confirmed = history.filter(isConfirmed).length;
    return {
      chain_stats: { tx_count: confirmed },
      mempool_stats: { tx_count: history.length - confirmed },
    };
  }

  #transaction(txid: string, what: string): unknown {
    const place = this.#placeOf(txid);
    const pending = this.mempool.find((tx) => nameOfTx(tx) === txid);
    if (what === 'status') return this.statusOf(txid);
    if (what.startsWith('outspend/')) return this.#outspend(txid, Number(what.split('/')[1]));
    if (what === 'hex') {
      const tx = place ? this.blocks[place[0]]?.txs[place[1]] : pending;
      return tx && toHex(encodeTransaction(tx));
    }
    if (what !== 'merkle-proof' || place === undefined) return undefined;
    const [height, position] = place;
    const leaves = (this.blocks[height]?.txs ?? []).map(transactionId);
    return { block_height: height, merkle: branchOf(leaves, position).map(display), pos: position };
  }

  #outspend(txid: string, vout: number): object {
    const all = [...this.blocks.flatMap(({ txs }) => txs), ...this.mempool];
    const spender = all.find(({ inputs }) => inputs.some((each) => display(each.txid) === txid && each.vout === vout));
    if (spender === undefined) return { spent: false };
    return { spent: true, txid: nameOfTx(spender), vin: 0, status: this.statusOf(nameOfTx(spender)) };
  }

  #placeOf(txid: string): readonly [height: number, position: number] | undefined {
    for (const [height, { txs }] of this.blocks.entries()) {
      const position = txs.findIndex((tx) => nameOfTx(tx) === txid);
      if (position >= 0) return [height, position];
    }
    return undefined;
  }

  #none(): never {
    throw new Error('there is a first block');
  }
}

const pairs = (level: readonly Uint8Array[]): Uint8Array[] =>
  Array.from({ length: Math.ceil(level.length / 2) }, (_, index) => {
    const left = level[index * 2] ?? new Uint8Array(32);
    return sha256d(concat(left, level[index * 2 + 1] ?? left));
  });

const rootOf = (level: readonly Uint8Array[]): Uint8Array =>
  level.length === 1 ? (level[0] ?? new Uint8Array(32)) : rootOf(pairs(level));

function branchOf(level: readonly Uint8Array[], position: number): readonly Uint8Array[] {
  if (level.length === 1) return [];
  const own = level[position] ?? new Uint8Array(32);
  return [level[position ^ 1] ?? own, ...branchOf(pairs(level), position >> 1)];
}

/** A chain with so many fundings in its first block, at least one. */
export function fundings(count: number): {
  readonly chain: FakeChain;
  readonly outpoints: readonly [Outpoint, ...Outpoint[]];
} {
  const chain = new FakeChain();
  const first = paying(scriptOf(3));
  const others = Array.from({ length: count - 1 }, () => paying(scriptOf(3)));
  chain.mine(first, ...others);
  const outpointOf = (tx: Transaction): Outpoint => ({ txid: transactionId(tx), vout: 0 });
  return { chain, outpoints: [outpointOf(first), ...others.map(outpointOf)] };
}

/** All that needs no time is done. */
export const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** What a server says instead of the truth; undefined where it says that. */
export type Lie = (path: string) => Response | Promise<Response> | undefined;

export const json = (value: unknown): Response => new Response(JSON.stringify(value));

/** Nothing waits, and no clock moves, unless a test gives another. */
export const still: Omit<ChainPlatform, 'fetch'> = { now: () => 0, after: () => () => undefined };

/** A server of a chain that lies now and then. */
export const serverOf = (
  name: string,
  chain: FakeChain,
  lie: Lie = () => undefined,
  platform: Omit<ChainPlatform, 'fetch'> = still,
): EsploraApi =>
  esploraAt(`http://${name}.test`, {
    ...platform,
    fetch: async (url) => {
      const path = url.slice(`http://${name}.test`.length);
      return (await lie(path)) ?? chain.answer(path);
    },
  });

/** A follower of servers from the first block on, as a new wallet is. */
export function followerOf(
  sources: readonly EsploraApi[],
  options: Partial<ChainSyncOptions> = {},
): { readonly sync: ChainSync; readonly watchList: WatchList; readonly updates: ChainUpdate[] } {
  const watchList = new WatchList();
  const updates: ChainUpdate[] = [];
  const sync = syncOf({
    sources,
    platform: { ...still, fetch: () => Promise.reject(new Error('not asked')) },
    watchList,
    onUpdate: (update) => updates.push(update),
    intervalMs: 1_000,
    ...options,
  });
  return { sync, watchList, updates };
}

/** The confirmed transactions of updates, by name. */
export const confirmedOf = (updates: readonly ChainUpdate[]): string[] =>
  updates.flatMap(({ confirmed }) => confirmed.flatMap(({ txs }) => txs.map(({ txid }) => display(txid))));

export const isNamed = (txids: readonly Uint8Array[], tx: Transaction): boolean =>
  txids.some((txid) => equalBytes(txid, transactionId(tx)));
