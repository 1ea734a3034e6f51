import type { Activity } from '../../worker/client/api.ts';
import { exactMsatText, timeText } from './format.ts';

/** What stands in an activity's line, beside its amount. */
export interface ActivityWords {
  readonly title: string;
  /** What it is where the title is its name, when, and for which fee. */
  readonly subtitle: string;
  /** The addresses that were paid; none where it was this wallet's own. */
  readonly recipients: readonly string[];
}

/** An activity for a person; `now` in milliseconds since 1970. */
export function activityWords(activity: Activity, now: number): ActivityWords {
  const { kind, label, description, feeMsat, at } = activity;
  const name = label ?? (kind === 'onchainSent' ? '' : description);
  const what = activityText(activity);
  const fee = feeMsat > 0n && !isFeeAlone(activity) ? `fee\u00a0${exactMsatText(feeMsat)}` : '';
  return {
    title: name === '' ? what : name,
    subtitle: [name === '' ? '' : what, timeText(at, now), fee].filter((part) => part !== '').join(' · '),
    recipients: kind === 'onchainSent' && !isFeeAlone(activity) ? description.split(', ') : [],
  };
}

/** Whether nobody was paid: only the fee is gone. */
export function isFeeAlone({ kind, amountMsat }: Activity): boolean {
  return amountMsat === 0n && (kind === 'channelClaimed' || kind === 'onchainSent');
}

/** What an activity is, in a word or two. */
export function activityText(activity: Activity): string {
  const isPending = activity.state === 'pending';
  switch (activity.kind) {
    case 'sent':
      if (activity.state === 'failed') return 'Not sent';
      return isPending ? 'Sending' : 'Sent';
    case 'received':
      return isPending ? 'Receiving' : 'Received';
    case 'invoice':
      return activity.state === 'expired' ? 'Invoice expired' : 'Invoice, unpaid';
    case 'onchainReceived':
      return confirmedOrNot('Received on-chain', isPending);
    case 'onchainSent':
      if (activity.state === 'failed') return 'Not sent on-chain';
      if (activity.state === 'replaced') return 'Replaced by another payment';
      return confirmedOrNot(isFeeAlone(activity) ? 'Moved within this wallet' : 'Sent on-chain', isPending);
    case 'channelOpened':
      return confirmedOrNot('Channel opened', isPending);
    case 'channelClosed':
      return confirmedOrNot('Channel closed', isPending);
    case 'channelClaimed':
      return confirmedOrNot(isFeeAlone(activity) ? 'Fee of a close' : 'From a closed channel', isPending);
    default:
      return activity.kind satisfies never;
  }
}

const confirmedOrNot = (what: string, isPending: boolean): string => (isPending ? `${what}, unconfirmed` : what);
