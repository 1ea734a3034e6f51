import type { JSX } from 'preact';

/** The glowworm. Drawn in the page and not fetched, so that it is there at once. */
export function Mark(): JSX.Element {
  return (
    <svg class="mark" viewBox="0 0 64 64" aria-hidden="true">
      <rect width="64" height="64" rx="14" fill="#14160f" />
      <circle cx="42" cy="38" r="16" fill="#c8f04a" opacity="0.25" />
      <circle cx="42" cy="38" r="10" fill="#c8f04a" />
      <path d="M32 38H20a6 6 0 0 1 0-12h6" fill="none" stroke="#8a9470" stroke-width="6" stroke-linecap="round" />
    </svg>
  );
}
