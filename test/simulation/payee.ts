import { equalBytes } from '../../worker/engine/primitives/bytes.ts';
import { CLTV_CLAIM_BUFFER } from '../../worker/engine/primitives/lock-times.ts';
import type { ChannelManager } from '../../worker/engine/manager/channel-manager.ts';
import type { ChannelHtlc } from '../../worker/engine/transactions/channel-htlc.ts';

/** What whoever is paid does about HTLCs that came: whether it takes them, or waits. */
export type PayeeHabit = 'takes' | 'holds';

interface HeldHtlc {
  readonly channelKey: string;
  readonly htlc: ChannelHtlc;
}

/** Decides for a node when its engine hears of HTLCs that are for it: payments through others stay under way until then. */
export class Payee {
  habit: PayeeHabit;
  readonly #manager: ChannelManager;
  readonly #decide: ChannelManager['inboundPayments']['accepted'];
  #held: readonly HeldHtlc[] = [];

  /** Takes the place of what decides in a node's engine. */
  constructor(manager: ChannelManager, habit: PayeeHabit) {
    this.habit = habit;
    this.#manager = manager;
    const { inboundPayments } = manager;
    this.#decide = inboundPayments.accepted.bind(inboundPayments);
    inboundPayments.accepted = (channelKey, htlc, height) => {
      if (this.habit === 'holds' && this.#isAwaited(htlc) && !isLate(htlc, height)) this.#hold({ channelKey, htlc });
      else this.#decide(channelKey, htlc, height);
    };
  }

  /** Within a turn: decides upon all that it has held. */
  release(): void {
    this.#release(() => true);
  }

  /** Within a turn: who holds for too long could lose what it holds, and gives it back. */
  blockConnected(height: number): void {
    this.#release(({ htlc }) => isLate(htlc, height));
  }

  /** Within a turn: what is not paid yet never will be. */
  refuse(): void {
    const { inboundPayments } = this.#manager;
    for (const payment of inboundPayments.all())
      if (payment.received === undefined) inboundPayments.addInvoice({ ...payment, expiresAt: 0 });
    this.release();
  }

  #release(which: (held: HeldHtlc) => boolean): void {
    const due = this.#held.filter(which);
    this.#held = this.#held.filter((held) => !due.includes(held));
    for (const { channelKey, htlc } of due) this.#decide(channelKey, htlc, this.#manager.blockHeight);
  }

  #hold(held: HeldHtlc): void {
    const isSame = ({ channelKey, htlc }: HeldHtlc): boolean =>
      channelKey === held.channelKey && htlc.id === held.htlc.id;
    this.#held = [...this.#held.filter((each) => !isSame(each)), held];
  }

  #isAwaited({ paymentHash }: ChannelHtlc): boolean {
    const payment = this.#manager.inboundPayments.all().find((each) => equalBytes(each.paymentHash, paymentHash));
    return payment !== undefined && payment.received === undefined;
  }
}

const isLate = ({ cltvExpiry }: ChannelHtlc, height: number): boolean => cltvExpiry < height + CLTV_CLAIM_BUFFER;
