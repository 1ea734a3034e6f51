import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

export interface CopyButtonProps {
  readonly text: string;
  readonly children: string;
}

/** Copies a text and says so. */
export function CopyButton({ text, children }: CopyButtonProps): JSX.Element {
  const [result, setResult] = useState<'' | 'Copied' | 'Copying is not allowed here: select the text instead'>('');
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => setResult('Copied'),
      () => setResult('Copying is not allowed here: select the text instead'),
    );
  };
  return (
    <button type="button" class="plain" onClick={copy} onBlur={() => setResult('')}>
      <span aria-live="polite">{result === '' ? children : result}</span>
    </button>
  );
}
