import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { eventText, exactMsatText } from '../format.ts';
import { useActivity, useWallet } from '../wallet-context.ts';
import { Result } from './result.tsx';

export interface PaymentProgressProps {
  /** The ids that the payment's events and its activity may go by. */
  readonly ids: readonly string[];
  readonly amountMsat: bigint;
  readonly description: string;
}

/** A payment from its start to its end. */
export function PaymentProgress({ ids, amountMsat, description }: PaymentProgressProps): JSX.Element {
  const { events, dismiss } = useWallet();
  const end = events.find(
    ({ kind, subject }) => (kind === 'paymentSent' || kind === 'paymentFailed') && ids.includes(subject),
  );
  const activity = useActivity(20)?.find(({ id }) => ids.includes(id));
  useEffect(() => {
    if (end !== undefined) dismiss(end.id);
  }, [end]);
  if (end === undefined) {
    return (
      <Result state="pending" title={`Sending ${exactMsatText(amountMsat)}`}>
        <p class="muted">Usually a few seconds. You can leave this page; the payment goes on.</p>
      </Result>
    );
  }
  if (end.kind === 'paymentFailed') {
    return (
      <Result state="bad" title="Not sent">
        <p class="muted">{activity?.problem?.message ?? eventText(end)}</p>
        <p class="muted">Nothing was taken from your balance.</p>
      </Result>
    );
  }
  return (
    <Result state="good" title={`Sent ${exactMsatText(amountMsat)}`}>
      <p class="muted">{description}</p>
      {activity?.state === 'succeeded' && <p class="muted">Routing fee: {exactMsatText(activity.feeMsat)}</p>}
    </Result>
  );
}
