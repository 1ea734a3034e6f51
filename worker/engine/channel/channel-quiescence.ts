import { hasFeature, type FeatureSet } from '../wire/features.ts';
import type { Message, MessageKind, MessageOf } from '../wire/message.ts';
import type { OpenChannel } from './channel-state.ts';
import type { Owner } from './commitment-costs.ts';
import { hasPendingCounterpartyChanges, hasPendingHolderChanges } from './commitments.ts';
import { transition, violation, type Outcome, type Transition } from './transition.ts';

/**
 * Whether our updates wait for the end of quiescence. Those that came up while the two sides wait for each other would put it
 * off for ever: from the first `stfu`, or the wish for one, none is said.
 */
export const holdsUpdates = ({ quiescence }: Pick<OpenChannel, 'quiescence'>): boolean => quiescence.kind !== 'none';

/** Asks for quiescence as its initiator; the same channel where it cannot be, or has begun. */
export function requestQuiescence(channel: OpenChannel): Transition<OpenChannel> {
  const isPossible = isReady(channel) && channel.shutdown.kind === 'none' && channel.quiescence.kind === 'none';
  return transition(isPossible ? { ...channel, quiescence: { kind: 'wanted' } } : channel);
}

/** Says the `stfu` that is due, once no update of ours is pending for either side; HTLCs in both commitments may stay. */
export function sendStfuIfSettled(channel: OpenChannel): Transition<OpenChannel> {
  const { quiescence, commitments } = channel;
  if (quiescence.kind !== 'wanted' && quiescence.kind !== 'asked') return transition(channel);
  if (hasPendingHolderChanges(commitments)) return transition(channel);
  if (quiescence.kind === 'asked') return quiescent(channel, 'counterparty', [stfu(channel, 0)]);
  return transition({ ...channel, quiescence: { kind: 'offered' } }, { messages: [stfu(channel, 1)] });
}

/**
 * The counterparty's `stfu`. Where both sides ask, whoever asked first is the initiator: a wish of ours that was not said yet
 * is given up. Two that cross are the funder's (BOLT 2, Channel Quiescence).
 */
export function receiveStfu(
  channel: OpenChannel,
  { initiator }: MessageOf<'stfu'>,
  counterpartyFeatures: FeatureSet,
): Outcome<OpenChannel> {
  const { quiescence, shutdown, params } = channel;
  if (!hasFeature(counterpartyFeatures, 'option_quiesce')) return violation('warn', 'stfu without option_quiesce');
  if (!isReady(channel)) return violation('warn', 'stfu before channel_ready');
  if (shutdown.kind === 'both') return violation('warn', 'stfu after shutdown');
  // The two have crossed: eclair and lightning-kmp go on with the close as if they had not said it.
  if (shutdown.kind === 'holder' && shutdown.sent) return transition(channel);
  if (hasPendingCounterpartyChanges(channel.commitments)) return violation('warn', 'stfu with updates pending');
  switch (quiescence.kind) {
    case 'none':
    case 'wanted':
      return initiator === 0
        ? violation('warn', 'stfu answers one that was not said')
        : transition({ ...channel, quiescence: { kind: 'asked' } });
    case 'offered':
      return quiescent(channel, initiator === 0 || params.isOpener ? 'holder' : 'counterparty');
    case 'asked':
    case 'quiescent':
      return violation('warn', 'stfu came again');
    default:
      return quiescence satisfies never;
  }
}

/**
 * Whether the counterparty has said `stfu`, after which a message must not come. A `shutdown` is no update, but LDK, eclair and
 * lightning-kmp all take it for one here. What it signs may still be missing for our updates, and for none once we said it too.
 */
export function isSilenced({ quiescence }: OpenChannel, kind: MessageKind): boolean {
  if (quiescence.kind === 'quiescent' && kind === 'commitment_signed') return true;
  return (quiescence.kind === 'asked' || quiescence.kind === 'quiescent') && HELD_BACK.includes(kind);
}

const HELD_BACK: readonly MessageKind[] = [
  'update_add_htlc',
  'update_fulfill_htlc',
  'update_fail_htlc',
  'update_fail_malformed_htlc',
  'update_fee',
  'shutdown',
];

const isReady = ({ holderReadySent, counterpartyReady }: OpenChannel): boolean => holderReadySent && counterpartyReady;

const quiescent = (
  channel: OpenChannel,
  initiator: Owner,
  messages: readonly Message[] = [],
): Transition<OpenChannel> =>
  transition(
    { ...channel, quiescence: { kind: 'quiescent', initiator } },
    { messages, facts: [{ kind: 'quiescent', initiator }] },
  );

const stfu = ({ params }: OpenChannel, initiator: 0 | 1): MessageOf<'stfu'> => ({
  kind: 'stfu',
  channelId: params.channelId,
  initiator,
  tlvs: {},
});
