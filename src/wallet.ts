import { proxy } from 'comlink';
import type { WalletApi, WalletUpdate } from '../worker/client/api.ts';
import type { GlowwormError } from '../worker/engine/primitives/errors.ts';
import { wakeWhenBack } from './wake.ts';
import type { WalletWorker } from './wallet-worker.ts';

export type WalletListener = (update: WalletUpdate) => void;

type Answer<T> = Promise<Awaited<T>>;

/** A wallet in its worker: the methods of `WalletApi`, each with a promise that rejects with a `GlowwormError`. */
export type Wallet = {
  readonly [M in keyof WalletApi]: (...args: Parameters<WalletApi[M]>) => Answer<ReturnType<WalletApi[M]>>;
} & {
  /**
   * Calls `listener` with the present snapshot and every event that `acknowledgeEvent` has not been called for, then with
   * what changes. An event can come twice: go by its id. `onEnd` is called once, if
   * the worker dies or refuses the subscription. Returns the way to stop.
   */
  subscribe(listener: WalletListener, onEnd?: (error: GlowwormError) => void): () => void;
  /** Ends the wallet and its worker; calls that are under way reject with `WalletClosed`. */
  close(): Promise<void>;
};

/** A record and no list, so that a method that is missing here does not compile. */
const METHODS: Readonly<Record<keyof WalletApi, true>> = {
  snapshot: true,
  createWallet: true,
  restoreWallet: true,
  showMnemonic: true,
  connectPeer: true,
  disconnectPeer: true,
  forgetPeer: true,
  openChannel: true,
  quoteOpenChannel: true,
  quoteClose: true,
  newInterceptScid: true,
  interceptedHtlcs: true,
  forwardIntercepted: true,
  failIntercepted: true,
  closeChannel: true,
  forceCloseChannel: true,
  acceptInboundChannel: true,
  refuseInboundChannel: true,
  createInvoice: true,
  decodeInvoice: true,
  quotePayment: true,
  payInvoice: true,
  activity: true,
  newAddress: true,
  quoteOnchain: true,
  sendOnchain: true,
  quoteSweepFound: true,
  sweepFound: true,
  quoteBump: true,
  bumpOnchain: true,
  quoteCancel: true,
  cancelOnchain: true,
  acknowledgeEvent: true,
  exportLog: true,
  wake: true,
};

/** The methods over a worker that has opened its wallet. */
export function walletOver(link: WalletWorker): Wallet {
  const methods = Object.keys(METHODS).map((name) => [name, (...args: readonly unknown[]) => link.call(name, args)]);
  const stopWaking = wakeWhenBack(() => void link.call('wake', []).catch(ignore));
  link.onEnd(stopWaking);
  return {
    ...(Object.fromEntries(methods) as Wallet),
    subscribe: (listener, onEnd) => subscribe(link, listener, onEnd),
    async close() {
      stopWaking();
      try {
        await link.call('close', []);
      } finally {
        link.end();
      }
    },
  };
}

function subscribe(link: WalletWorker, listener: WalletListener, onEnd?: (error: GlowwormError) => void): () => void {
  let active = true;
  const deliver = (update: WalletUpdate): void => {
    if (active) listener(update);
  };
  const end = (error: GlowwormError): void => {
    if (active && error.code !== 'WalletClosed') onEnd?.(error);
    active = false;
  };
  const subscription = link.call('subscribe', [proxy(deliver)]);
  subscription.catch(end);
  const forget = link.onEnd(end);
  return () => {
    active = false;
    forget();
    subscription.then((id) => link.call('unsubscribe', [id])).catch(ignore);
  };
}

/** For calls whose failure is the worker's end, which `onEnd` tells. */
function ignore(): void {}
