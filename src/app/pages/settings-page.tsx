import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { chainText, networkText } from '../format.ts';
import { ActionButton } from '../parts/action-button.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { Facts } from '../parts/facts.tsx';
import { Page } from '../parts/page.tsx';
import { WordGrid } from '../parts/word-grid.tsx';
import { forgetConfig } from '../saved-config.ts';
import { useAction, useWallet } from '../wallet-context.ts';

export function SettingsPage(): JSX.Element {
  const { snapshot, world } = useWallet();
  return (
    <Page title="Settings">
      <section class="card stack">
        <h2>This wallet</h2>
        <Facts
          facts={[
            ['Network', networkText(snapshot.network)],
            ['Chain', chainText(snapshot.chain)],
            ['Node id', <span class="mono long">{snapshot.nodeId}</span>],
          ]}
        />
        <CopyButton text={snapshot.nodeId}>Copy node id</CopyButton>
      </section>
      <Words />
      <Log />
      {world === undefined && <Network />}
    </Page>
  );
}

/** The words, for somebody who has read the warning. */
function Words(): JSX.Element {
  const { wallet } = useWallet();
  const [words, setWords] = useState<string>();
  const show = useAction(async () => setWords(await wallet.showMnemonic()));
  return (
    <section class="card stack">
      <h2>Your 12 words</h2>
      {words === undefined ? (
        <>
          <p class="warning">
            Whoever sees these words can take your money. Make sure that nobody looks over your shoulder and that you
            are not sharing the screen.
          </p>
          <ActionButton action={show} look="plain">
            Show the words
          </ActionButton>
        </>
      ) : (
        <>
          <WordGrid words={words} />
          <button type="button" class="plain" onClick={() => setWords(undefined)}>
            Hide
          </button>
        </>
      )}
    </section>
  );
}

function Log(): JSX.Element {
  const { wallet } = useWallet();
  const download = useAction(async () => save(await wallet.exportLog(), 'glowworm-log.txt'));
  return (
    <section class="card stack">
      <h2>Log</h2>
      <p class="muted">
        What the wallet did lately, for a bug report. It has no keys in it, but it does show payments.
      </p>
      <ActionButton action={download} look="plain">
        Download the log
      </ActionButton>
    </section>
  );
}

function Network(): JSX.Element {
  const choose = (): void => {
    forgetConfig();
    location.reload();
  };
  return (
    <section class="card stack">
      <h2>Network and server</h2>
      <p class="muted">Every network has a wallet of its own. This one stays on this device for when you come back.</p>
      <button type="button" class="plain" onClick={choose}>
        Choose another
      </button>
    </section>
  );
}

function save(text: string, name: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  const link = Object.assign(document.createElement('a'), { href: url, download: name });
  link.click();
  URL.revokeObjectURL(url);
}
