import { GlowwormError } from '../engine/primitives/errors.ts';
import type { PaidWeight } from '../engine/wallet/coin.ts';
import { areRuledOut } from '../engine/wallet/rival-coins.ts';
import { feesOf, type UnsignedTransaction, type WalletPayment } from '../engine/wallet/wallet-transaction.ts';
import type { OnchainSent, SigningProgress } from './api.ts';
import { planSweep, type SweepRequest } from './found-coins.ts';
import { planChild } from './onchain-child.ts';
import { planOnchain, sendOnchain, sendToSelf, type OnchainPayer, type OnchainRequest } from './onchain-payment.ts';
import {
  isReplaceable,
  planReplacing,
  sendReplacement,
  type ReplacementKind,
  type ReplacementRequest,
} from './onchain-replacement.ts';

export interface OnchainPaymentsParts {
  readonly payer: OnchainPayer;
  /** As `NodeTurns.turn`. */
  readonly turn: <T>(work: () => T) => T;
  /** As `NodeTurns.durably`. */
  readonly durably: <T>(work: () => T) => Promise<T>;
  /** Calls back after what has arrived already was handled. */
  readonly soon: (callback: () => void) => void;
  /** The progress of signing has changed. */
  readonly changed: () => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Transactions that are planned in a turn, signed, and sent in a turn. */
interface Job {
  readonly plan: () => readonly UnsignedTransaction[];
  /** Whether what was planned is still possible. */
  readonly areThere: (coins: UnsignedTransaction['coins']) => boolean;
  /** The txids, as explorers print them. */
  readonly send: (signed: readonly WalletPayment[]) => readonly string[];
}

/** So many signatures, of a millisecond or two each, are made within one turn. */
const MOST_INPUTS_IN_TURN = 20;
/** So many between two looks at what else there is to do. */
const INPUTS_IN_SLICE = 8;

/**
 * Makes payments out of the on-chain wallet. One that spends many coins is signed between turns, while its coins are set aside: a
 * restart in the middle finds them free again, and nothing has left.
 */
export class OnchainPayments {
  readonly #parts: OnchainPaymentsParts;
  readonly #signing = new Set<{ done: number; readonly of: number }>();
  #stopped = false;

  constructor(parts: OnchainPaymentsParts) {
    this.#parts = parts;
  }

  /** How many inputs are signed of those that are being signed, if there are any. */
  get progress(): SigningProgress | undefined {
    if (this.#signing.size === 0) return undefined;
    const sum = (count: keyof SigningProgress): number =>
      [...this.#signing].reduce((all, each) => all + each[count], 0);
    return { done: sum('done'), of: sum('of') };
  }

  /** Nothing is signed after this. */
  stop(): void {
    this.#stopped = true;
  }

  /** Resolves when it is durable. Rejects with what `planOnchain` throws, `CoinsChanged` and `WalletClosed`: nothing was sent then. */
  pay(request: OnchainRequest): Promise<OnchainSent> {
    const { payer, now } = this.#parts;
    // One that was taken back since it was planned could arrive beside this one.
    const isBound = (coins: UnsignedTransaction['coins']): boolean =>
      areRuledOut(payer.wallet.state, coins, payer.onchainTerms().against);
    return this.#make({
      plan: () => planOnchain(payer, request),
      areThere: (coins) => isBound(coins) && payer.wallet.areThere(coins),
      send: (signed) => sendOnchain(payer, request, signed, now()),
    });
  }

  /** As `pay`, in place of a payment that is not confirmed. Rejects with what `planReplacing` throws. */
  replace(kind: ReplacementKind, request: ReplacementRequest): Promise<OnchainSent> {
    const { payer, now } = this.#parts;
    return this.#make({
      plan: () => planReplacing(payer, kind, request),
      areThere: (coins) => isReplaceable(payer, request, coins),
      send: (signed) => signed.map((each) => sendReplacement(payer, kind, request, each, now())),
    });
  }

  /** As `pay`, of what a payment from others has brought, so that a block takes both. Rejects with what `planChild` throws. */
  hurry(request: ReplacementRequest, parent: PaidWeight): Promise<OnchainSent> {
    const { payer, now } = this.#parts;
    return this.#make({
      plan: () => planChild(payer, request, parent),
      areThere: (coins) => coins.every(({ txid }) => payer.wallet.knows(txid)),
      send: (signed) => signed.map((each) => sendToSelf(payer, each, now())),
    });
  }

  /** As `pay`, of what was found on other addresses of the same words, to this wallet. Rejects with what `planSweep` throws. */
  sweep(request: SweepRequest): Promise<OnchainSent> {
    const { payer, now } = this.#parts;
    return this.#make({
      plan: () => planSweep(payer, request),
      areThere: (coins) => payer.wallet.areThere(coins),
      send: (signed) => signed.map((each) => sendToSelf(payer, each, now())),
    });
  }

  async #make(job: Job): Promise<OnchainSent> {
    const { payer, turn, durably } = this.#parts;
    const begun = await durably(() => this.#begin(job));
    if ('sent' in begun) return begun.sent;
    const coins = begun.planned.flatMap((each) => each.coins);
    const progress = { done: 0, of: coins.length };
    this.#signing.add(progress);
    try {
      const signed: WalletPayment[] = [];
      for (const each of begun.planned) signed.push(await this.#sign(each, () => progress.done++));
      return await durably(() => {
        if (!job.areThere(coins)) throw coinsChanged();
        return sentOf(job.send(signed), signed);
      });
    } catch (error) {
      turn(() => payer.wallet.unlock(coins));
      throw error;
    } finally {
      this.#signing.delete(progress);
      this.#parts.changed();
    }
  }

  #begin({ plan, send }: Job): { readonly sent: OnchainSent } | { readonly planned: readonly UnsignedTransaction[] } {
    const { wallet } = this.#parts.payer;
    const planned = plan();
    const coins = planned.flatMap((each) => each.coins);
    if (coins.length > MOST_INPUTS_IN_TURN) {
      wallet.lock(coins);
      return { planned };
    }
    const signed = planned.map((each) => wallet.payments.sign(each));
    return { sent: sentOf(send(signed), signed) };
  }

  async #sign(unsigned: UnsignedTransaction, signedInput: () => void): Promise<WalletPayment> {
    const signing = this.#parts.payer.wallet.payments.signing(unsigned);
    for (let inputs = 1; ; inputs++) {
      const { done, value } = signing.next();
      if (done === true) return value;
      signedInput();
      if (inputs % INPUTS_IN_SLICE !== 0) continue;
      this.#parts.changed();
      await new Promise<void>(this.#parts.soon);
      if (this.#stopped)
        throw new GlowwormError(
          'WalletClosed',
          'The wallet was closed before the payment was signed. Nothing was sent.',
        );
    }
  }
}

const sentOf = (txids: readonly string[], signed: readonly WalletPayment[]): OnchainSent => ({
  txid: txids[0] ?? '',
  txids,
  feeSat: feesOf(signed),
});

const coinsChanged = (): GlowwormError =>
  new GlowwormError(
    'CoinsChanged',
    'Coins of this payment left the chain, or were spent elsewhere, while it was signed. Nothing was sent: try again.',
  );
