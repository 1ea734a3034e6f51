import type { JSX } from 'preact';

/** The words of a wallet with their numbers. */
export function WordGrid({ words }: { readonly words: string }): JSX.Element {
  return (
    <ol class="words">
      {words.split(' ').map((word, index) => (
        <li key={index}>{word}</li>
      ))}
    </ol>
  );
}
