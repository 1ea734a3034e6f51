import { isNegotiable } from '../channel/channel-closing.ts';
import type { OpenChannel } from '../channel/channel-state.ts';
import { isQuiet } from '../channel/commitments.ts';
import type { MessageKind } from '../wire/message.ts';
import { isOpen, type ChannelEntry } from './channel-entry.ts';

/** A message that the peer owes, or one of the protocol for which it has made the channel quiescent. */
export interface AwaitedAnswer {
  readonly kind: MessageKind | 'end of quiescence';
  /** Tells it from the next one of the same kind. */
  readonly number: number | bigint;
  readonly withinMs: number;
}

/** Machines answer each other here; as long as lnd waits for a `revoke_and_ack`, and quiescence may last (BOLT 2). */
const ANSWER_MS = 60_000;
/** Its owner may be asked whether to accept. */
const OPENING_MS = 2 * 60_000;
/** Its owner may be making the funding transaction elsewhere; lnd keeps a reservation for as long. */
const FUNDING_MS = 10 * 60_000;
/** A tick that comes later than this was held up with everything else: answers may lie unread in the socket. */
const MOST_TICK_MS = 5_000;

/**
 * How long each channel has waited for its peer. BOLT 2 names no deadlines; but a peer that answers pings and nothing else
 * would hold payments, closes and the coins of an opening for ever. Read from the channels' states at each tick, so that
 * nothing has to be noted where a message is sent.
 */
export class AnswerDeadlines {
  readonly #waiting = new WeakMap<ChannelEntry, { readonly answer: AwaitedAnswer; readonly waitedMs: number }>();
  #tickedAt: number | undefined;

  /** The channels whose peers are late by now; each is named again only when it has waited anew. */
  timerTick(entries: readonly ChannelEntry[], now: number): readonly [ChannelEntry, AwaitedAnswer][] {
    const passedMs = Math.min(Math.max(0, now - (this.#tickedAt ?? now)), MOST_TICK_MS);
    this.#tickedAt = now;
    return entries.flatMap((entry) => {
      const answer = this.#wait(entry, passedMs);
      return answer === undefined ? [] : [[entry, answer] satisfies [ChannelEntry, AwaitedAnswer]];
    });
  }

  #wait(entry: ChannelEntry, passedMs: number): AwaitedAnswer | undefined {
    const answer = awaitedAnswer(entry);
    const before = this.#waiting.get(entry);
    this.#waiting.delete(entry);
    if (answer === undefined) return undefined;
    const isSame = before?.answer.kind === answer.kind && before.answer.number === answer.number;
    const waitedMs = isSame ? before.waitedMs + passedMs : 0;
    if (waitedMs >= answer.withinMs) return answer;
    this.#waiting.set(entry, { answer, waitedMs });
    return undefined;
  }
}

/** What a channel waits for now, if its peer is there to give it. */
export function awaitedAnswer(entry: ChannelEntry): AwaitedAnswer | undefined {
  if (entry.frozen !== undefined || entry.connection === 'disconnected') return undefined;
  switch (entry.state.kind) {
    case 'awaitingAccept':
      return { kind: 'accept_channel', number: 0, withinMs: OPENING_MS };
    case 'awaitingFundingCreated':
      return { kind: 'funding_created', number: 0, withinMs: FUNDING_MS };
    case 'awaitingFundingSigned':
      return { kind: 'funding_signed', number: 0, withinMs: OPENING_MS };
    case 'open':
      return isOpen(entry) ? awaitedWhenOpen(entry.state, entry) : undefined;
    case 'awaitingFunding':
    case 'closed':
      return undefined;
    default:
      return entry.state satisfies never;
  }
}

function awaitedWhenOpen(channel: OpenChannel, { connection }: ChannelEntry): AwaitedAnswer | undefined {
  const { commitments, shutdown, quiescence, counterpartyReady } = channel;
  const { counterpartyNext, holderChanges, holderCommit } = commitments;
  const awaited = (kind: AwaitedAnswer['kind'], number: number | bigint): AwaitedAnswer => ({
    kind,
    number,
    withinMs: ANSWER_MS,
  });
  // lnd says `channel_reestablish` of a channel only once it is confirmed for it, which may take hours.
  if (connection === 'reestablishing') return counterpartyReady ? awaited('channel_reestablish', 0) : undefined;
  // Before all others: whatever else comes meanwhile, updates of ours are held.
  if (quiescence.kind === 'offered') return awaited('stfu', 0);
  if (quiescence.kind === 'quiescent') return awaited('end of quiescence', 0);
  if (counterpartyNext.kind === 'awaitingRevocation') return awaited('revoke_and_ack', counterpartyNext.commit.number);
  // It has our changes in its commitment for good, and owes us ours with them.
  if (holderChanges.acked.length > 0) return awaited('commitment_signed', holderCommit.number + 1);
  if (isNegotiable(channel)) return awaited('closing_signed', channel.shutdown.terms.negotiation.sent?.feeSat ?? -1);
  // With HTLCs in the channel some peers say it only when these are settled.
  if (shutdown.kind === 'holder' && shutdown.sent && isQuiet(commitments)) return awaited('shutdown', 0);
  return undefined;
}
