import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiError, WalletConfig, WalletEvent, WalletSnapshot, WalletUpdate } from '../../worker/client/api.ts';
import type { Wallet } from '../wallet.ts';
import { toError } from './error-words.ts';

export type OpenWallet = (config: WalletConfig) => Promise<Wallet>;

/** The way from a configuration to an open wallet. */
export type Session =
  | { readonly kind: 'opening' }
  | {
      readonly kind: 'open';
      readonly wallet: Wallet;
      readonly snapshot: WalletSnapshot;
      readonly events: readonly WalletEvent[];
    }
  | { readonly kind: 'elsewhere' }
  | { readonly kind: 'failed'; readonly error: ApiError };

const MAX_EVENTS = 100;

/** Opens the wallet while there is a configuration, and follows it. */
export function useSession(open: OpenWallet, config: WalletConfig | undefined): Session {
  const [session, setSession] = useState<Session>({ kind: 'opening' });
  useEffect(() => {
    if (config === undefined) return;
    let ended = false;
    const fail = (thrown: unknown): void => {
      if (!ended) setSession(failure(toError(thrown)));
    };
    const opening = open(config).then((wallet) => {
      if (ended) return void wallet.close();
      wallet.subscribe((update) => setSession((before) => after(before, wallet, update)), fail);
      return wallet;
    });
    opening.catch(fail);
    return () => {
      ended = true;
      void opening.then((wallet) => wallet?.close()).catch(() => {});
    };
  }, [open, config]);
  useAcknowledging(session);
  return session;
}

function failure(error: ApiError): Session {
  return error.code === 'WalletOpenElsewhere' ? { kind: 'elsewhere' } : { kind: 'failed', error };
}

function after(before: Session, wallet: Wallet, update: WalletUpdate): Session {
  if (before.kind === 'failed') return before;
  const events = before.kind === 'open' ? before.events : [];
  if (update.kind === 'snapshot') return { kind: 'open', wallet, snapshot: update.snapshot, events };
  if (before.kind !== 'open' || events.some(({ id }) => id === update.event.id)) return before;
  return { ...before, events: [...events, update.event].slice(-MAX_EVENTS) };
}

/** Effects run after the events were drawn: only then may the wallet forget them. */
function useAcknowledging(session: Session): void {
  const acknowledged = useRef(new Set<string>());
  const wallet = session.kind === 'open' ? session.wallet : undefined;
  const events = session.kind === 'open' ? session.events : undefined;
  useEffect(() => {
    for (const { id } of events ?? []) {
      if (acknowledged.current.has(id)) continue;
      acknowledged.current.add(id);
      // Not acknowledged is no harm: it comes again.
      wallet?.acknowledgeEvent({ id }).catch(() => {});
    }
  }, [wallet, events]);
}
