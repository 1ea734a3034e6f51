import type { FeatureSet } from '../wire/features.ts';
import type { Message, MessageOf } from '../wire/message.ts';
import { receiveClosingSigned } from './channel-closing.ts';
import type { ChannelEnv } from './channel-env.ts';
import { isNegotiated, receiveWhenClosed } from './closed-channel.ts';
import { receiveAccept, receiveFundingCreated, receiveFundingSigned } from './channel-opening.ts';
import * as operation from './channel-operation.ts';
import { isSilenced, receiveStfu } from './channel-quiescence.ts';
import { receiveReady } from './channel-ready.ts';
import { receiveReestablish } from './channel-reestablish.ts';
import { receiveShutdown } from './channel-shutdown.ts';
import type { ChannelState, OpenChannel } from './channel-state.ts';
import { shutdownFeatures } from './channel-terms.ts';
import { endQuiescence } from './quiescence-end.ts';
import { followedBy, violation, type Outcome } from './transition.ts';

/** What the rest of the node knows that a message's meaning depends on. */
export interface MessageContext {
  readonly peerFeatures: FeatureSet;
  readonly trustedForZeroConf: boolean;
  /** Where a cooperative close pays us. */
  readonly shutdownScript: Uint8Array;
  /** A fresh alias for a channel that begins with this message. */
  readonly newAlias: () => bigint;
}

/** What a message does to the channel that it is for; `undefined` where it means nothing in the channel's state. */
export function receiveMessage(
  env: ChannelEnv,
  state: ChannelState,
  message: Message,
  context: MessageContext,
): Outcome<ChannelState> | undefined {
  switch (state.kind) {
    case 'awaitingAccept': {
      if (message.kind !== 'accept_channel') return undefined;
      const { peerFeatures: features, trustedForZeroConf } = context;
      return receiveAccept(env, state, message, { features, trustedForZeroConf });
    }
    case 'awaitingFundingCreated':
      return message.kind === 'funding_created'
        ? receiveFundingCreated(env, state, message, context.newAlias())
        : undefined;
    case 'awaitingFundingSigned':
      return message.kind === 'funding_signed'
        ? receiveFundingSigned(env, state, message, context.newAlias())
        : undefined;
    case 'open':
      return receiveWhenOpen(env, state, message, context);
    case 'closed':
      return isNegotiated(state)
        ? receiveWhenClosed(env, state, message, { ...context, features: shutdownFeatures(context.peerFeatures) })
        : undefined;
    case 'awaitingFunding':
      return undefined;
    default:
      return state satisfies never;
  }
}

function receiveWhenOpen(
  env: ChannelEnv,
  state: OpenChannel,
  message: Message,
  context: MessageContext,
): Outcome<ChannelState> | undefined {
  if (isSilenced(state, message.kind)) return violation('warn', `${message.kind} after stfu`);
  switch (message.kind) {
    case 'channel_reestablish':
      return receiveReestablish(env, state, message);
    case 'channel_ready':
      return receiveReady(env, state, message);
    case 'update_add_htlc':
      return operation.receiveAdd(state, message);
    case 'update_fulfill_htlc':
      return operation.receiveFulfill(state, message);
    case 'update_fail_htlc':
      return operation.receiveFail(state, message);
    case 'update_fail_malformed_htlc':
      return operation.receiveFailMalformed(state, message);
    case 'update_fee':
      return operation.receiveFee(env, state, message);
    case 'commitment_signed':
      return operation.receiveCommitmentSigned(env, state, message);
    case 'revoke_and_ack':
      return operation.receiveRevokeAndAck(env, state, message);
    case 'shutdown':
      return receiveShutdownWhenOpen(env, state, message, context);
    case 'stfu':
      return receiveStfu(state, message, context.peerFeatures);
    case 'closing_signed':
      return receiveClosingSigned(env, state, message);
    default:
      return undefined;
  }
}

/** Where it comes before our `stfu`, or has crossed it, there is no quiescence: deployed nodes then take no notice of ours. */
function receiveShutdownWhenOpen(
  env: ChannelEnv,
  state: OpenChannel,
  message: MessageOf<'shutdown'>,
  { peerFeatures, shutdownScript }: MessageContext,
): Outcome<OpenChannel> {
  const ended = endQuiescence(env, state);
  const outcome = receiveShutdown(ended.state, message, shutdownFeatures(peerFeatures), shutdownScript);
  return outcome.kind === 'violation' ? outcome : followedBy(ended, outcome);
}
