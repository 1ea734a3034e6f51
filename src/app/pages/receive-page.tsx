import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Choice } from '../parts/choice.tsx';
import { Page } from '../parts/page.tsx';
import { ReceiveLightning } from '../parts/receive-lightning.tsx';
import { ReceiveOnchain } from '../parts/receive-onchain.tsx';
import { useWallet } from '../wallet-context.ts';

const WAYS = [
  { value: 'lightning', name: 'Lightning' },
  { value: 'onchain', name: 'On-chain' },
] as const;

type Way = (typeof WAYS)[number]['value'];

export function ReceivePage(): JSX.Element {
  const { lightning } = useWallet().snapshot;
  const [way, setWay] = useState<Way>(lightning.receivableMsat > 0n ? 'lightning' : 'onchain');
  return (
    <Page title="Receive" back="">
      <Choice label="Receive over" options={WAYS} value={way} onChoose={setWay} />
      {way === 'lightning' ? <ReceiveLightning /> : <ReceiveOnchain />}
    </Page>
  );
}
