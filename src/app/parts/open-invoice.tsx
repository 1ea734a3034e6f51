import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { msatText } from '../format.ts';
import { useWallet } from '../wallet-context.ts';
import { CopyButton } from './copy-button.tsx';
import { Qr } from './qr.tsx';
import { Result } from './result.tsx';

export interface CreatedInvoice {
  readonly invoice: string;
  readonly paymentHash: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  readonly amountMsat: bigint | undefined;
  readonly description: string;
}

export interface OpenInvoiceProps {
  readonly created: CreatedInvoice;
  readonly onAgain: () => void;
}

/** An invoice that waits for its payment. */
export function OpenInvoice({ created, onAgain }: OpenInvoiceProps): JSX.Element {
  const { events, dismiss } = useWallet();
  const received = events.find((event) => event.kind === 'paymentReceived' && event.subject === created.paymentHash);
  useEffect(() => {
    if (received !== undefined) dismiss(received.id);
  }, [received]);
  if (received !== undefined) {
    return (
      <Result state="good" title={`Received ${msatText(received.amountMsat)}`}>
        {created.description !== '' && <p class="muted">{created.description}</p>}
      </Result>
    );
  }
  const until = new Date(created.expiresAt).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });
  return (
    <section class="card stack code-card">
      <p class="code-amount">{created.amountMsat === undefined ? 'Any amount' : msatText(created.amountMsat)}</p>
      {created.description !== '' && <p class="muted">{created.description}</p>}
      <Qr text={created.invoice.toUpperCase()} label="QR code of the invoice" />
      <p class="muted waiting" role="status">
        Waiting for the payment. Valid until {until}; keep this page open.
      </p>
      <p class="mono long">{created.invoice}</p>
      <CopyButton text={created.invoice}>Copy invoice</CopyButton>
      <button type="button" class="quiet" onClick={onAgain}>
        Another invoice
      </button>
    </section>
  );
}
