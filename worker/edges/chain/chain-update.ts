import type { Transaction } from '../../engine/transactions/transaction.ts';
import type { BlockHeader } from './block-header.ts';

/** A transaction of a block, proven to be in it. */
export interface ConfirmedTransaction {
  /** 32 bytes, wire order */
  readonly txid: Uint8Array;
  /** Position in the block. */
  readonly index: number;
  readonly rawTx: Uint8Array;
  readonly transaction: Transaction;
}

export interface ConfirmedBlock {
  readonly height: number;
  readonly header: BlockHeader;
  readonly txs: readonly ConfirmedTransaction[];
}

/**
 * All that one look at the chain brought, to be applied at once and in this order: disconnect, unconfirm, confirm, drop, mempool,
 * spending, best block: a replacement does not count before what it replaces is gone, and what the best block decides knows of
 * all of it. It can bring again what was brought before, after a restart or for an output registered late.
 */
export interface ChainUpdate {
  /** Blocks above this height are no longer in the chain. */
  readonly disconnectedTo?: number;
  /** Txids (wire order) of what was reported in blocks that are gone. */
  readonly unconfirmed: readonly Uint8Array[];
  /** Lowest first. */
  readonly confirmed: readonly ConfirmedBlock[];
  readonly best: { readonly height: number; readonly header: BlockHeader };
  /** Transactions of the wallet's scripts that this run sees in the mempool for the first time. */
  readonly mempool: readonly Transaction[];
  /** Transactions that spend a watched output and that this run sees in the mempool for the first time. */
  readonly spending: readonly Transaction[];
  /** Txids (wire order) of known transactions of these scripts that are neither in the mempool nor in a block any more. */
  readonly dropped: readonly Uint8Array[];
}
