import { isDeepStrictEqual } from 'node:util';
import { toHex } from '../../../worker/engine/primitives/bytes.ts';
import { allHtlcs } from '../../../worker/engine/channel/commitments.ts';
import type { ChannelMonitor } from '../../../worker/engine/monitor/channel-monitor.ts';
import type { HtlcEvent } from '../../../worker/engine/monitor/htlc-resolution.ts';
import { htlcKey, type ChannelHtlc } from '../../../worker/engine/transactions/channel-htlc.ts';
import type { PreviousHop } from '../../../worker/engine/transactions/htlc-source.ts';
import type { DurableView } from '../durable-view.ts';

type Complain = (problem: string) => void;

/** What a monitor tells keeps its number and its words, numbers count up, and nothing is gone whose consequence is not durable. */
export function checkEventsKept(
  view: DurableView,
  before: ChannelMonitor,
  after: ChannelMonitor,
  complain: Complain,
): void {
  if (after.nextEventId < before.nextEventId) complain('a monitor numbers its events anew');
  for (const event of after.events) {
    const same = before.events.find(({ id }) => id === event.id);
    if (same === undefined ? event.id < before.nextEventId : !isDeepStrictEqual(same, event))
      complain(`event ${event.id} of a monitor became another one`);
  }
  const channelKey = toHex(after.params.channelId);
  const kept = new Set(after.events.map(({ id }) => id));
  for (const event of before.events)
    if (!kept.has(event.id))
      checkConcluded(view, channelKey, event, before.sources.get(event.htlc.id)?.previous, complain);
}

function checkConcluded(
  view: DurableView,
  channelKey: string,
  { id, htlc, resolution }: HtlcEvent,
  previous: PreviousHop | undefined,
  complain: Complain,
): void {
  const hash = toHex(htlc.paymentHash);
  const isConcluded =
    previous === undefined ? isSeen(view, channelKey, htlc) : isAnswered(view, previous, resolution.kind, hash);
  if (!isConcluded) complain(`event ${id} of a monitor (${resolution.kind}) was given up before it was of use`);
}

/** The user of a payment has seen its end, or that of an earlier try, which the HTLC was part of. */
function isSeen(view: DurableView, channelKey: string, { id, paymentHash }: ChannelHtlc): boolean {
  const hash = toHex(paymentHash);
  const state = view.outbound.get(hash)?.state;
  if (state?.kind === 'pending')
    return !state.parts.some((part) => part.channelKey === channelKey && part.htlcId === id);
  return !view.events.isPending('paymentSent', hash) && !view.events.isPending('paymentFailed', hash);
}

/** The HTLC that was passed on is gone for good, or its monitor has the preimage; a failure only an open channel can bring. */
function isAnswered(
  view: DurableView,
  { channelKey, htlcId }: PreviousHop,
  kind: HtlcEvent['resolution']['kind'],
  hash: string,
): boolean {
  const monitor = view.monitors.get(channelKey);
  if (monitor?.preimages.has(hash) === true) return true;
  const channel = view.channels.get(channelKey);
  if (channel !== undefined && !view.closed.has(channelKey))
    return !allHtlcs(channel.commitments).has(htlcKey({ direction: 'inbound', id: htlcId }));
  if (kind !== 'fulfilled' || monitor === undefined) return true;
  // Nobody can claim what is in none of the commitments.
  const specs = [monitor.holderCommitment, ...monitor.counterpartyCommitments].map(({ spec }) => spec);
  return !specs.some(({ htlcs }) => htlcs.some(({ direction, id }) => direction === 'inbound' && id === htlcId));
}
