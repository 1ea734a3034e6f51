import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Field } from '../parts/field.tsx';
import { ErrorBox } from '../parts/error-box.tsx';
import { useMnemonicCheck } from '../use-mnemonic-check.ts';
import { useAction, useWallet } from '../wallet-context.ts';

export interface RestorePageProps {
  readonly onBack: () => void;
}

/** An old wallet by its words. */
export function RestorePage({ onBack }: RestorePageProps): JSX.Element {
  const { wallet } = useWallet();
  const [typed, setTyped] = useState('');
  const check = useMnemonicCheck(typed);
  const restore = useAction(() => wallet.restoreWallet({ mnemonic: check.words.join(' ') }));
  const submit = (event: Event): void => {
    event.preventDefault();
    if (check.kind === 'complete') restore.run();
  };
  return (
    <main class="solo">
      <h1>Restore from 12 words</h1>
      <form class="stack wide" onSubmit={submit}>
        <Field
          label="Your words, in their order"
          value={typed}
          onInput={setTyped}
          lines={4}
          hint={check.kind === 'wrong' ? undefined : check.hint}
          wrong={check.kind === 'wrong' ? check.hint : undefined}
          maxLength={500}
        />
        <p class="warning">
          The words bring back your on-chain coins. The state of open channels is not in them: restore only when the
          wallet&apos;s own data are lost, and never run the same words in two places.
        </p>
        <button
          type="submit"
          class="primary"
          disabled={check.kind !== 'complete' || restore.busy}
          aria-busy={restore.busy}
        >
          Restore
        </button>
        <ErrorBox error={restore.error} />
        <button type="button" class="quiet" onClick={onBack}>
          Back
        </button>
      </form>
    </main>
  );
}
