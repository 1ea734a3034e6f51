import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { parseSat, satText } from '../format.ts';
import type { PaymentInput } from '../payment-input.ts';
import { useAction, useWallet } from '../wallet-context.ts';
import { ActionButton } from './action-button.tsx';
import { Facts } from './facts.tsx';
import { Field } from './field.tsx';
import { Result } from './result.tsx';

export interface SendOnchainProps {
  readonly target: Extract<PaymentInput, { kind: 'address' }>;
  readonly onStarted: () => void;
}

/** Coins to an address. */
export function SendOnchain({ target, onStarted }: SendOnchainProps): JSX.Element {
  const { wallet, snapshot } = useWallet();
  const { spendableSat } = snapshot.onchain;
  const [typed, setTyped] = useState(target.amountSat?.toString() ?? '');
  const [all, setAll] = useState(false);
  const [sent, setSent] = useState<{ readonly txid: string; readonly feeSat: bigint }>();
  const amountSat = all ? 'all' : parseSat(typed);
  const wrong = wrongAmount(typed, amountSat, spendableSat);
  const send = useAction(async () => {
    if (amountSat === undefined) return;
    setSent(await wallet.sendOnchain({ address: target.address, amountSat }));
    onStarted();
  });
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
          ['To', <span class="mono long">{target.address}</span>],
          ['For', target.label],
          ['Network fee', 'As the chain demands now'],
        ]}
      />
      <p class="muted">A transaction on the chain cannot be taken back.</p>
      <ActionButton action={send} disabled={amountSat === undefined || wrong !== undefined || spendableSat === 0n}>
        {typeof amountSat === 'bigint' ? `Send ${satText(amountSat)}` : 'Send'}
      </ActionButton>
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
