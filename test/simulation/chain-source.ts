import { equalBytes } from '../../worker/engine/primitives/bytes.ts';
import { unconfirmedFunding } from '../../worker/engine/manager/channel-entry.ts';
import { transactionId, type Transaction } from '../../worker/engine/transactions/transaction.ts';
import type { SimulatedNode } from './node.ts';
import type { SimulatedBlock, SimulatedChain } from './simulated-chain.ts';

/** How many blocks are told: one by one, all at once, or all at once and again. */
export type TellingStyle = 'apart' | 'together' | 'twice';

/** What a side hears of in one turn. */
interface ChainNews {
  readonly gone: readonly Transaction[];
  readonly blocks: readonly SimulatedBlock[];
  /** In neither a block nor the mempool any more. */
  readonly dropped: readonly Transaction[];
  /** Of the best block. */
  readonly height: number;
}

/** What one side was told of the chain, and what it is told next. */
export class ChainSource {
  /** It hears of blocks when it asks for them only. */
  isLate = false;
  readonly #chain: SimulatedChain;
  #height = 0;
  /** In all runs of the side: what it was told may be durable. */
  readonly #everTold = new Set<SimulatedBlock>();
  /** In this run. */
  readonly #told = new Set<SimulatedBlock>();
  readonly #toldGone = new Set<SimulatedBlock>();
  #dropped: readonly Transaction[] = [];
  /** In all runs of the side. */
  #everDropped: readonly Transaction[] = [];

  constructor(chain: SimulatedChain) {
    this.#chain = chain;
  }

  /** How many blocks it has not heard of. */
  get behind(): number {
    return this.#chain.height - this.#height;
  }

  /** What is in the mempool no more, or in the chain; it may come back before anybody hears of it. */
  noteDropped(transactions: readonly Transaction[]): void {
    this.#dropped = [...this.#dropped, ...transactions];
    this.#everDropped = [...this.#everDropped, ...transactions];
  }

  /** A start is told everything again. */
  begin(): readonly ChainNews[] {
    this.#told.clear();
    this.#toldGone.clear();
    this.#dropped = this.#everDropped;
    const { height, blocks, dropped, ...news } = this.#next(this.#chain.height);
    // What is in another block now it hears of there.
    const gone = news.gone.filter((each) => this.#chain.heightOf(transactionId(each)) === undefined);
    const each = blocks.map((block) => ({ gone: [], blocks: [block], dropped: [], height: block.height }));
    return [
      ...(gone.length === 0 ? [] : [{ gone, blocks: [], dropped: [], height }]),
      ...each,
      { gone: [], blocks: [], dropped, height },
    ];
  }

  /** So many blocks more, as far as there are. */
  tell(count: number, style: TellingStyle): readonly ChainNews[] {
    const before = this.#height;
    const news = this.#next(Math.min(this.#chain.height, before + count));
    if (style === 'together') return [news];
    if (style === 'twice') return [news, { ...news, gone: [] }];
    const heights = Array.from({ length: Math.max(1, news.height - before) }, (_, at) => news.height - at).reverse();
    return heights.map((height, at) => ({
      gone: at === 0 ? news.gone : [],
      blocks: news.blocks.filter((block) => block.height === height || (at === 0 && block.height < height)),
      dropped: at === 0 ? news.dropped : [],
      height,
    }));
  }

  #next(height: number): ChainNews {
    const inChain = new Set(this.#chain.blocks);
    const gone = [...this.#everTold].filter((block) => !inChain.has(block) && !this.#toldGone.has(block));
    for (const block of gone) {
      this.#toldGone.add(block);
      this.#told.delete(block);
    }
    const blocks = this.#chain.blocks.filter((block) => block.height <= height && !this.#told.has(block));
    for (const block of blocks) {
      this.#told.add(block);
      this.#everTold.add(block);
    }
    this.#height = height;
    const dropped = this.#dropped.filter((each) => !this.#chain.knows(transactionId(each)));
    this.#dropped = [];
    return { gone: gone.flatMap(({ transactions }) => transactions), blocks, dropped, height };
  }
}

/** As the client does it: what is gone first, and the best block last. */
export function hear(node: SimulatedNode, { gone, blocks, dropped, height }: ChainNews): void {
  const { manager, wallet } = node;
  node.turn(() => {
    for (const txid of gone.map(transactionId)) {
      wallet.transactionUnconfirmed(txid);
      manager.transactionUnconfirmed(txid);
    }
    for (const block of blocks) {
      for (const transaction of block.transactions) wallet.transactionConfirmed(transaction, block.height);
      manager.transactionsConfirmed(
        block.height,
        // The first of a block is the coinbase, which is nobody's here.
        block.transactions.map((transaction, index) => ({ index: index + 1, transaction })),
      );
    }
    for (const txid of dropped.map(transactionId)) if (!isRebroadcast(node, txid)) wallet.transactionDropped(txid);
    wallet.bestBlockUpdated(height);
    manager.bestBlockUpdated(height);
  });
}

/** As `LightningNode` decides it: what goes on being broadcast keeps its coins. */
function isRebroadcast({ manager }: SimulatedNode, txid: Uint8Array): boolean {
  return manager.channels().some(({ key, state }) => {
    const isOurs = state.kind === 'open' || unconfirmedFunding(state) !== undefined;
    if (isOurs && 'params' in state && equalBytes(state.params.fundingTxid, txid)) return true;
    const { anchorChild, packages = [] } = manager.chainMonitor.monitor(key) ?? {};
    const made = anchorChild === undefined ? packages : [anchorChild, ...packages];
    return made.some(({ tx }) => equalBytes(transactionId(tx), txid));
  });
}
