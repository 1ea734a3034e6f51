import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { satText } from '../format.ts';
import { bip21 } from '../payment-input.ts';
import { useAction, useWallet } from '../wallet-context.ts';
import { ActionButton } from './action-button.tsx';
import { CopyButton } from './copy-button.tsx';
import { Qr } from './qr.tsx';

/** An address for coins. */
export function ReceiveOnchain(): JSX.Element {
  const { wallet, snapshot } = useWallet();
  const [address, setAddress] = useState<string>();
  const fetchAddress = useAction(async () => setAddress((await wallet.newAddress({ type: 'p2wpkh' })).address));
  useEffect(fetchAddress.run, []);
  const { unconfirmedSat } = snapshot.onchain;
  if (address === undefined) {
    return (
      <ActionButton action={fetchAddress}>
        {fetchAddress.busy ? 'Asking for an address…' : 'Show an address'}
      </ActionButton>
    );
  }
  return (
    <section class="card stack code-card">
      <Qr text={bip21(address)} label="QR code of the address" />
      <p class="mono long address">{address}</p>
      <CopyButton text={address}>Copy address</CopyButton>
      <p class="muted" role="status">
        {unconfirmedSat > 0n
          ? `${satText(unconfirmedSat)} on the way, waiting for a block.`
          : 'Coins can be spent once a block has confirmed them.'}
      </p>
      <ActionButton action={fetchAddress} look="quiet">
        Another address
      </ActionButton>
    </section>
  );
}
