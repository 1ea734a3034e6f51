import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { OnchainSent } from '../../../worker/client/api.ts';
import { satText } from '../format.ts';
import type { PaymentInput } from '../payment-input.ts';
import { NOBODY, type Recipient } from '../recipients.ts';
import { OneRecipientForm } from './one-recipient-form.tsx';
import { Result } from './result.tsx';
import { SeveralRecipientsForm } from './several-recipients-form.tsx';

export interface SendOnchainProps {
  readonly target: Extract<PaymentInput, { kind: 'address' }>;
  /** The field that the address was pasted into is not needed any more. */
  readonly onStarted: () => void;
}

/** Coins to an address, or to several: how many, then what that costs, then they go. */
export function SendOnchain({ target, onStarted }: SendOnchainProps): JSX.Element {
  const [several, setSeveral] = useState<readonly Recipient[]>();
  const [sent, setSent] = useState<OnchainSent>();
  const onSent = (done: OnchainSent): void => {
    setSent(done);
    onStarted();
  };
  const onSeveral = (first: Recipient): void => {
    setSeveral([first, NOBODY]);
    onStarted();
  };
  if (sent !== undefined) return <SentCoins sent={sent} />;
  if (several === undefined) return <OneRecipientForm target={target} onSent={onSent} onSeveral={onSeveral} />;
  return <SeveralRecipientsForm recipients={several} label={target.label} onChange={setSeveral} onSent={onSent} />;
}

function SentCoins({ sent: { txids, feeSat } }: { readonly sent: OnchainSent }): JSX.Element {
  return (
    <Result state="good" title="On its way">
      <p class="muted">It counts once a block has confirmed it. Network fee: {satText(feeSat)}</p>
      {txids.map((txid) => (
        <p key={txid} class="mono long">
          {txid}
        </p>
      ))}
    </Result>
  );
}
