import type { JSX } from 'preact';
import type { Activity } from '../../../worker/client/api.ts';
import { activityWords, isFeeAlone } from '../activity-words.ts';
import { exactMsatText, msatText } from '../format.ts';
import { ReplacePayment } from './replace-payment.tsx';

export interface ActivityListProps {
  readonly activities: readonly Activity[] | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

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
  const { kind, state, problem } = activity;
  const { title, subtitle, recipients } = activityWords(activity, now);
  return (
    <li class={`activity ${kind}-${state}`}>
      <div class="activity-head">
        <span class="activity-title">{title}</span>
        <span class="activity-amount">{amountText(activity)}</span>
      </div>
      <span class="muted">{subtitle}</span>
      <Recipients addresses={recipients} />
      {problem !== undefined && <span class="wrong">{problem.message}</span>}
      <ReplacePayment activity={activity} />
    </li>
  );
}

/** The first of them; the others for whoever asks. */
function Recipients({ addresses: [first, ...others] }: { readonly addresses: readonly string[] }): JSX.Element | null {
  if (first === undefined) return null;
  return (
    <>
      <span class="muted mono long">{first}</span>
      {others.length > 0 && (
        <details class="muted">
          <summary>and {others.length} more</summary>
          <ul class="mono long">
            {others.map((address, index) => (
              <li key={index}>{address}</li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

function amountText(activity: Activity): string {
  const { amountMsat, feeMsat } = activity;
  const amount = isFeeAlone(activity) ? exactMsatText(feeMsat < 0n ? -feeMsat : feeMsat) : msatText(amountMsat);
  return `${sign(activity)}${amount}`;
}

/** Only for what has come or gone, or is about to: what is ours in a channel is ours on chain too. */
function sign({ kind, state, amountMsat, feeMsat }: Activity): string {
  if (state === 'failed' || state === 'replaced') return '';
  if (kind === 'channelClaimed' && amountMsat === 0n) return feeMsat < 0n ? '+' : '−';
  if (kind === 'received' || kind === 'onchainReceived') return '+';
  return kind === 'sent' || kind === 'onchainSent' ? '−' : '';
}
