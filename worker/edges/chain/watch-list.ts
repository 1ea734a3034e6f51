import type { Filter } from '../../engine/monitor/chain-monitor.ts';
import { toHex } from '../../engine/primitives/bytes.ts';
import type { Outpoint } from '../../engine/transactions/transaction.ts';
import { explorerTxid } from '../../engine/transactions/txid.ts';
import type { KnownTransaction } from '../../engine/wallet/wallet-scripts.ts';

/** Where something watched was last seen in the chain. */
export interface SeenAt {
  readonly txid: string;
  readonly height: number;
  /** Of a script's: the servers that list it there, while that is all that is known. */
  readonly by?: readonly string[];
}

export interface WatchedTx {
  readonly kind: 'tx';
  readonly txid: string;
  readonly seen?: SeenAt;
}

/** An output, whose spending is looked for. */
export interface WatchedOutput {
  readonly kind: 'output';
  readonly txid: string;
  readonly vout: number;
  readonly seen?: SeenAt;
  /** The txid of what spends it in the mempool. */
  readonly spender?: string;
  /** The servers whose bytes of what spends it were told: no txid covers a witness, and a preimage can be in it. */
  readonly shownBy?: readonly string[];
}

/** A script of the wallet, all of whose transactions are looked for. */
export interface WatchedScript {
  readonly kind: 'script';
  readonly script: Uint8Array;
  readonly confirmed: readonly SeenAt[];
  readonly unconfirmed: readonly string[];
}

export type Watched = WatchedTx | WatchedOutput | WatchedScript;

/** Beyond so many blocks on top, a sighting is final: the item is no longer asked for. */
export const BURIED = 100;

/**
 * What the chain is asked for. Its items live in memory only: the monitors and the wallet register them again after a
 * restart, and everything is then asked for once more. The wallet says what it knows, so that what is gone is noticed.
 */
export class WatchList implements Filter {
  #items = new Map<string, Watched>();
  readonly #resting = new Map<string, WatchedScript>();
  /** The heights of transactions that were watched, or spent what was, and are in a block. */
  readonly #heights = new Map<string, number>();
  /** Items that no completed sync has asked for yet. */
  #fresh = new Set<string>();

  registerTx(txid: Uint8Array): void {
    this.#register({ kind: 'tx', txid: explorerTxid(txid) });
  }

  /** What was told of a registered transaction in an earlier run: only a reorganisation makes it worth asking for. */
  knowTx(txid: Uint8Array, height: number): void {
    const item: WatchedTx = { kind: 'tx', txid: explorerTxid(txid) };
    const name = nameOf(item);
    if (!this.#items.has(name)) return;
    this.#items.set(name, { ...item, seen: { txid: item.txid, height } });
    this.#heights.set(item.txid, height);
    this.#fresh.delete(name);
  }

  registerOutput({ txid, vout }: Outpoint): void {
    this.#register({ kind: 'output', txid: explorerTxid(txid), vout });
  }

  unregisterOutput({ txid, vout }: Outpoint): void {
    const shown = explorerTxid(txid);
    this.#unregister(nameOf({ kind: 'output', txid: shown, vout }));
    // Any peer can name the transaction of another's channel as its own funding: for that one it is asked for still.
    if (!this.#watchesOutputOf(shown)) this.#unregister(nameOf({ kind: 'tx', txid: shown }));
  }

  /**
   * All that the chain has for the script is reported but what is `known` already: of that those that have left their block, and those
   * that are in no block and not in the mempool any more.
   */
  registerScript(script: Uint8Array, known: readonly KnownTransaction[] = []): void {
    this.#register(watchedScript(script, known));
  }

  /** Stops asking for a script, such as one beyond the gap of a wallet. */
  unregisterScript(script: Uint8Array): void {
    this.#unregister(nameOf(watchedScript(script, [])));
  }

  /** Asks for a script now and then only: nothing is awaited there, and yet somebody may pay to it. `known` as in `registerScript`. */
  restScript(script: Uint8Array, known: readonly KnownTransaction[] = []): void {
    const item = watchedScript(script, known);
    const name = nameOf(item);
    const found = this.#items.get(name);
    this.#unregister(name);
    if (!this.#resting.has(name)) this.#resting.set(name, found?.kind === 'script' ? found : item);
  }

  get restingCount(): number {
    return this.#resting.size;
  }

  /** The next of the scripts that are asked for now and then, in turn. */
  nextResting(count: number): ReadonlyMap<string, Watched> {
    const next = [...this.#resting].slice(0, count);
    for (const [name, item] of next) this.#restLast(name, item);
    return new Map(next);
  }

  /** Those that nobody has answered have their turn again after a tenth of the others: one that nobody can answer keeps none from it. */
  missedResting(names: ReadonlySet<string>): void {
    if (names.size === 0) return;
    const others = [...this.#resting].filter(([name]) => !names.has(name));
    const missed = [...this.#resting].filter(([name]) => names.has(name));
    const later = [...missed, ...others.slice(Math.ceil(others.length / 10))];
    for (const [name, item] of later) this.#restLast(name, item);
  }

  /** The wallet has learnt of transactions of a script otherwise: they need not be proven again when it is asked for. */
  knowScript(script: Uint8Array, known: readonly KnownTransaction[]): void {
    const told = watchedScript(script, known);
    const name = nameOf(told);
    const asked = this.#items.get(name);
    if (asked?.kind === 'script') this.#items.set(name, withKnown(asked, told));
    const resting = this.#resting.get(name);
    if (resting !== undefined) this.#resting.set(name, withKnown(resting, told));
  }

  /** Those of them that had something in a block above a height. */
  restingAbove(height: number): ReadonlyMap<string, Watched> {
    return new Map([...this.#resting].filter(([, { confirmed }]) => confirmed.some((seen) => seen.height > height)));
  }

  get items(): ReadonlyMap<string, Watched> {
    return this.#items;
  }

  /** Those that something is in the mempool of, or that were not seen yet. */
  get pending(): ReadonlyMap<string, Watched> {
    return new Map([...this.#items].filter(([, item]) => isPending(item)));
  }

  /** The block of a transaction that was watched, or that spent what was. */
  heightOf(txid: string): number | undefined {
    return this.#heights.get(txid);
  }

  get fresh(): ReadonlySet<string> {
    return this.#fresh;
  }

  get freshItems(): ReadonlyMap<string, Watched> {
    return new Map([...this.#items].filter(([name]) => this.#fresh.has(name)));
  }

  /** Nobody has answered for them: they are asked for again, whether or not there is a new block. */
  missed(names: Iterable<string>): void {
    for (const name of names) if (this.#items.has(name)) this.#fresh.add(name);
  }

  /** Takes over what a sync found out; items registered meanwhile stay fresh. */
  update(changes: ReadonlyMap<string, Watched>, asked: Iterable<string>, bestHeight: number): void {
    for (const name of asked) this.#fresh.delete(name);
    for (const [name, item] of changes) {
      this.#noteHeight(this.#items.get(name), item);
      if (this.#items.has(name)) this.#items.set(name, item);
      else if (item.kind === 'script' && this.#resting.has(name)) this.#resting.set(name, item);
    }
    for (const [name, item] of this.#items) {
      // A script's sightings stay: what was forgotten would be proven and reported again with its next transaction.
      if (item.kind !== 'script' && item.seen && bestHeight - item.seen.height >= BURIED) this.#items.delete(name);
    }
  }

  #noteHeight(before: Watched | undefined, item: Watched): void {
    if (before !== undefined && before.kind !== 'script' && before.seen) this.#heights.delete(before.seen.txid);
    if (item.kind !== 'script' && item.seen) this.#heights.set(item.seen.txid, item.seen.height);
  }

  #restLast(name: string, item: WatchedScript): void {
    this.#resting.delete(name);
    this.#resting.set(name, item);
  }

  #watchesOutputOf(shown: string): boolean {
    return [...this.#items.values()].some((item) => item.kind === 'output' && item.txid === shown);
  }

  #unregister(name: string): void {
    this.#items.delete(name);
    this.#fresh.delete(name);
  }

  #register(item: Watched): void {
    const name = nameOf(item);
    if (this.#items.has(name)) return;
    this.#items.set(name, this.#resting.get(name) ?? item);
    this.#resting.delete(name);
    this.#fresh.add(name);
  }
}

function watchedScript(script: Uint8Array, known: readonly KnownTransaction[]): WatchedScript {
  const places = new Map(known.map(({ txid, height }) => [explorerTxid(txid), height]));
  const confirmed = [...places].flatMap(([txid, height]) => (height === undefined ? [] : { txid, height }));
  const unconfirmed = [...places].flatMap(([txid, height]) => (height === undefined ? txid : []));
  return { kind: 'script', script, confirmed, unconfirmed };
}

function withKnown(item: WatchedScript, { confirmed: told }: WatchedScript): WatchedScript {
  const others = item.confirmed.filter(({ txid }) => !told.some((seen) => seen.txid === txid));
  const unconfirmed = item.unconfirmed.filter((txid) => !told.some((seen) => seen.txid === txid));
  return { ...item, confirmed: [...others, ...told], unconfirmed };
}

function isPending(item: Watched): boolean {
  if (item.kind === 'script') return item.unconfirmed.length > 0;
  return item.seen === undefined && (item.kind === 'tx' || item.spender !== undefined);
}

/** The key of an item in the list. */
export function nameOf(item: Watched): string {
  switch (item.kind) {
    case 'tx':
      return `tx:${item.txid}`;
    case 'output':
      return `output:${item.txid}:${item.vout}`;
    case 'script':
      return `script:${toHex(item.script)}`;
    default:
      return item satisfies never;
  }
}
