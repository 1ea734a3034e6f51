import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { OnchainQuote } from '../../../worker/client/api.ts';
import { satText } from '../format.ts';
import { useAction, useAgreedAction, useWallet } from '../wallet-context.ts';
import { ActionButton } from './action-button.tsx';

/** Coins that another wallet has left on addresses of the same words, and the way to have them here. */
export function FoundCard(): JSX.Element | null {
  const { wallet, snapshot } = useWallet();
  const { foundSat } = snapshot.onchain;
  const [quote, setQuote] = useState<OnchainQuote>();
  const ask = async (): Promise<void> => setQuote(await wallet.quoteSweepFound());
  const look = useAction(ask);
  const sweep = useAgreedAction(async () => {
    if (quote === undefined) return;
    await wallet.sweepFound({ maxFeeSat: quote.feeSat });
    setQuote(undefined);
  }, ask);
  if (foundSat === 0n) return null;
  return (
    <section class="card stack" aria-label="Found coins">
      <p>
        {satText(foundSat)} are on addresses that another wallet made of your words. This one pays nothing with them
        until it has taken them over.
      </p>
      {quote === undefined ? (
        <ActionButton action={look}>Take them over</ActionButton>
      ) : (
        <ActionButton action={sweep}>
          {`Take over ${satText(quote.amountSat)}, for a fee of ${satText(quote.feeSat)}`}
        </ActionButton>
      )}
    </section>
  );
}
