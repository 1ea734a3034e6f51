import type { JSX } from 'preact';
import { Mark } from '../parts/mark.tsx';

/** Two engines on one wallet would lose its money, so the second tab only says where the first is. */
export function ElsewherePage(): JSX.Element {
  return (
    <main class="solo">
      <Mark />
      <h1>Your wallet is open in another tab</h1>
      <p>A Lightning wallet may run only once. Use it there, or close that tab and come back here.</p>
      <button type="button" class="primary" onClick={() => location.reload()}>
        Try again
      </button>
    </main>
  );
}
