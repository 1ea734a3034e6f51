import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { OnchainQuote } from '../../../worker/client/api.ts';
import { blocksText, USUAL_BLOCKS } from '../block-time.ts';
import { parseFeerate, parseSat, satText } from '../format.ts';
import type { PaymentInput } from '../payment-input.ts';
import { useAction, useWallet } from '../wallet-context.ts';
import { ActionButton } from './action-button.tsx';
import { ConfirmOnchain } from './confirm-onchain.tsx';
import { Facts } from './facts.tsx';
import { Field } from './field.tsx';
import { Result } from './result.tsx';

export interface SendOnchainProps {
  readonly target: Extract<PaymentInput, { kind: 'address' }>;
  readonly onStarted: () => void;
}

/** Coins to an address: how many, then what that costs, then they go. */
export function SendOnchain({ target, onStarted }: SendOnchainProps): JSX.Element {
  const { wallet, snapshot } = useWallet();
  const { spendableSat } = snapshot.onchain;
  const { address, label } = target;
  const [typed, setTyped] = useState(target.amountSat?.toString() ?? '');
  const [all, setAll] = useState(false);
  const [chosen, setChosen] = useState('');
  const [quote, setQuote] = useState<OnchainQuote>();
  const [sent, setSent] = useState<{ readonly txid: string; readonly feeSat: bigint }>();
  const amountSat = all ? 'all' : parseSat(typed);
  const wrong = wrongAmount(typed, amountSat, spendableSat);
  const feeratePerVbyte = parseFeerate(chosen);
  const wrongFeerate = chosen.trim() !== '' && feeratePerVbyte === undefined ? 'From 1 to 1000, please.' : undefined;
  const options = feeratePerVbyte === undefined ? {} : { feeratePerVbyte };
  const look = async (): Promise<void> => {
    if (amountSat !== undefined) setQuote(await wallet.quoteOnchain({ address, amountSat, ...options }));
  };
  const send = async (): Promise<void> => {
    if (amountSat === undefined || quote === undefined) return;
    setSent(await wallet.sendOnchain({ address, amountSat, maxFeeSat: quote.feeSat, label, ...options }));
    onStarted();
  };
  const review = useAction(look);
  if (sent !== undefined) return <SentCoins txid={sent.txid} feeSat={sent.feeSat} />;
  return (
    <section class="card stack">
      {!all && <Field label="Amount" value={typed} onInput={setTyped} unit="sat" inputMode="numeric" wrong={wrong} />}
      <label class="check">
        <input type="checkbox" checked={all} onChange={() => setAll(!all)} />
        <span>Everything that can be spent ({satText(spendableSat)}, less the fee)</span>
      </label>
      <Facts
        facts={[
          ['To', <span class="mono long">{address}</span>],
          ['For', label],
        ]}
      />
      <Field
        label="Feerate"
        value={chosen}
        onInput={setChosen}
        unit="sat/vB"
        inputMode="decimal"
        hint={`Leave it empty for what should confirm within ${blocksText(USUAL_BLOCKS, snapshot.network)}.`}
        wrong={wrongFeerate}
      />
      <ActionButton
        action={review}
        disabled={amountSat === undefined || wrong !== undefined || wrongFeerate !== undefined || spendableSat === 0n}
      >
        Continue
      </ActionButton>
      {quote !== undefined && (
        <ConfirmOnchain
          address={address}
          label={label}
          quote={quote}
          send={send}
          look={look}
          onClose={() => setQuote(undefined)}
        />
      )}
    </section>
  );
}

function SentCoins({ txid, feeSat }: { readonly txid: string; readonly feeSat: bigint }): JSX.Element {
  return (
    <Result state="good" title="On its way">
      <p class="muted">It counts once a block has confirmed it. Network fee: {satText(feeSat)}</p>
      <p class="mono long">{txid}</p>
    </Result>
  );
}

function wrongAmount(typed: string, amountSat: bigint | 'all' | undefined, spendableSat: bigint): string | undefined {
  if (amountSat === 'all' || typed.trim() === '') return undefined;
  if (amountSat === undefined || amountSat === 0n) return 'Whole satoshi, please.';
  return amountSat > spendableSat ? `More than can be spent: ${satText(spendableSat)}.` : undefined;
}
