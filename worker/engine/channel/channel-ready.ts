import { COINBASE_MATURITY } from '../primitives/lock-times.ts';
import type { MessageOf } from '../wire/message.ts';
import type { ChannelEnv } from './channel-env.ts';
import type { Funding, OpenChannel, UnseenFunding } from './channel-state.ts';
import { transition, violation, type Outcome, type Transition } from './transition.ts';

/** A funding that did not confirm for so long is given up by its fundee (BOLT 2, The funding_created Message). */
export const FUNDING_TIMEOUT_BLOCKS = 2016;

/** Sends `channel_ready` once the funding is deep enough; changes nothing where it is not, or was sent. */
export function sendReadyIfDeep(env: ChannelEnv, channel: OpenChannel): Transition<OpenChannel> {
  if (channel.holderReadySent || !fundingIsDeep(channel, env.blockHeight)) return transition(channel);
  const next: OpenChannel = { ...channel, holderReadySent: true };
  return transition(next, {
    messages: [channelReady(env, next)],
    facts: next.counterpartyReady ? [{ kind: 'channelReady' }] : [],
  });
}

/** The message itself: also sent again on reconnection while no commitment followed. */
export const channelReady = (env: ChannelEnv, channel: OpenChannel): MessageOf<'channel_ready'> => ({
  kind: 'channel_ready',
  channelId: channel.params.channelId,
  secondPerCommitmentPoint: env.signer.perCommitmentPoint(1),
  tlvs: { shortChannelId: channel.holderAlias },
});

export function receiveReady(
  env: ChannelEnv,
  channel: OpenChannel,
  message: MessageOf<'channel_ready'>,
): Outcome<OpenChannel> {
  const counterpartyAlias = message.tlvs.shortChannelId ?? channel.counterpartyAlias;
  const { commitments } = channel;
  // A repeated one only tells an alias: the point of the second commitment counts once.
  if (commitments.counterpartyNext.kind !== 'awaitingReady') return transition({ ...channel, counterpartyAlias });
  if (!env.secp.isPoint(message.secondPerCommitmentPoint))
    return violation('fail', 'second_per_commitment_point is not on the curve');
  const next: OpenChannel = {
    ...channel,
    counterpartyAlias,
    counterpartyReady: true,
    commitments: {
      ...commitments,
      counterpartyNext: { kind: 'ready', perCommitmentPoint: message.secondPerCommitmentPoint },
    },
  };
  return transition(next, { facts: next.holderReadySent ? [{ kind: 'channelReady' }] : [] });
}

/**
 * The confirmations for which a channel waits: those that were agreed upon, or until a coinbase funding can be spent, for
 * nothing that hangs on it counts before (BOLT 2, The channel_ready Message).
 */
export function requiredDepth({ funding, params }: Pick<OpenChannel, 'funding' | 'params'>): number {
  const isCoinbase = funding.kind === 'confirmed' && funding.transactionIndex === 0;
  return isCoinbase && params.minimumDepth > 0 ? COINBASE_MATURITY : params.minimumDepth;
}

/** Whether the funding is as deep as it has to be: a channel is used only while it is, also after a reorganisation. */
export const fundingIsDeep = (channel: OpenChannel, blockHeight: number): boolean =>
  fundingDepth(channel.funding, blockHeight) >= requiredDepth(channel);

/** What a channel that closes now has to remember of its funding, where that is in no block. */
export function unseenFunding(
  { params, funding, beganAtHeight }: OpenChannel,
  blockHeight: number,
): UnseenFunding | undefined {
  if (funding.kind === 'confirmed') return undefined;
  const timeout = (beganAtHeight ?? blockHeight) + FUNDING_TIMEOUT_BLOCKS;
  return { ...funding, forgetAtHeight: params.isOpener ? undefined : timeout };
}

/** Confirmations of the funding: 1 in the block that contains it. */
export const fundingDepth = (funding: Funding, blockHeight: number): number =>
  funding.kind === 'confirmed' ? Math.max(0, blockHeight - funding.height + 1) : 0;
