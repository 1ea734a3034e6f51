import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { OnchainSent } from '../../../worker/client/api.ts';
import { parseSat, satText } from '../format.ts';
import type { PaymentInput } from '../payment-input.ts';
import { tooMuch, wrongAmount, type Recipient } from '../recipients.ts';
import { useWallet } from '../wallet-context.ts';
import { Facts } from './facts.tsx';
import { Field } from './field.tsx';
import { PayOnchain } from './pay-onchain.tsx';

export interface OneRecipientFormProps {
  readonly target: Extract<PaymentInput, { kind: 'address' }>;
  readonly onSent: (sent: OnchainSent) => void;
  /** There are to be more than this one. */
  readonly onSeveral: (first: Recipient) => void;
}

/** How much goes to an address. */
export function OneRecipientForm({ target, onSent, onSeveral }: OneRecipientFormProps): JSX.Element {
  const { spendableSat } = useWallet().snapshot.onchain;
  const { address, label } = target;
  const [typed, setTyped] = useState(target.amountSat?.toString() ?? '');
  const [all, setAll] = useState(false);
  const wrong = wrongAmount(typed) ?? tooMuch(parseSat(typed) ?? 0n, spendableSat);
  const amountSat = all ? 'all' : wrong === undefined ? parseSat(typed) : undefined;
  return (
    <section class="card stack">
      <Facts facts={[['To', <span class="mono long">{address}</span>]]} />
      {!all && <Field label="Amount" value={typed} onInput={setTyped} unit="sat" inputMode="numeric" wrong={wrong} />}
      <label class="check">
        <input type="checkbox" checked={all} disabled={spendableSat === 0n} onChange={() => setAll(!all)} />
        <span>Everything that can be spent ({satText(spendableSat)}, less the fee)</span>
      </label>
      {!all && (
        <button type="button" class="quiet" onClick={() => onSeveral({ address, amount: typed })}>
          Add a recipient
        </button>
      )}
      <PayOnchain
        recipients={amountSat === undefined ? undefined : { address, amountSat }}
        suggestedLabel={label}
        onSent={onSent}
      />
    </section>
  );
}
