import { useEffect, useState } from 'preact/hooks';
import type { ApiError, PaymentQuote } from '../../worker/client/api.ts';
import { toError } from './error-words.ts';
import { useWallet } from './wallet-context.ts';

export type QuoteState =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'quoted'; readonly quote: PaymentQuote }
  | { readonly kind: 'refused'; readonly error: ApiError };

interface Answer {
  readonly chosenMsat: bigint | undefined;
  readonly state: QuoteState;
}

const WAITING: QuoteState = { kind: 'waiting' };

/**
 * What paying an invoice costs; `chosenMsat` for one without an amount. It is asked for again when the balance changes, and
 * the last answer stays until then: a button that is disabled for a moment loses the focus.
 */
export function usePaymentQuote(invoice: string, chosenMsat: bigint | undefined, isWanted: boolean): QuoteState {
  const { wallet, snapshot } = useWallet();
  const { sendableMsat } = snapshot.lightning;
  const [answer, setAnswer] = useState<Answer>();
  useEffect(() => {
    if (!isWanted) return;
    let current = true;
    const take = (state: QuoteState): void => {
      if (current) setAnswer({ chosenMsat, state });
    };
    wallet.quotePayment({ invoice, ...(chosenMsat === undefined ? {} : { amountMsat: chosenMsat }) }).then(
      (quote) => take({ kind: 'quoted', quote }),
      (thrown: unknown) => take({ kind: 'refused', error: toError(thrown) }),
    );
    return () => {
      current = false;
    };
  }, [wallet, invoice, chosenMsat, isWanted, sendableMsat]);
  return isWanted && answer?.chosenMsat === chosenMsat ? (answer?.state ?? WAITING) : WAITING;
}
