import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

export interface PageProps {
  readonly title: string;
  /** Where the way back leads; a page of a section's own has none. */
  readonly back?: string;
  /** The first page needs its heading only for those who do not see it. */
  readonly heading?: 'shown' | 'spoken';
  readonly children: ComponentChildren;
}

/** A page with its heading, which takes the focus so that a screen reader says where one is. */
export function Page({ title, back, heading: look = 'shown', children }: PageProps): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} – Glowworm`;
    heading.current?.focus();
    scrollTo(0, 0);
  }, [title]);
  return (
    <article class="page">
      <div class={look === 'shown' ? 'page-head' : 'spoken'}>
        {back !== undefined && (
          <a class="back" href={`#/${back}`} aria-label="Back">
            <svg viewBox="0 0 24 24" aria-hidden="true">
              <path d="M15 5l-7 7 7 7" />
            </svg>
          </a>
        )}
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
      </div>
      {children}
    </article>
  );
}
