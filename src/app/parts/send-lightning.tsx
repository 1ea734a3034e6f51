import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { ApiError, InvoiceSummary } from '../../../worker/client/api.ts';
import { toError } from '../error-words.ts';
import { exactMsatText, msatText, parseSat, shortId } from '../format.ts';
import { useAction, useWallet } from '../wallet-context.ts';
import { ActionButton } from './action-button.tsx';
import { ErrorBox } from './error-box.tsx';
import { Facts } from './facts.tsx';
import { Field } from './field.tsx';
import { PaymentProgress } from './payment-progress.tsx';

export interface SendLightningProps {
  readonly invoice: string;
  readonly onStarted: () => void;
}

/** Decodes an invoice, then shows what would be paid to whom. */
export function SendLightning({ invoice, onStarted }: SendLightningProps): JSX.Element | null {
  const { wallet } = useWallet();
  const [decoded, setDecoded] = useState<InvoiceSummary>();
  const [error, setError] = useState<ApiError>();
  useEffect(() => {
    wallet.decodeInvoice({ invoice }).then(setDecoded, (thrown: unknown) => setError(toError(thrown)));
  }, [wallet, invoice]);
  if (error !== undefined) return <ErrorBox error={error} />;
  return decoded === undefined ? null : <InvoiceReview invoice={invoice} decoded={decoded} onStarted={onStarted} />;
}

interface InvoiceReviewProps extends SendLightningProps {
  readonly decoded: InvoiceSummary;
}

function InvoiceReview({ invoice, decoded, onStarted }: InvoiceReviewProps): JSX.Element {
  const { wallet, snapshot } = useWallet();
  const [typed, setTyped] = useState('');
  const [paymentId, setPaymentId] = useState<string>();
  const amountMsat = decoded.amountMsat ?? (parseSat(typed) ?? 0n) * 1000n;
  const wrong = wrongPayment(decoded, amountMsat, snapshot.lightning.sendableMsat);
  const pay = useAction(async () => {
    const chosen = decoded.amountMsat === undefined ? { amountMsat } : {};
    setPaymentId((await wallet.payInvoice({ invoice, ...chosen })).paymentId);
    onStarted();
  });
  if (paymentId !== undefined) {
    return (
      <PaymentProgress
        ids={[paymentId, decoded.paymentHash]}
        amountMsat={amountMsat}
        description={decoded.description}
      />
    );
  }
  return (
    <section class="card stack">
      {decoded.amountMsat === undefined ? (
        <Field
          label="Amount"
          value={typed}
          onInput={setTyped}
          unit="sat"
          inputMode="numeric"
          hint="The recipient leaves it to you."
        />
      ) : (
        <p class="code-amount">{exactMsatText(decoded.amountMsat)}</p>
      )}
      <Facts
        facts={[
          ['For', decoded.description],
          ['Recipient', <span class="mono">{shortId(decoded.payeeNodeId)}</span>],
          ['Routing fee', 'Usually below 1\u00a0%'],
          ['Can send', msatText(snapshot.lightning.sendableMsat)],
        ]}
      />
      {wrong !== undefined && <p class="wrong">{wrong}</p>}
      <ActionButton action={pay} disabled={wrong !== undefined || amountMsat === 0n}>
        {amountMsat === 0n ? 'Pay' : `Pay ${exactMsatText(amountMsat)}`}
      </ActionButton>
    </section>
  );
}

function wrongPayment(decoded: InvoiceSummary, amountMsat: bigint, sendableMsat: bigint): string | undefined {
  if (decoded.expired) return 'This invoice has expired. Ask the recipient for a new one.';
  if (amountMsat > sendableMsat) return `This is more than you can send now: ${msatText(sendableMsat)}.`;
  return undefined;
}
