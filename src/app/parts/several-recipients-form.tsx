import type { JSX } from 'preact';
import type { OnchainSent } from '../../../worker/client/api.ts';
import { satText } from '../format.ts';
import {
  MOST_RECIPIENTS,
  NOBODY,
  outputsOf,
  tooMuch,
  totalSat,
  withAddress,
  wrongAddress,
  wrongAmount,
  type Recipient,
} from '../recipients.ts';
import { useWallet } from '../wallet-context.ts';
import { Facts } from './facts.tsx';
import { Field } from './field.tsx';
import { PayOnchain } from './pay-onchain.tsx';

export interface SeveralRecipientsFormProps {
  readonly recipients: readonly Recipient[];
  readonly label: string;
  readonly onChange: (recipients: readonly Recipient[]) => void;
  readonly onSent: (sent: OnchainSent) => void;
}

/** Who is paid how much, by one transaction for all. */
export function SeveralRecipientsForm(props: SeveralRecipientsFormProps): JSX.Element {
  const { recipients, label, onChange, onSent } = props;
  const { spendableSat } = useWallet().snapshot.onchain;
  const sum = totalSat(recipients);
  const wrong = tooMuch(sum, spendableSat);
  const outputs = wrong === undefined ? outputsOf(recipients) : undefined;
  return (
    <section class="card stack">
      {recipients.map((recipient, index) => (
        <RecipientFields
          key={index}
          number={index + 1}
          recipient={recipient}
          onChange={(changed) => onChange(recipients.with(index, changed))}
          onRemove={recipients.length === 1 ? undefined : () => onChange(recipients.toSpliced(index, 1))}
        />
      ))}
      {recipients.length < MOST_RECIPIENTS && (
        <button type="button" class="quiet" onClick={() => onChange([...recipients, NOBODY])}>
          Add a recipient
        </button>
      )}
      <Facts
        facts={[
          ['Can be spent', satText(spendableSat)],
          ['To all of them', <strong>{satText(sum)}</strong>],
        ]}
      />
      {wrong !== undefined && <p class="wrong">{wrong}</p>}
      <PayOnchain recipients={outputs && { outputs }} suggestedLabel={label} onSent={onSent} />
    </section>
  );
}

interface RecipientFieldsProps {
  readonly number: number;
  readonly recipient: Recipient;
  readonly onChange: (recipient: Recipient) => void;
  /** Nothing for the last that is left. */
  readonly onRemove: (() => void) | undefined;
}

function RecipientFields({ number, recipient, onChange, onRemove }: RecipientFieldsProps): JSX.Element {
  return (
    <fieldset class="stack recipient">
      <legend class="card-head">
        Recipient {number}
        {onRemove !== undefined && (
          <button type="button" class="quiet" aria-label={`Remove recipient ${number}`} onClick={onRemove}>
            Remove
          </button>
        )}
      </legend>
      <Field
        label="Address"
        value={recipient.address}
        onInput={(typed) => onChange(withAddress(recipient, typed))}
        wrong={wrongAddress(recipient)}
        lines={2}
        maxLength={8000}
        mono
      />
      <Field
        label="Amount"
        value={recipient.amount}
        onInput={(amount) => onChange({ ...recipient, amount })}
        unit="sat"
        inputMode="numeric"
        wrong={wrongAmount(recipient.amount)}
      />
    </fieldset>
  );
}
