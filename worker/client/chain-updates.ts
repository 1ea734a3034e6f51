import type { ChainUpdate } from '../edges/chain/chain-update.ts';
import { unconfirmedFunding } from '../engine/manager/channel-entry.ts';
import type { ChannelManager } from '../engine/manager/channel-manager.ts';
import { equalBytes } from '../engine/primitives/bytes.ts';
import type { StoreWrites } from '../engine/primitives/store.ts';
import { transactionId, type Transaction } from '../engine/transactions/transaction.ts';
import { explorerTxid, wireTxid } from '../engine/transactions/txid.ts';
import type { OnchainWallet } from '../engine/wallet/wallet.ts';
import type { OnchainSend } from './onchain-send.ts';
import type { ReceivedPayments } from './received-payments.ts';
import type { RefusedPayments } from './refused-payments.ts';
import type { SentPayments } from './sent-payments.ts';

export interface ChainUpdatesParts {
  readonly wallet: OnchainWallet;
  readonly manager: ChannelManager;
  readonly sent: SentPayments;
  readonly refused: RefusedPayments;
  readonly received: ReceivedPayments;
  /** As `NodeTurns.turn`. */
  readonly turn: (work: () => void) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What the chain tells, for the coins, the payments and the channels, in the order in which they need it. */
export class ChainUpdates {
  readonly #parts: ChainUpdatesParts;
  #bestHash = '';

  constructor(parts: ChainUpdatesParts) {
    this.#parts = parts;
  }

  /** Takes a whole update in one turn, which writes `writes` too. Throws what that throws. */
  take(update: ChainUpdate, writes: StoreWrites): void {
    const { manager, refused, turn } = this.#parts;
    const { hash } = update.best.header;
    turn(() => {
      for (const [key, value] of writes) manager.record(key, value);
      // What a source that has started since was not asked to look out for yet has left the chain as well.
      if (update.disconnectedTo !== undefined) manager.bestBlockUpdated(update.disconnectedTo);
      this.#unconfirm(update);
      this.#confirm(update);
      this.#takeUnconfirmed(update);
      refused.standAgain();
      this.#noteReceived(update);
      if (hash !== this.#bestHash) this.#takeBest(update.best.height);
    });
    this.#bestHash = hash;
  }

  #unconfirm({ unconfirmed }: ChainUpdate): void {
    const { wallet, sent, manager } = this.#parts;
    for (const txid of unconfirmed) {
      wallet.transactionUnconfirmed(txid);
      sent.unconfirmed(txid);
      manager.transactionUnconfirmed(txid);
    }
  }

  #confirm({ confirmed }: ChainUpdate): void {
    for (const { height, txs } of confirmed) {
      for (const { transaction } of txs) this.#confirmCoins(transaction, height);
      this.#parts.manager.transactionsConfirmed(height, txs);
    }
  }

  /** Payments have lost their coins with it, too, that spend the change of something which is no payment, such as a funding. */
  #confirmCoins(transaction: Transaction, height: number): void {
    const { wallet, sent } = this.#parts;
    const stands = ({ txid }: OnchainSend): boolean => wallet.hasSpent(wireTxid(txid));
    const stood = sent.wanted().filter(stands);
    wallet.transactionConfirmed(transaction, height);
    sent.confirmed(transaction);
    for (const send of stood) if (!stands(send)) sent.displaced(send.txid, transaction);
  }

  #takeUnconfirmed({ dropped, mempool, spending }: ChainUpdate): void {
    const { wallet, manager } = this.#parts;
    for (const txid of dropped) if (!this.#isRebroadcast(txid)) wallet.transactionDropped(txid);
    for (const transaction of mempool) this.#seenInMempool(transaction);
    for (const transaction of spending) {
      // What takes something out of a close pays the wallet: nothing is asked for its script before it is a coin.
      wallet.transactionSeen(transaction);
      manager.transactionSeen(transaction);
    }
  }

  /** A payment to ourselves looks like another's where the coins that it spent are not known. */
  #noteReceived(update: ChainUpdate): void {
    const { wallet, sent, received, now } = this.#parts;
    const coins = wallet.state.coins.filter(({ txid }) => !sent.has(txid));
    received.update(coins, update, now());
  }

  #takeBest(height: number): void {
    const { wallet, sent, manager } = this.#parts;
    wallet.bestBlockUpdated(height);
    // Before what the channels broadcast: a commitment's child may spend the change of a payment.
    for (const { rawTx } of sent.wanted()) manager.broadcast(rawTx);
    manager.bestBlockUpdated(height);
  }

  /** Of a payment that was taken back too: then its coins are gone again, unless something else has spent them since. */
  #seenInMempool(transaction: Transaction): void {
    const { wallet, sent } = this.#parts;
    wallet.transactionSeen(transaction);
    const txid = transactionId(transaction);
    if (wallet.coinsSpentBy(txid).length > 0) sent.returned(explorerTxid(txid));
  }

  /**
   * Whether we go on broadcasting a transaction until it confirms. That a server does not have it says little then, and its
   * coins must not go elsewhere: only another one in a block frees them.
   */
  #isRebroadcast(txid: Uint8Array): boolean {
    const { sent, manager } = this.#parts;
    if (sent.wants(txid)) return true;
    return manager.channels().some(({ key, state }) => {
      const isOurs = state.kind === 'open' || unconfirmedFunding(state) !== undefined;
      if (isOurs && 'params' in state && equalBytes(state.params.fundingTxid, txid)) return true;
      const { anchorChild, packages = [] } = manager.chainMonitor.monitor(key) ?? {};
      const made = anchorChild === undefined ? packages : [anchorChild, ...packages];
      return made.some(({ tx }) => equalBytes(transactionId(tx), txid));
    });
  }
}
