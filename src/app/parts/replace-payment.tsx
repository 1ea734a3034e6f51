import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ReplacementQuote } from '../../../worker/client/api.ts';
import { satText } from '../format.ts';
import { useAction, useWallet } from '../wallet-context.ts';
import { Dialog } from './dialog.tsx';
import { ErrorBox } from './error-box.tsx';
import { Facts } from './facts.tsx';

type Kind = 'hurry' | 'hurryIncoming' | 'cancel';

interface Words {
  readonly title: string;
  readonly explanation: string;
  readonly button: string;
}

const WORDS: Readonly<Record<Kind, Words>> = {
  hurry: {
    title: 'Pay a higher fee?',
    explanation:
      'The payment is sent again, and takes the place of the one that waits. Only one of the two can confirm.',
    button: 'Pay it',
  },
  hurryIncoming: {
    title: 'Pay a fee for it?',
    explanation: 'What comes is sent on to yourself at a higher fee, which a block gets only with the payment itself.',
    button: 'Pay it',
  },
  cancel: {
    title: 'Cancel this payment?',
    explanation: 'Its coins come back to you, less the fee. If a block has the payment first, it is made all the same.',
    button: 'Cancel payment',
  },
};

/** What can be done about a payment that waits for a block; the fee is shown first. One from others cannot be cancelled. */
export function ReplacePayment({
  txid,
  isIncoming,
}: {
  readonly txid: string;
  readonly isIncoming: boolean;
}): JSX.Element {
  const { wallet } = useWallet();
  const [asked, setAsked] = useState<{ readonly kind: Kind; readonly quote: ReplacementQuote }>();
  const ask = async (kind: Kind): Promise<void> =>
    setAsked({ kind, quote: await (kind === 'cancel' ? wallet.quoteCancel({ txid }) : wallet.quoteBump({ txid })) });
  const hurry = useAction(() => ask(isIncoming ? 'hurryIncoming' : 'hurry'));
  const cancel = useAction(() => ask('cancel'));
  const replace = useAction(async () => {
    if (asked === undefined) return;
    const request = { txid, maxFeeSat: asked.quote.feeSat };
    await (asked.kind === 'cancel' ? wallet.cancelOnchain(request) : wallet.bumpOnchain(request));
    setAsked(undefined);
  });
  return (
    <div class="row">
      <button type="button" class="plain" onClick={hurry.run}>
        Hurry
      </button>
      {!isIncoming && (
        <button type="button" class="plain" onClick={cancel.run}>
          Cancel
        </button>
      )}
      <ErrorBox error={hurry.error ?? cancel.error} />
      {asked !== undefined && (
        <Dialog title={WORDS[asked.kind].title} onClose={() => setAsked(undefined)}>
          <Facts facts={[['Network fee then', satText(asked.quote.feeSat)]]} />
          <p class="muted">{WORDS[asked.kind].explanation}</p>
          <ErrorBox error={replace.error} />
          <button
            type="button"
            class="primary"
            aria-disabled={replace.busy}
            aria-busy={replace.busy}
            onClick={replace.run}
          >
            {WORDS[asked.kind].button}
          </button>
        </Dialog>
      )}
    </div>
  );
}
