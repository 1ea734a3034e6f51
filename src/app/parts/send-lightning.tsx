import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { ApiError, InvoiceSummary, PaymentQuote } from '../../../worker/client/api.ts';
import { toError } from '../error-words.ts';
import { exactMsatText, msatText, parseSat, shortId } from '../format.ts';
import { useQuote, type QuoteState } from '../use-quote.ts';
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

/** Decodes an invoice, then shows what would be paid to whom, and for which fee. */
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
  const payable = wrong === undefined && amountMsat > 0n && paymentId === undefined;
  const chosen = decoded.amountMsat === undefined ? { amountMsat } : {};
  const quoted = useQuote(payable ? `${amountMsat}` : undefined, snapshot.lightning.sendableMsat, () =>
    wallet.quotePayment({ invoice, ...chosen }),
  );
  const quote = quoted.kind === 'quoted' ? quoted.quote : undefined;
  const pay = useAction(async () => {
    if (quote === undefined) return;
    setPaymentId((await wallet.payInvoice({ invoice, ...chosen, maxFeeMsat: quote.maxFeeMsat })).paymentId);
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
          ['Can send', msatText(snapshot.lightning.sendableMsat)],
          ...costs(quoted),
        ]}
      />
      {quote !== undefined && (
        <p class="muted">
          Should this way fail, others are tried: for a fee of at most {exactMsatText(quote.maxFeeMsat)}.
        </p>
      )}
      {wrong !== undefined && <p class="wrong">{wrong}</p>}
      <ErrorBox error={quoted.kind === 'refused' ? quoted.error : undefined} />
      <ActionButton action={pay} disabled={quote === undefined}>
        {amountMsat === 0n ? 'Pay' : `Pay ${exactMsatText(amountMsat)}`}
      </ActionButton>
    </section>
  );
}

/** Lines for `Facts`; in place before the costs are known, so that nothing moves when they come. */
function costs(state: QuoteState<PaymentQuote>): readonly (readonly [string, ComponentChildren])[] {
  switch (state.kind) {
    case 'waiting':
      return [
        ['Routing fee', '…'],
        ['Total', '…'],
      ];
    case 'quoted': {
      const { amountMsat, feeMsat } = state.quote;
      return [
        ['Routing fee', exactMsatText(feeMsat)],
        ['Total', <strong>{exactMsatText(amountMsat + feeMsat)}</strong>],
      ];
    }
    case 'refused':
      return [];
    default:
      return state satisfies never;
  }
}

function wrongPayment(decoded: InvoiceSummary, amountMsat: bigint, sendableMsat: bigint): string | undefined {
  if (decoded.expired) return 'This invoice has expired. Ask the recipient for a new one.';
  if (amountMsat > sendableMsat) return `This is more than you can send now: ${msatText(sendableMsat)}.`;
  return undefined;
}
