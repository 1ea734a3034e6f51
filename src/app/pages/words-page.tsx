import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { WordGrid } from '../parts/word-grid.tsx';

export interface WordsPageProps {
  readonly words: string;
  readonly onDone: () => void;
}

/** The words of a new wallet, until somebody says that they are written down. */
export function WordsPage({ words, onDone }: WordsPageProps): JSX.Element {
  const [written, setWritten] = useState(false);
  return (
    <main class="solo">
      <h1>Write down these 12 words</h1>
      <p>
        They are your wallet: whoever has them has your money, and without them nobody can bring it back. Put them on
        paper, in this order, and do not take a picture.
      </p>
      <WordGrid words={words} />
      <label class="check">
        <input type="checkbox" checked={written} onChange={() => setWritten(!written)} />
        <span>I have written them down</span>
      </label>
      <button type="button" class="primary wide" disabled={!written} onClick={onDone}>
        Open my wallet
      </button>
    </main>
  );
}
