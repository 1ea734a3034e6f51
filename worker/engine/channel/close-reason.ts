import type { CloseReason } from './channel-state.ts';

/** Why a channel closed, for its owner. */
export function explainClose(reason: CloseReason): string {
  switch (reason.kind) {
    case 'cooperative':
      return 'Closed by agreement.';
    case 'holderForceClosed':
      return 'Closed by you alone; the money comes after the waiting time.';
    case 'violation':
      return `Closed because the peer broke the protocol: ${reason.message}.`;
    case 'counterpartyError':
      return `Closed because the peer reported an error: ${reason.message}.`;
    case 'counterpartyForceClosed':
      return 'Closed by the peer alone.';
    case 'stale':
      return 'This device has an old state of the channel: the peer was asked to close it, and nothing was broadcast.';
    case 'fundingTimedOut':
      return 'The funding did not confirm in two weeks.';
    case 'fundingInvalid':
      return `The peer did not fund the channel as agreed: ${reason.message}.`;
    case 'fundingReplaced':
      return 'The coins of the funding were spent elsewhere: the channel never began.';
    case 'counterpartyLostState':
      return 'Closed because the peer has closed or forgotten the channel.';
    case 'htlcDeadline':
      return 'Closed because a payment was about to expire while the peer did not settle it; the money comes after the waiting time.';
    case 'channelBehind':
      return 'Closed because a part of the channel was missing or old in this wallet’s storage.';
    case 'monitorBehind':
      return 'A part of the channel is missing or old in this wallet’s storage: the peer was asked to close it, and nothing was broadcast.';
    default:
      return reason satisfies never;
  }
}
