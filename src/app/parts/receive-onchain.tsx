import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { satText } from '../format.ts';
import { bip21, labelOf } from '../payment-input.ts';
import { useAction, useWallet } from '../wallet-context.ts';
import { ActionButton } from './action-button.tsx';
import { CopyButton } from './copy-button.tsx';
import { LabelField } from './label-field.tsx';
import { Qr } from './qr.tsx';

interface HandedOut {
  readonly address: string;
  readonly label: string;
}

/** An address for coins, and others with a label. */
export function ReceiveOnchain(): JSX.Element {
  const { wallet } = useWallet();
  const [shown, setShown] = useState<HandedOut>();
  const [typed, setTyped] = useState('');
  const label = labelOf(typed.trim());
  const fetchAddress = useAction(async () => {
    const { address } = await wallet.newAddress({ type: 'p2wpkh', label });
    setShown({ address, label });
    setTyped('');
  });
  useEffect(fetchAddress.run, []);
  if (shown === undefined) {
    return (
      <ActionButton action={fetchAddress}>
        {fetchAddress.busy ? 'Asking for an address…' : 'Show an address'}
      </ActionButton>
    );
  }
  return (
    <>
      <AddressCard {...shown} />
      <section class="card stack">
        <LabelField value={typed} onInput={setTyped} />
        <ActionButton action={fetchAddress} look="plain">
          {label === '' ? 'Another address' : 'Another address, with this label'}
        </ActionButton>
      </section>
    </>
  );
}

function AddressCard({ address, label }: HandedOut): JSX.Element {
  const { unconfirmedSat } = useWallet().snapshot.onchain;
  return (
    <section class="card stack code-card">
      {label !== '' && <h2>{label}</h2>}
      <Qr text={bip21(address)} label="QR code of the address" />
      <p class="mono long address">{address}</p>
      <CopyButton text={address}>Copy address</CopyButton>
      <p class="muted" role="status">
        {unconfirmedSat > 0n
          ? `${satText(unconfirmedSat)} are on the way to this wallet, and wait for a block.`
          : 'Coins can be spent once a block has confirmed them.'}
      </p>
    </section>
  );
}
