import type { JSX } from 'preact';

export interface BarPart {
  readonly name: string;
  readonly look: 'send' | 'reserved' | 'pending' | 'receive';
  readonly msat: bigint;
}

export interface BarProps {
  readonly parts: readonly BarPart[];
}

/** Amounts side by side in proportion; their numbers stand beside it, so it is hidden from screen readers. */
export function Bar({ parts }: BarProps): JSX.Element {
  const total = parts.reduce((sum, { msat }) => sum + msat, 0n);
  return (
    <div class="bar" aria-hidden="true">
      {parts.map(({ name, look, msat }) =>
        msat === 0n ? null : (
          <span key={name} class={`bar-part look-${look}`} style={{ flexGrow: Number((msat * 10_000n) / total) }} />
        ),
      )}
    </div>
  );
}
