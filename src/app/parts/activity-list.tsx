import type { JSX } from 'preact';
import type { Activity } from '../../../worker/client/api.ts';
import { activityText, exactMsatText, msatText, timeText } from '../format.ts';
import { ReplacePayment } from './replace-payment.tsx';

export interface ActivityListProps {
  readonly activities: readonly Activity[] | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** What has a fee that can be raised until a block has it. */
const WAITING: readonly Activity['kind'][] = ['onchainSent', 'onchainReceived'];

/** Payments, newest first. */
export function ActivityList({ activities, now }: ActivityListProps): JSX.Element {
  if (activities === undefined) return <p class="muted">Reading…</p>;
  if (activities.length === 0) return <p class="muted">Nothing has happened yet.</p>;
  return (
    <ul class="activities">
      {activities.map((activity) => (
        <ActivityLine key={activity.id} activity={activity} now={now} />
      ))}
    </ul>
  );
}

function ActivityLine({ activity, now }: { readonly activity: Activity; readonly now: number }): JSX.Element {
  const { kind, state, amountMsat, feeMsat, label, at, problem } = activity;
  const description = label ?? activity.description;
  const title = activityText(activity);
  const isFee = amountMsat === 0n && (kind === 'channelClaimed' || kind === 'onchainSent');
  const fee = feeMsat > 0n && !isFee ? `fee\u00a0${exactMsatText(feeMsat)}` : '';
  const subtitle = [description === '' ? '' : title, timeText(at, now), fee].filter((part) => part !== '').join(' · ');
  return (
    <li class={`activity ${kind}-${state}`}>
      <div class="activity-what">
        <span class="activity-title">{description === '' ? title : description}</span>
        <span class="muted">{subtitle}</span>
        {problem !== undefined && <span class="wrong">{problem.message}</span>}
        {WAITING.includes(kind) && state === 'pending' && (
          <ReplacePayment txid={activity.id} isIncoming={kind === 'onchainReceived'} />
        )}
      </div>
      <span class="activity-amount">
        {sign(activity)}
        {isFee ? exactMsatText(feeMsat < 0n ? -feeMsat : feeMsat) : msatText(amountMsat)}
      </span>
    </li>
  );
}

/** Only for what has come or gone, or is about to: what is ours in a channel is ours on chain too. */
function sign({ kind, state, amountMsat, feeMsat }: Activity): string {
  if (state === 'failed' || state === 'replaced') return '';
  if (kind === 'channelClaimed' && amountMsat === 0n) return feeMsat < 0n ? '+' : '−';
  if (kind === 'received' || kind === 'onchainReceived') return '+';
  return kind === 'sent' || kind === 'onchainSent' ? '−' : '';
}
