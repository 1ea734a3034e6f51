import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { NetworkName, WalletConfig } from '../../../worker/client/api.ts';
import { Choice } from '../parts/choice.tsx';
import { Field } from '../parts/field.tsx';
import { configOf, DEFAULT_ESPLORA } from '../saved-config.ts';
import { Mark } from '../parts/mark.tsx';

export interface SetupPageProps {
  readonly onChoose: (config: WalletConfig) => void;
}

const NETWORKS = [
  { value: 'signet', name: 'Signet' },
  { value: 'testnet4', name: 'Testnet 4' },
  { value: 'testnet', name: 'Testnet 3' },
  { value: 'bitcoin', name: 'Mainnet' },
  { value: 'regtest', name: 'Regtest' },
] as const;

/** Which chain, and who tells us about it. */
export function SetupPage({ onChoose }: SetupPageProps): JSX.Element {
  const [network, setNetwork] = useState<NetworkName>('signet');
  const [url, setUrl] = useState(DEFAULT_ESPLORA.signet);
  const [asked, setAsked] = useState(false);
  const wrong = /^https?:\/\/\S+$/.test(url.trim()) ? undefined : 'The address begins with https:// or http://.';
  const choose = (next: NetworkName): void => {
    setNetwork(next);
    setUrl(DEFAULT_ESPLORA[next]);
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    if (wrong === undefined) onChoose(configOf(network, url));
    else setAsked(true);
  };
  return (
    <main class="solo">
      <Mark />
      <h1>Glowworm</h1>
      <p>A Lightning wallet that runs in this browser. Nobody else holds your keys.</p>
      <form class="card stack" onSubmit={submit}>
        <Choice label="Network" options={NETWORKS} value={network} onChoose={choose} />
        {network === 'bitcoin' && (
          <p class="warning">Real money. Glowworm is young software: put in only what you can afford to lose.</p>
        )}
        <Field
          label="Esplora server"
          value={url}
          onInput={setUrl}
          inputMode="url"
          wrong={asked ? wrong : undefined}
          hint="It tells the wallet about blocks and sees which addresses are yours."
          mono
        />
        <button type="submit" class="primary">
          Continue
        </button>
      </form>
    </main>
  );
}
