import type { Transaction } from '../../worker/engine/transactions/transaction.ts';
import { transactionId } from '../../worker/engine/transactions/transaction.ts';
import type { SimulatedNode } from '../simulation/node.ts';
import { pick, type Random } from '../simulation/random.ts';

/** A block as an engine is told of it. */
export interface ToldBlock {
  readonly height: number;
  readonly transactions: readonly Transaction[];
}

/** A block that left the chain, and the height of the one below it. */
export interface GoneBlock extends ToldBlock {
  readonly previousHeight: number;
}

/** What an engine hears in one turn. */
export type Tell = (node: SimulatedNode) => void;

type Call = 'best' | 'transactions' | 'everything';

interface Style {
  readonly name: string;
  /** What is called for a block, turn by turn. */
  readonly turns: readonly (readonly Call[])[];
  /** Of many blocks at once only the last is told as the best. */
  readonly skipsBlocks: boolean;
  /** What is told of blocks that left the chain: each one's parent as the best, only the fork point, or only transactions. */
  readonly disconnects: 'blockByBlock' | 'toForkPoint' | 'transactions';
}

const BEST_FIRST: Style['turns'] = [['best'], ['transactions']];
const TRANSACTIONS_FIRST: Style['turns'] = [['transactions'], ['best']];
const TWICE: Style['turns'] = [['transactions'], ['transactions'], ['best']];
const REDUNDANTLY: Style['turns'] = [['everything'], ['transactions'], ['best']];
const LISTEN: Style['turns'] = [['transactions', 'best']];
const REPLAYED: Style['turns'] = [['best'], ['transactions', 'best']];

/** The styles in which LDK's tests deliver blocks, by their names there (`ConnectStyle`). */
export const STYLES: readonly Style[] = [
  { name: 'BestBlockFirst', turns: BEST_FIRST, skipsBlocks: false, disconnects: 'blockByBlock' },
  { name: 'BestBlockFirstSkippingBlocks', turns: BEST_FIRST, skipsBlocks: true, disconnects: 'toForkPoint' },
  { name: 'BestBlockFirstReorgsOnlyTip', turns: BEST_FIRST, skipsBlocks: true, disconnects: 'transactions' },
  { name: 'TransactionsFirst', turns: TRANSACTIONS_FIRST, skipsBlocks: false, disconnects: 'blockByBlock' },
  { name: 'TransactionsFirstSkippingBlocks', turns: TRANSACTIONS_FIRST, skipsBlocks: true, disconnects: 'toForkPoint' },
  { name: 'TransactionsFirstReorgsOnlyTip', turns: TRANSACTIONS_FIRST, skipsBlocks: true, disconnects: 'transactions' },
  {
    name: 'TransactionsDuplicativelyFirstSkippingBlocks',
    turns: TWICE,
    skipsBlocks: true,
    disconnects: 'blockByBlock',
  },
  {
    name: 'HighlyRedundantTransactionsFirstSkippingBlocks',
    turns: REDUNDANTLY,
    skipsBlocks: true,
    disconnects: 'blockByBlock',
  },
  { name: 'FullBlockViaListen', turns: LISTEN, skipsBlocks: false, disconnects: 'blockByBlock' },
  { name: 'ReplayedFullBlockViaListen', turns: REPLAYED, skipsBlocks: false, disconnects: 'blockByBlock' },
  {
    name: 'FullBlockDisconnectionsSkippingViaListen',
    turns: LISTEN,
    skipsBlocks: false,
    disconnects: 'toForkPoint',
  },
];

/** How one engine is told of blocks. The wallet hears with it what a chain source would tell it. */
export class Delivery {
  readonly style: Style;
  #told: readonly ToldBlock[] = [];

  constructor(style: Style) {
    this.style = style;
  }

  /** Each block whole, in one turn. */
  static byListening(): Delivery {
    return new Delivery({ name: 'FullBlockViaListen', turns: LISTEN, skipsBlocks: false, disconnects: 'blockByBlock' });
  }

  static random(random: Random): Delivery {
    const [first] = STYLES;
    const style = pick(random, STYLES) ?? first;
    if (style === undefined) throw new Error('there are styles');
    return new Delivery(style);
  }

  /** Blocks on top of what was told, oldest first, turn by turn. */
  connected(blocks: readonly ToldBlock[]): readonly Tell[] {
    const groups = this.style.skipsBlocks ? [blocks] : blocks.map((block) => [block]);
    return groups.flatMap((group) => {
      const before = this.#told;
      this.#told = [...before, ...group.filter(({ transactions }) => transactions.length > 0)];
      return this.style.turns.map((calls) => (node) => calls.forEach((call) => tell(node, call, group, before)));
    });
  }

  /** Blocks that left the chain, newest first. */
  disconnected(gone: readonly GoneBlock[]): readonly Tell[] {
    const lowest = Math.min(...gone.map(({ previousHeight }) => previousHeight));
    this.#told = this.#told.filter(({ height }) => height <= lowest);
    switch (this.style.disconnects) {
      case 'blockByBlock':
        return gone.map((block) => (node) => {
          forget(node, [block]);
          tellBest(node, block.previousHeight);
        });
      case 'toForkPoint':
        return [
          (node) => {
            forget(node, gone);
            tellBest(node, lowest);
          },
        ];
      case 'transactions':
        return gone.map((block) => (node) => {
          forget(node, [block]);
          for (const transaction of block.transactions) node.manager.transactionUnconfirmed(transactionId(transaction));
        });
      default:
        return this.style.disconnects satisfies never;
    }
  }
}

function tell(node: SimulatedNode, call: Call, blocks: readonly ToldBlock[], before: readonly ToldBlock[]): void {
  if (call === 'best') return tellBest(node, blocks.at(-1)?.height ?? node.manager.blockHeight);
  for (const { height, transactions } of call === 'everything' ? before : blocks) {
    for (const transaction of transactions) node.wallet.transactionConfirmed(transaction, height);
    node.manager.transactionsConfirmed(
      height,
      // The first of a block is the coinbase, which is nobody's here.
      transactions.map((transaction, index) => ({ index: index + 1, transaction })),
    );
  }
}

function tellBest({ wallet, manager }: SimulatedNode, height: number): void {
  wallet.bestBlockUpdated(height);
  manager.bestBlockUpdated(height);
}

function forget({ wallet }: SimulatedNode, blocks: readonly ToldBlock[]): void {
  for (const { transactions } of blocks)
    for (const transaction of transactions) wallet.transactionUnconfirmed(transactionId(transaction));
}
