import { createContext, type Context } from 'preact';
import { useContext, useEffect, useRef, useState } from 'preact/hooks';
import type { Activity, ApiError, WalletEvent, WalletSnapshot } from '../../worker/client/api.ts';
import type { Wallet } from '../wallet.ts';
import { toError } from './error-words.ts';
import type { World } from './world.ts';

/** What every page of an open wallet sees. */
export interface WalletView {
  readonly wallet: Wallet;
  readonly snapshot: WalletSnapshot;
  /** Since the page was opened, oldest first. */
  readonly events: readonly WalletEvent[];
  /** Takes an event's notice away, because a page shows it in its own way or somebody has read it. */
  readonly dismiss: (id: string) => void;
  readonly world: World | undefined;
}

export const WalletContext: Context<WalletView | undefined> = createContext<WalletView | undefined>(undefined);

export function useWallet(): WalletView {
  const view = useContext(WalletContext);
  if (view === undefined) throw new Error('this component belongs below an open wallet');
  return view;
}

/** The newest activities; read again with every snapshot, since each of them may have changed one. */
export function useActivity(limit: number): readonly Activity[] | undefined {
  const { wallet, snapshot } = useWallet();
  const [activities, setActivities] = useState<readonly Activity[]>();
  useEffect(() => {
    let current = true;
    wallet.activity({ limit }).then(
      (read) => current && setActivities(read),
      () => {
        // The list on show stays; what made this fail is told by the snapshot or by the wallet's end.
      },
    );
    return () => {
      current = false;
    };
  }, [wallet, snapshot, limit]);
  return activities;
}

export interface Action {
  readonly run: () => void;
  readonly busy: boolean;
  readonly error: ApiError | undefined;
}

/** Something that a button starts, at most once at a time, and whose error is shown beside it. */
export function useAction(act: () => Promise<unknown>): Action {
  const [busy, setBusy] = useState(false);
  // The state is only as new as the last drawing; two quick clicks must not pay twice.
  const running = useRef(false);
  const [error, setError] = useState<ApiError>();
  const run = (): void => {
    if (running.current) return;
    running.current = true;
    setBusy(true);
    setError(undefined);
    act()
      .catch((thrown: unknown) => setError(toError(thrown)))
      .finally(() => {
        running.current = false;
        setBusy(false);
      });
  };
  return { run, busy, error };
}

/**
 * Does what was agreed to for a fee. Where that has risen meanwhile, it is asked for again: with the new one beside it, the error
 * says what to do.
 */
export function useAgreedAction(act: () => Promise<unknown>, askAgain: () => Promise<void> | void): Action {
  return useAction(async () => {
    try {
      await act();
    } catch (thrown) {
      if (toError(thrown).code === 'FeeTooHigh') await askAgain();
      throw thrown;
    }
  });
}
