import type { JSX } from 'preact';
import type { OnchainQuote, OnchainRecipients, OnchainSent } from '../../../worker/client/api.ts';
import type { Wallet } from '../../wallet.ts';
import { feerateText, satText, signingText, type ChosenFeerate } from '../format.ts';
import { useAgreedAction, useWallet } from '../wallet-context.ts';
import { Dialog } from './dialog.tsx';
import { DialogButtons } from './dialog-buttons.tsx';
import { ErrorBox } from './error-box.tsx';
import { Facts } from './facts.tsx';

export type OnchainRequest = OnchainRecipients & ChosenFeerate & { readonly label: string };

/** A payment as it was when its costs were asked for: what becomes of the balance meanwhile does not change it. */
export interface QuotedPayment {
  readonly request: OnchainRequest;
  readonly quote: OnchainQuote;
}

export async function quoteOnchain(wallet: Wallet, request: OnchainRequest): Promise<QuotedPayment> {
  const { label: _, ...priced } = request;
  return { request, quote: await wallet.quoteOnchain(priced) };
}

export interface ConfirmOnchainProps {
  readonly payment: QuotedPayment;
  /** The fee has risen. */
  readonly onQuoted: (payment: QuotedPayment) => void;
  readonly onSent: (sent: OnchainSent) => void;
  readonly onClose: () => void;
}

/** What would be sent, for the last look at it. Where the fee has risen meanwhile, it is shown and asked about again. */
export function ConfirmOnchain({ payment, onQuoted, onSent, onClose }: ConfirmOnchainProps): JSX.Element {
  const { wallet, snapshot } = useWallet();
  const { signing } = snapshot.onchain;
  const { request, quote } = payment;
  const confirm = useAgreedAction(
    async () => onSent(await wallet.sendOnchain({ ...request, maxFeeSat: quote.feeSat })),
    async () => onQuoted(await quoteOnchain(wallet, request)),
  );
  return (
    <Dialog title="Send these coins?" onClose={onClose}>
      {'outputs' in request && <Outputs outputs={request.outputs} />}
      <Facts
        facts={[
          ['To', 'outputs' in request ? '' : <span class="mono long">{request.address}</span>],
          ['Label', request.label],
          ...costs(quote),
        ]}
      />
      <p class="muted">Once a block has it, it cannot be taken back.</p>
      <ErrorBox error={confirm.error} />
      <DialogButtons action={confirm}>
        {signing === undefined ? `Send ${satText(quote.amountSat)}` : signingText(signing)}
      </DialogButtons>
    </Dialog>
  );
}

function Outputs({ outputs }: Extract<OnchainRecipients, { outputs: unknown }>): JSX.Element {
  return (
    <ol class="outputs" aria-label="Recipients">
      {outputs.map(({ address, amountSat }, index) => (
        <li key={index}>
          <span class="mono long">{address}</span>
          <span class="activity-amount">{satText(amountSat)}</span>
        </li>
      ))}
    </ol>
  );
}

function costs({
  amountSat,
  feeSat,
  feeratePerVbyte,
  transactions,
}: OnchainQuote): readonly (readonly [string, JSX.Element | string])[] {
  return [
    ['Amount', satText(amountSat)],
    ['Transactions', transactions > 1 ? `${transactions}, for one has no room for so many coins` : ''],
    [`Network fee (${feerateText(feeratePerVbyte)})`, satText(feeSat)],
    ['Total', <strong>{satText(amountSat + feeSat)}</strong>],
  ];
}
