import type { ComponentType, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';

/** A page whose code comes when it is first shown, or a moment after the start: the first visit does not wait for it. */
export function later<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let loaded: ComponentType<P> | undefined;
  const get = async (): Promise<void> => {
    loaded ??= await load();
  };
  setTimeout(() => void get().catch(() => undefined), PREFETCH_MS);
  return function Later(props: P): JSX.Element {
    const [state, setState] = useState<'loading' | 'loaded' | 'failed'>(loaded === undefined ? 'loading' : 'loaded');
    useEffect(() => {
      void get().then(
        () => setState('loaded'),
        () => setState('failed'),
      );
    }, []);
    const Page = loaded;
    if (Page !== undefined) return <Page {...props} />;
    return (
      <p role="status">{state === 'failed' ? 'This page could not be loaded. Reload to try again.' : 'Loading…'}</p>
    );
  };
}

/** After the wallet itself has started. */
const PREFETCH_MS = 1500;
