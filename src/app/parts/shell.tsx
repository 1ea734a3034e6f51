import type { ComponentChildren, JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { ChainStatus } from '../../../worker/client/api.ts';
import { chainText, networkText } from '../format.ts';
import { go, type Route } from '../route.ts';
import { useWallet } from '../wallet-context.ts';
import { ErrorBox } from './error-box.tsx';

const SECTIONS = [
  { page: '', name: 'Home', path: 'M3 11l9-8 9 8v10h-6v-6H9v6H3z' },
  { page: 'activity', name: 'Activity', path: 'M4 6h16M4 12h16M4 18h10' },
  { page: 'channels', name: 'Channels', path: 'M4 8h13l-4-4M20 16H7l4 4' },
  { page: 'settings', name: 'Settings', path: 'M4 7h10M18 7h2M16 5v4M4 17h2M10 17h10M8 15v4' },
] as const;

/** Which section a page without an entry of its own belongs to. */
const PARENTS: ReadonlyMap<string, string> = new Map([
  ['channel', 'channels'],
  ['open-channel', 'channels'],
]);

export interface ShellProps {
  readonly route: Route;
  readonly children: ComponentChildren;
}

/** The frame around every page of an open wallet: the sections, the state of the chain, and what stopped the wallet. */
export function Shell({ route, children }: ShellProps): JSX.Element {
  const { snapshot } = useWallet();
  const section = PARENTS.get(route.page) ?? route.page;
  useEscape(route);
  return (
    <div class="shell">
      <header class="top">
        <span class="brand">Glowworm</span>
        {snapshot.network !== 'bitcoin' && <span class="tag">{networkText(snapshot.network)}</span>}
      </header>
      <nav class="sections" aria-label="Sections">
        {SECTIONS.map(({ page, name, path }) => (
          <a key={page} href={`#/${page}`} aria-current={page === section ? 'page' : undefined}>
            <svg viewBox="0 0 24 24" aria-hidden="true">
              <path d={path} />
            </svg>
            {name}
          </a>
        ))}
      </nav>
      <ChainLine />
      {snapshot.status === 'frozen' && snapshot.problem !== undefined && <ErrorBox error={snapshot.problem} />}
      <main>{children}</main>
    </div>
  );
}

function ChainLine(): JSX.Element {
  const { chain } = useWallet().snapshot;
  return (
    <p class={`chain chain-${lookOf(chain)}`} role="status">
      <span class="dot" aria-hidden="true" />
      {chainText(chain)}
      {chain.problem !== undefined && <span class="muted"> {chain.problem.message}</span>}
    </p>
  );
}

/** A tip that is too old to pay by is as bad as none. */
function lookOf({ kind, stale }: ChainStatus): ChainStatus['kind'] | 'stale' {
  if (stale === undefined) return kind;
  return stale.stopped ? 'unreachable' : 'stale';
}

/** Escape leads one level up, unless it closes a dialog or something is being typed. */
function useEscape(route: Route): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const typing = event.target instanceof HTMLElement && event.target.matches('input, textarea, select');
      if (event.key !== 'Escape' || typing || document.querySelector('dialog[open]') !== null) return;
      go(PARENTS.get(route.page) ?? '');
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [route]);
}
