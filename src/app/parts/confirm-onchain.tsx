import type { JSX } from 'preact';
import type { OnchainQuote, OnchainRecipients } from '../../../worker/client/api.ts';
import { feerateText, satText } from '../format.ts';
import { useAgreedAction, useWallet } from '../wallet-context.ts';
import { Dialog } from './dialog.tsx';
import { DialogButtons } from './dialog-buttons.tsx';
import { ErrorBox } from './error-box.tsx';
import { Facts } from './facts.tsx';

export interface ConfirmOnchainProps {
  readonly recipients: OnchainRecipients;
  readonly label: string;
  readonly quote: OnchainQuote;
  /** Pays at most the quote's fee. */
  readonly send: () => Promise<void>;
  /** Asks for another quote. */
  readonly look: () => Promise<void>;
  readonly onClose: () => void;
}

/** What would be sent, for the last look at it. Where the fee has risen meanwhile, it is shown and asked about again. */
export function ConfirmOnchain({ recipients, label, quote, send, look, onClose }: ConfirmOnchainProps): JSX.Element {
  const { signing } = useWallet().snapshot.onchain;
  const confirm = useAgreedAction(send, look);
  return (
    <Dialog title="Send these coins?" onClose={onClose}>
      {'outputs' in recipients && <Outputs outputs={recipients.outputs} />}
      <Facts
        facts={[
          ['To', 'outputs' in recipients ? '' : <span class="mono long">{recipients.address}</span>],
          ['Label', label],
          ...costs(quote),
        ]}
      />
      <p class="muted">Once a block has it, it cannot be taken back.</p>
      <ErrorBox error={confirm.error} />
      <DialogButtons action={confirm}>
        {signing === undefined
          ? `Send ${satText(quote.amountSat)}`
          : `Signing: ${signing.done} of ${signing.of} coins…`}
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
