import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { OnchainQuote, OnchainRecipients, OnchainSent } from '../../../worker/client/api.ts';
import { readFeerate } from '../format.ts';
import { labelOf } from '../payment-input.ts';
import { useAction, useWallet } from '../wallet-context.ts';
import { ActionButton } from './action-button.tsx';
import { ConfirmOnchain } from './confirm-onchain.tsx';
import { FeerateField } from './feerate-field.tsx';
import { LabelField } from './label-field.tsx';

export interface PayOnchainProps {
  /** Nothing until it is known who is paid how much. */
  readonly recipients: OnchainRecipients | undefined;
  readonly suggestedLabel: string;
  readonly onSent: (sent: OnchainSent) => void;
}

/** The rest of a payment on chain: its label and its feerate, what it costs, and the yes to that. */
export function PayOnchain({ recipients, suggestedLabel, onSent }: PayOnchainProps): JSX.Element {
  const { wallet } = useWallet();
  const [typedLabel, setTypedLabel] = useState(suggestedLabel);
  const [typedFeerate, setTypedFeerate] = useState('');
  const [quote, setQuote] = useState<OnchainQuote>();
  const label = labelOf(typedLabel);
  const feerate = readFeerate(typedFeerate);
  const request = recipients && feerate && { ...recipients, ...feerate };
  const look = async (): Promise<void> => {
    if (request !== undefined) setQuote(await wallet.quoteOnchain(request));
  };
  const send = async (): Promise<void> => {
    if (request === undefined || quote === undefined) return;
    onSent(await wallet.sendOnchain({ ...request, label, maxFeeSat: quote.feeSat }));
  };
  return (
    <>
      <LabelField value={typedLabel} onInput={setTypedLabel} />
      <FeerateField value={typedFeerate} onInput={setTypedFeerate} />
      <ActionButton action={useAction(look)} disabled={request === undefined}>
        Continue
      </ActionButton>
      {recipients !== undefined && quote !== undefined && (
        <ConfirmOnchain
          recipients={recipients}
          label={label}
          quote={quote}
          send={send}
          look={look}
          onClose={() => setQuote(undefined)}
        />
      )}
    </>
  );
}
