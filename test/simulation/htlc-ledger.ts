import { toHex } from '../../worker/engine/primitives/bytes.ts';
import { allHtlcs } from '../../worker/engine/channel/commitments.ts';
import type { HtlcSource } from '../../worker/engine/transactions/htlc-source.ts';
import type { Message, MessageOf } from '../../worker/engine/wire/message.ts';
import { liveCommitments } from './oracle.ts';
import type { Side } from './side.ts';

/** An HTLC that one side has offered to another. */
export interface LedgerHtlc {
  readonly channelKey: string;
  readonly id: bigint;
  readonly from: Side;
  readonly to: Side;
  readonly amountMsat: bigint;
  readonly cltvExpiry: number;
  readonly paymentHash: string;
  /** Where it is there for another one, which came over a channel of whoever offers it. */
  readonly previous: HtlcSource['previous'] | undefined;
}

/** Every HTLC of honest sides as it went over the wire, kept apart from what engines think of them. */
export class HtlcLedger {
  readonly #htlcs = new Map<string, LedgerHtlc>();
  readonly #fulfilled = new Set<string>();

  /** A message has left; of repeated ones the last counts, for what was never signed may make room for another. */
  note(from: Side, to: Side, message: Message): void {
    if (message.kind === 'update_add_htlc') this.#htlcs.set(nameOf(to, message), offered(from, to, message));
    if (message.kind === 'update_fulfill_htlc') this.#fulfilled.add(nameOf(from, message));
  }

  all(): readonly LedgerHtlc[] {
    return [...this.#htlcs.values()];
  }

  /** The HTLC that a side was offered, by the channel and the number in it. */
  offeredTo(side: Side, channelKey: string, id: bigint): LedgerHtlc | undefined {
    return this.#htlcs.get(inbound(side, channelKey, id));
  }

  /** The one that an HTLC passes on. */
  before({ from, previous }: LedgerHtlc): LedgerHtlc | undefined {
    return previous && this.offeredTo(from, previous.channelKey, previous.htlcId);
  }

  /** Those that pass one on: one at most among honest engines. */
  after(htlc: LedgerHtlc): readonly LedgerHtlc[] {
    return this.all().filter((each) => this.before(each) === htlc);
  }

  /** Whether its payment was taken by whom it was offered to: off chain, or in a close with the preimage, whatever that brought. */
  isTaken({ channelKey, id, to, paymentHash }: LedgerHtlc): boolean {
    if (this.#fulfilled.has(inbound(to, channelKey, id))) return true;
    const monitor = to.view.monitors.get(channelKey);
    if (monitor?.confirmedSpend === undefined || !monitor.preimages.has(paymentHash)) return false;
    return liveCommitments(monitor).some(({ spec }) =>
      spec.htlcs.some((htlc) => htlc.direction === 'inbound' && htlc.id === id),
    );
  }
}

/** Who an HTLC of a side is there for, as a restart would read it. */
export function durableSource({ view }: Side, { channelId, id }: HtlcMessage): HtlcSource | undefined {
  const channel = view.channels.get(toHex(channelId));
  const htlcs = channel === undefined ? [] : [...allHtlcs(channel.commitments).values()];
  return htlcs.find((htlc) => htlc.direction === 'outbound' && htlc.id === id)?.source;
}

type HtlcMessage = Pick<MessageOf<'update_add_htlc'>, 'channelId' | 'id'>;

const offered = (from: Side, to: Side, message: MessageOf<'update_add_htlc'>): LedgerHtlc => ({
  channelKey: toHex(message.channelId),
  id: message.id,
  from,
  to,
  amountMsat: message.amountMsat,
  cltvExpiry: message.cltvExpiry,
  paymentHash: toHex(message.paymentHash),
  previous: durableSource(from, message)?.previous,
});

/** Each side of a channel numbers those that it offers. */
const inbound = (to: Side, channelKey: string, id: bigint): string => `${to.name} ${channelKey} ${id}`;

const nameOf = (to: Side, { channelId, id }: HtlcMessage): string => inbound(to, toHex(channelId), id);
