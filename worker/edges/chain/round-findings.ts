import { equalBytes, toHex } from '../../engine/primitives/bytes.ts';
import type { Transaction } from '../../engine/transactions/transaction.ts';
import { wireTxid } from '../../engine/transactions/txid.ts';
import type { ChainUpdate, ConfirmedBlock, ConfirmedTransaction } from './chain-update.ts';
import type { HeaderChain } from './header-chain.ts';
import type { OldHeaders } from './old-headers.ts';
import type { ProvenTransactions } from './proven-transactions.ts';
import type { Watched } from './watch-list.ts';

/** The state of the chain that a round is about. */
export interface ChainView {
  readonly chain: HeaderChain;
  /** Of the servers that are at its tip: what some do not have in their mempools, others may. */
  readonly asked: 'all' | 'some';
  readonly old: OldHeaders;
  readonly proven: ProvenTransactions;
  /** Blocks above this height were told of and are not in the chain any more. */
  readonly disconnectedTo: number | undefined;
  /** The block that a transaction was told to be in. */
  readonly heightOf: (txid: string) => number | undefined;
}

/** What has been found so far at one state of the chain: a round that fails leaves it to the next one, of another server too. */
export class RoundFindings {
  readonly view: ChainView;
  /** By height and txid. */
  readonly #blocks = new Map<number, Map<string, ConfirmedTransaction>>();
  readonly #changes = new Map<string, Watched>();
  /** What was looked at, at this state of the chain or one before. */
  readonly #looked = new Set<string>();
  /** By server: what it was asked for at this state. */
  readonly #done = new Map<string, Set<string>>();
  /** Unconfirmed transactions that a server has told of at this state. */
  readonly #listed = new Set<string>();
  readonly #unconfirmed: Set<string> = new Set();
  readonly #mempool: Map<string, Transaction> = new Map();
  /** By their bytes in hex: there can be several with one txid, and other witnesses. */
  readonly #spending: Map<string, Transaction> = new Map();
  readonly #dropped: Set<string> = new Set();
  /** What was in the mempool at a state of the chain before. */
  readonly #wasThere: ReadonlySet<string> = new Set();

  /** `before` was found where the chain ended with a block below. */
  constructor(view: ChainView, before?: RoundFindings) {
    this.view = view;
    if (before === undefined) return;
    this.#blocks = before.#blocks;
    this.#changes = before.#changes;
    this.#looked = before.#looked;
    this.#unconfirmed = before.#unconfirmed;
    this.#mempool = before.#mempool;
    this.#spending = before.#spending;
    this.#dropped = before.#dropped;
    this.#wasThere = new Set(before.#mempool.keys());
  }

  /** The items that have changed. */
  get changes(): ReadonlyMap<string, Watched> {
    return this.#changes;
  }

  isDone(server: string, name: string): boolean {
    return this.#done.get(server)?.has(name) === true;
  }

  /** How many items a server has answered to the end. */
  doneBy(server: string): number {
    return this.#done.get(server)?.size ?? 0;
  }

  /** Whether any server has answered it to the end. */
  isAnswered(name: string): boolean {
    return [...this.#done.values()].some((names) => names.has(name));
  }

  /** Whether an item was looked at before: then only what has changed since is asked for. */
  isLookedAt(name: string): boolean {
    return this.#looked.has(name);
  }

  /** An item as it was found. */
  itemOf(name: string, item: Watched): Watched {
    return this.#changes.get(name) ?? item;
  }

  finish(server: string, name: string, item: Watched, next: Watched): void {
    this.#done.set(server, (this.#done.get(server) ?? new Set()).add(name));
    this.#looked.add(name);
    if (next !== item) this.#changes.set(name, next);
  }

  /** An item that has changed, as far as it was looked at. */
  begin(name: string, item: Watched): void {
    this.#changes.set(name, item);
  }

  /**
   * No server tells of an item. What a script had in blocks that are gone may be in none: what is gone has to be told of all at once, and
   * whoever can have servers refuse to answer for an address would else keep the wallet on a chain that is no more.
   */
  miss(name: string, item: Watched): void {
    const { disconnectedTo: fork = Infinity } = this.view;
    if (item.kind !== 'script' || this.isLookedAt(name)) return;
    const gone = item.confirmed.filter(({ height }) => height > fork).map(({ txid }) => txid);
    if (gone.length === 0) return;
    for (const txid of gone) this.unconfirm(txid);
    const confirmed = item.confirmed.filter(({ height }) => height <= fork);
    this.begin(name, { ...item, confirmed, unconfirmed: [...item.unconfirmed, ...gone] });
  }

  list(txid: string): void {
    this.#listed.add(txid);
  }

  isListed(txid: string): boolean {
    return this.#listed.has(txid);
  }

  /** What was told to be in a block is not in that any more. */
  unconfirm(txid: string): void {
    this.#unconfirmed.add(txid);
  }

  addToMempool(txid: string, transaction: Transaction): void {
    this.#mempool.set(txid, transaction);
  }

  hasInMempool(txid: string): boolean {
    return this.#mempool.has(txid);
  }

  /** A known transaction is neither in a block nor in the mempool, as far as one item tells. */
  drop(txid: string): void {
    this.#dropped.add(txid);
    if (this.#wasThere.has(txid) && !this.#listed.has(txid)) this.#mempool.delete(txid);
  }

  /** A transaction spends a watched output. */
  spend(transaction: Transaction, rawTx: Uint8Array): void {
    const isTold = [...this.#blocks.values()].some((txs) =>
      [...txs.values()].some((tx) => equalBytes(tx.rawTx, rawTx)),
    );
    if (!isTold) this.#spending.set(toHex(rawTx), transaction);
  }

  confirmed(height: number, txid: string): ConfirmedTransaction | undefined {
    return this.#blocks.get(height)?.get(txid);
  }

  addConfirmed(height: number, txid: string, found: ConfirmedTransaction): void {
    const txs = this.#blocks.get(height) ?? new Map<string, ConfirmedTransaction>();
    txs.set(txid, found);
    this.#blocks.set(height, txs);
  }

  get update(): ChainUpdate {
    const { chain, disconnectedTo } = this.view;
    const stillThere = new Set([...this.#blocks.values()].flatMap((txs) => [...txs.keys()]));
    return {
      ...(disconnectedTo === undefined ? {} : { disconnectedTo }),
      unconfirmed: wire(this.#unconfirmed),
      confirmed: this.#confirmedBlocks(),
      best: chain.tip,
      mempool: [...this.#mempool].filter(([txid]) => !stillThere.has(txid)).map(([, tx]) => tx),
      spending: [...this.#spending.values()],
      dropped: wire([...this.#dropped].filter((txid) => !stillThere.has(txid) && !this.#isInMempool(txid))),
    };
  }

  #isInMempool(txid: string): boolean {
    return this.hasInMempool(txid) || this.#listed.has(txid);
  }

  #confirmedBlocks(): ConfirmedBlock[] {
    const { chain, old } = this.view;
    return [...this.#blocks]
      .toSorted(([a], [b]) => a - b)
      .flatMap(([height, txs]) => {
        const header = chain.at(height) ?? old.at(height);
        const sorted = [...txs.values()].toSorted((a, b) => a.index - b.index);
        return header ? [{ height, header, txs: sorted }] : [];
      });
  }
}

const wire = (txids: Iterable<string>): Uint8Array[] => [...txids].map(wireTxid);
