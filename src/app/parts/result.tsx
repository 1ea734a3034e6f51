import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

export interface ResultProps {
  readonly state: 'pending' | 'good' | 'bad';
  readonly title: string;
  readonly children: ComponentChildren;
}

/** How something ends, or that it goes on. It takes the focus, since the button that began it is gone. */
export function Result({ state, title, children }: ResultProps): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [title]);
  return (
    <section class="card result">
      {state === 'pending' ? (
        <div class="spinner" aria-hidden="true" />
      ) : (
        <p class={`sign sign-${state}`} aria-hidden="true">
          {state === 'good' ? '✓' : '✕'}
        </p>
      )}
      <h2 ref={heading} tabIndex={-1}>
        {title}
      </h2>
      {children}
      {state !== 'pending' && (
        <a class="button primary" href="#/">
          Done
        </a>
      )}
    </section>
  );
}
