import type { RejectReason } from '../edges/chain/broadcaster.ts';
import type { Standing } from '../edges/chain/propagation.ts';
import { toHex } from '../engine/primitives/bytes.ts';
import { decodeTransaction } from '../engine/transactions/transaction.ts';
import { wireTxid } from '../engine/transactions/txid.ts';
import type { OnchainWallet } from '../engine/wallet/wallet.ts';
import { readable } from '../engine/wire/stored-record.ts';
import type { SentPayments } from './sent-payments.ts';
import type { OnchainSend } from './onchain-send.ts';

export interface RefusedPaymentsParts {
  readonly wallet: OnchainWallet;
  readonly sent: SentPayments;
  /** As `NodeTurns.turn`. */
  readonly turn: (work: () => void) => void;
  readonly log: (line: string) => void;
}

/** Takes back the payments that no server would have: when, and what becomes of their coins. Why that is safe: see `SentPayments`. */
export class RefusedPayments {
  readonly #parts: RefusedPaymentsParts;

  constructor(parts: RefusedPaymentsParts) {
    this.#parts = parts;
  }

  /** How far a transaction has got, by its txid as explorers print it; most are no payments. */
  stands(txid: string, standing: Standing): void {
    const { sent, turn } = this.#parts;
    switch (standing.kind) {
      case 'waiting':
        // Servers that refused it and cannot be reached now have not taken it for that.
        return;
      case 'taken':
      case 'unseen':
      case 'seen':
        return turn(() => sent.accepted(txid));
      case 'refused': {
        const { lasting, refusal } = standing;
        if (lasting && this.#mayTakeBack(txid, refusal.reason)) turn(() => this.#takeBack(txid, refusal.reason));
        return;
      }
      default:
        return standing satisfies never;
    }
  }

  /**
   * Payments that are to be in a block and have no coins: what had taken those, or made them, was in a block that is gone, or was
   * itself taken back. They are theirs again once all are there; what spends the change of another one comes after it.
   */
  standAgain(): void {
    const { wallet, sent } = this.#parts;
    const bare = sent.wanted().filter(({ txid }) => !wallet.hasSpent(wireTxid(txid)));
    const stands = ({ rawTx }: OnchainSend): boolean => {
      const tx = readable(() => decodeTransaction(rawTx));
      return tx !== undefined && wallet.transactionStands(tx);
    };
    if (bare.some(stands)) this.standAgain();
  }

  /**
   * Inputs may be missing for what made them is not in a block yet: then that one's fate decides. And what a channel or a claim was
   * built on is not ours alone to take back.
   */
  #mayTakeBack(txid: string, reason: RejectReason): boolean {
    const { wallet, sent } = this.#parts;
    const internal = wireTxid(txid);
    const waits =
      reason === 'missingInputs' && wallet.coinsSpentBy(internal).some(({ height }) => height === undefined);
    return !waits && sent.mayTakeBack(txid, reason) && !this.#isBuiltOn(internal);
  }

  /** Also where other payments are between: they are taken back with the first. */
  #isBuiltOn(internal: Uint8Array): boolean {
    const { wallet, sent } = this.#parts;
    const lost = new Map([[toHex(internal), internal]]);
    for (const name of lost.keys())
      for (const { txid, spentBy } of wallet.state.coins)
        if (spentBy !== undefined && toHex(txid) === name) lost.set(toHex(spentBy.txid), spentBy.txid);
    return [...lost.values()].some((txid) => !sent.has(txid));
  }

  #takeBack(txid: string, reason: RejectReason): void {
    const { wallet, sent, log } = this.#parts;
    const taken = sent.takeBack(txid, reason);
    log(`took back ${taken.map((send) => send.txid.slice(0, 12)).join(', ')}: ${reason}`);
    wallet.transactionDropped(wireTxid(txid));
    this.standAgain();
  }
}
