import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { OnchainRecipients, OnchainSent } from '../../../worker/client/api.ts';
import { readFeerate, signingText } from '../format.ts';
import { labelOf } from '../payment-input.ts';
import { useAction, useWallet } from '../wallet-context.ts';
import { ActionButton } from './action-button.tsx';
import { ConfirmOnchain, quoteOnchain, type QuotedPayment } from './confirm-onchain.tsx';
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
  const { wallet, snapshot } = useWallet();
  const { signing } = snapshot.onchain;
  const [typedLabel, setTypedLabel] = useState(suggestedLabel);
  const [typedFeerate, setTypedFeerate] = useState('');
  const [asked, setAsked] = useState<QuotedPayment>();
  const feerate = readFeerate(typedFeerate);
  const request = recipients && feerate && { ...recipients, ...feerate, label: labelOf(typedLabel) };
  const look = useAction(async () => {
    if (request !== undefined) setAsked(await quoteOnchain(wallet, request));
  });
  return (
    <>
      <LabelField value={typedLabel} onInput={setTypedLabel} />
      <FeerateField value={typedFeerate} onInput={setTypedFeerate} />
      {/* A dialog can be closed over what was agreed to in it: who sees nothing of that would pay again. */}
      <ActionButton action={look} disabled={request === undefined || signing !== undefined}>
        {signing === undefined ? 'Continue' : signingText(signing)}
      </ActionButton>
      {asked !== undefined && (
        <ConfirmOnchain payment={asked} onQuoted={setAsked} onSent={onSent} onClose={() => setAsked(undefined)} />
      )}
    </>
  );
}
