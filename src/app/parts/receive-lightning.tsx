import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { msatText, parseSat } from '../format.ts';
import { useAction, useWallet } from '../wallet-context.ts';
import { ErrorBox } from './error-box.tsx';
import { Field } from './field.tsx';
import { OpenInvoice, type CreatedInvoice } from './open-invoice.tsx';

/** An invoice: first its amount, then the invoice itself until it is paid. */
export function ReceiveLightning(): JSX.Element {
  const { wallet, snapshot } = useWallet();
  const [typed, setTyped] = useState('');
  const [description, setDescription] = useState('');
  const [created, setCreated] = useState<CreatedInvoice>();
  const { receivableMsat } = snapshot.lightning;
  const sat = parseSat(typed);
  const wrong = wrongAmount(typed, sat, receivableMsat);
  const create = useAction(async () => {
    const request = { description, ...(sat !== undefined && { amountMsat: sat * 1000n }) };
    const { invoice, paymentHash } = await wallet.createInvoice(request);
    const { expiresAt } = await wallet.decodeInvoice({ invoice });
    setCreated({ invoice, paymentHash, expiresAt, amountMsat: request.amountMsat, description });
  });
  const submit = (event: Event): void => {
    event.preventDefault();
    if (wrong === undefined) create.run();
  };
  if (created !== undefined) return <OpenInvoice created={created} onAgain={() => setCreated(undefined)} />;
  return (
    <form class="card stack" onSubmit={submit}>
      <Field
        label="Amount"
        value={typed}
        onInput={setTyped}
        unit="sat"
        inputMode="numeric"
        placeholder="any amount"
        hint={receivableHint(receivableMsat)}
        wrong={wrong}
      />
      <Field
        label="Description"
        value={description}
        onInput={setDescription}
        placeholder="What it is for"
        hint="The payer sees it."
        maxLength={200}
      />
      <button type="submit" class="primary" disabled={create.busy || wrong !== undefined} aria-busy={create.busy}>
        Create invoice
      </button>
      <ErrorBox error={create.error} />
    </form>
  );
}

function wrongAmount(typed: string, sat: bigint | undefined, receivableMsat: bigint): string | undefined {
  if (typed.trim() === '') return undefined;
  if (sat === undefined || sat === 0n) return 'Whole satoshi, please.';
  if (sat * 1000n > receivableMsat) return `More than your channels can receive: ${msatText(receivableMsat)}.`;
  return undefined;
}

function receivableHint(receivableMsat: bigint): string {
  if (receivableMsat === 0n) return 'Your channels cannot receive now: an invoice can only be paid once they can.';
  return `Up to ${msatText(receivableMsat)}.`;
}
