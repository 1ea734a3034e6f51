import type { JSX } from 'preact';
import { Mark } from '../parts/mark.tsx';

/** While the worker loads. */
export function StartingPage(): JSX.Element {
  return (
    <main class="solo" aria-busy="true">
      <Mark />
      <p class="muted" role="status">
        Opening your wallet…
      </p>
    </main>
  );
}
