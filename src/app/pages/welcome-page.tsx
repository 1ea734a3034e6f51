import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { networkText } from '../format.ts';
import { ActionButton } from '../parts/action-button.tsx';
import { useAction, useWallet } from '../wallet-context.ts';
import { RestorePage } from './restore-page.tsx';
import { Mark } from '../parts/mark.tsx';

export interface WelcomePageProps {
  readonly onCreated: (words: string) => void;
}

/** The first visit: a new wallet, or an old one by its words. */
export function WelcomePage({ onCreated }: WelcomePageProps): JSX.Element {
  const { wallet, snapshot } = useWallet();
  const [restoring, setRestoring] = useState(false);
  const create = useAction(async () => onCreated((await wallet.createWallet()).mnemonic));
  if (restoring) return <RestorePage onBack={() => setRestoring(false)} />;
  return (
    <main class="solo">
      <Mark />
      <h1>Welcome to Glowworm</h1>
      <p>A Lightning wallet that lives in this browser. Your keys stay on this device, and only you have them.</p>
      <div class="stack wide">
        <ActionButton action={create}>Create a new wallet</ActionButton>
        <button type="button" class="plain" onClick={() => setRestoring(true)}>
          Restore from 12 words
        </button>
      </div>
      <p class="muted">{networkText(snapshot.network)}</p>
    </main>
  );
}
