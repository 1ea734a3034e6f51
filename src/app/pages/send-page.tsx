import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Field } from '../parts/field.tsx';
import { Page } from '../parts/page.tsx';
import { SendLightning } from '../parts/send-lightning.tsx';
import { SendOnchain } from '../parts/send-onchain.tsx';
import { readPaymentInput, type PaymentInput } from '../payment-input.ts';

export interface SendPageProps {
  /** An invoice or an address that came with the link. */
  readonly prefilled: string;
}

/** Paste, look, confirm. */
export function SendPage({ prefilled }: SendPageProps): JSX.Element {
  const [typed, setTyped] = useState(prefilled);
  const [started, setStarted] = useState(false);
  const input = readPaymentInput(typed);
  return (
    <Page title="Send" back="">
      {!started && (
        <section class="card">
          <Field
            label="Invoice or address"
            value={typed}
            onInput={setTyped}
            lines={4}
            placeholder="lnbc… or bc1…"
            hint="Paste what the recipient gave you."
            wrong={input.kind === 'unusable' ? input.reason : undefined}
            maxLength={8000}
            mono
          />
        </section>
      )}
      <Review input={input} onStarted={() => setStarted(true)} />
    </Page>
  );
}

interface ReviewProps {
  readonly input: PaymentInput;
  readonly onStarted: () => void;
}

/** Keyed, so that nothing of one payment stays for the next. */
function Review({ input, onStarted }: ReviewProps): JSX.Element | null {
  switch (input.kind) {
    case 'invoice':
      return <SendLightning key={input.invoice} invoice={input.invoice} onStarted={onStarted} />;
    case 'address':
      return (
        <SendOnchain key={`${input.address} ${input.amountSat} ${input.label}`} target={input} onStarted={onStarted} />
      );
    case 'nothing':
    case 'unusable':
      return null;
    default:
      return input satisfies never;
  }
}
