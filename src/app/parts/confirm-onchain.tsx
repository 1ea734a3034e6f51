import type { JSX } from 'preact';
import type { OnchainQuote } from '../../../worker/client/api.ts';
import { toError } from '../error-words.ts';
import { satText } from '../format.ts';
import { useAction, useWallet } from '../wallet-context.ts';
import { Dialog } from './dialog.tsx';
import { ErrorBox } from './error-box.tsx';
import { Facts } from './facts.tsx';

export interface ConfirmOnchainProps {
  readonly address: string;
  readonly label: string;
  readonly quote: OnchainQuote;
  /** Pays at most the quote's fee. */
  readonly send: () => Promise<void>;
  /** Asks for another quote. */
  readonly look: () => Promise<void>;
  readonly onClose: () => void;
}

/** What would be sent, for the last look at it. Where the fee has risen meanwhile, it is shown and asked about again. */
export function ConfirmOnchain({ address, label, quote, send, look, onClose }: ConfirmOnchainProps): JSX.Element {
  const { amountSat, feeSat, feeratePerVbyte, transactions } = quote;
  const { signing } = useWallet().snapshot.onchain;
  const confirm = useAction(async () => {
    try {
      await send();
    } catch (thrown) {
      if (toError(thrown).code === 'FeeTooHigh') await look();
      throw thrown;
    }
  });
  return (
    <Dialog title="Send these coins?" onClose={onClose}>
      <Facts
        facts={[
          ['To', <span class="mono long">{address}</span>],
          ['For', label],
          ['Amount', satText(amountSat)],
          ['Transactions', transactions > 1 ? `${transactions}, for one has no room for so many coins` : ''],
          [`Network fee (${feerateText(feeratePerVbyte)})`, satText(feeSat)],
          ['Total', <strong>{satText(amountSat + feeSat)}</strong>],
        ]}
      />
      <p class="muted">A transaction on the chain cannot be taken back.</p>
      <ErrorBox error={confirm.error} />
      <div class="row">
        <button type="button" class="plain" onClick={closeDialog}>
          Back
        </button>
        <button
          type="button"
          class="primary"
          aria-disabled={confirm.busy}
          aria-busy={confirm.busy}
          onClick={confirm.run}
        >
          {signing === undefined ? `Send ${satText(amountSat)}` : `Signing: ${signing.done} of ${signing.of} coins…`}
        </button>
      </div>
    </Dialog>
  );
}

/** By the browser, which gives the focus back to where it was. */
function closeDialog(event: JSX.TargetedMouseEvent<HTMLButtonElement>): void {
  event.currentTarget.closest('dialog')?.close();
}

const feerateText = (feeratePerVbyte: number): string => `${Math.round(feeratePerVbyte * 10) / 10}\u00a0sat/vB`;
