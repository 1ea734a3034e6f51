import { lastSecret } from '../keys/shachain.ts';
import { fromUtf8 } from '../primitives/bytes.ts';
import type { ShutdownFeatures } from '../transactions/shutdown-script.ts';
import type { Message, MessageOf } from '../wire/message.ts';
import { proposeClosing, receiveClosingSigned } from './channel-closing.ts';
import type { ChannelEnv } from './channel-env.ts';
import { receiveReestablish, reestablishMessage } from './channel-reestablish.ts';
import { receiveShutdown } from './channel-shutdown.ts';
import type { ClosedChannel, ClosingChannel, OpenChannel } from './channel-state.ts';
import { transition, type Outcome, type Transition } from './transition.ts';

/** A channel that both sides agreed to close, and whose closing transaction is not in the chain yet. */
export type NegotiatedChannel = ClosedChannel & { readonly negotiated: ClosingChannel };

/** Not where our commitment replaces what was agreed upon. */
export const isNegotiated = (state: ClosedChannel): state is NegotiatedChannel =>
  state.reason.kind === 'cooperative' && state.negotiated !== undefined;

/** The closing transaction, or whatever else spent the funding, is in the chain: nobody has to ask for it again. */
export const afterClosingConfirmed = (closed: ClosedChannel): ClosedChannel => {
  const { kind, params, reason, holderMsat, unseenFunding } = closed;
  return { kind, params, reason, holderMsat, unseenFunding };
};

/**
 * What a counterparty says for which the channel is still open: it did not get our last `closing_signed`. It is answered as
 * on any new connection, up to the fee that was agreed upon or another one in our range; without an answer it would close
 * alone. Nothing that it says opens the channel again, and nothing makes us broadcast a commitment.
 */
export function receiveWhenClosed(
  env: ChannelEnv,
  state: NegotiatedChannel,
  message: Message,
  context: { readonly features: ShutdownFeatures; readonly shutdownScript: Uint8Array },
): Outcome<ClosedChannel> | undefined {
  switch (message.kind) {
    case 'channel_reestablish':
      return receiveReestablishWhenClosed(env, state, message);
    case 'shutdown':
      return closedAfter(state, receiveShutdown(state.negotiated, message, context.features, context.shutdownScript));
    case 'closing_signed':
      return isSettled(state.negotiated)
        ? undefined
        : closedAfter(state, receiveClosingSigned(env, state.negotiated, message));
    default:
      return undefined;
  }
}

/** All that a new connection begins with, ours only now: a counterparty that knows of the close has nothing to hear. */
function receiveReestablishWhenClosed(
  env: ChannelEnv,
  state: NegotiatedChannel,
  message: MessageOf<'channel_reestablish'>,
): Outcome<ClosedChannel> {
  const { negotiated } = state;
  const repeated = receiveReestablish(env, negotiated, message);
  if (repeated.kind === 'violation') return closedAfter(state, repeated);
  const proposed = proposeClosing(env, repeated.state);
  if (proposed.kind === 'violation') return closedAfter(state, proposed);
  const { number } = negotiated.commitments.counterpartyCommit;
  const first = reestablishMessage(env, negotiated, lastSecret(env.counterpartySecrets, number));
  return closedAfter(state, { ...proposed, messages: [first, ...repeated.messages, ...proposed.messages] });
}

/** What becomes of a closed channel by that of the open one which it keeps. */
function closedAfter(state: NegotiatedChannel, outcome: Outcome<OpenChannel | ClosedChannel>): Outcome<ClosedChannel> {
  if (outcome.kind === 'violation')
    return outcome.severity === 'warn' ? outcome : transition(state, { messages: [closedError(state)] });
  const { state: next, messages, facts } = outcome;
  if (next.kind === 'closed') return isNegotiated(next) ? agreedAgain(state, next, messages) : transition(state);
  const { shutdown } = next;
  if (shutdown.kind !== 'both') return transition(state);
  return transition({ ...state, negotiated: { ...next, shutdown } }, { messages, facts });
}

/** Of two transactions that both sides have signed, the one with the higher fee is kept: only it replaces the other. */
function agreedAgain(
  state: NegotiatedChannel,
  next: NegotiatedChannel,
  messages: Transition<ClosedChannel>['messages'],
): Transition<ClosedChannel> {
  const { terms } = state.negotiated.shutdown;
  const { shutdown } = next.negotiated;
  const isHigher = (shutdown.terms.agreedSat ?? 0n) > (terms.agreedSat ?? 0n);
  const { reason } = isHigher ? next : state;
  const agreed = isHigher ? shutdown.terms : { ...terms, negotiation: shutdown.terms.negotiation };
  const negotiated = { ...next.negotiated, shutdown: { ...shutdown, terms: agreed } };
  if (reason.kind !== 'cooperative') return transition(state);
  return transition(
    { ...state, reason, negotiated },
    { messages, facts: [{ kind: 'closingRepeated', transaction: reason.transaction }] },
  );
}

/** One agreement a connection: whatever the counterparty signs after it changes nothing. */
function isSettled({ shutdown }: ClosingChannel): boolean {
  const { sent, receivedFeeSat } = shutdown.terms.negotiation;
  return receivedFeeSat !== undefined && sent?.feeSat === receivedFeeSat;
}

const closedError = ({ params }: ClosedChannel): MessageOf<'error'> => ({
  kind: 'error',
  channelId: params.channelId,
  data: fromUtf8('the channel is closed'),
  tlvs: {},
});
