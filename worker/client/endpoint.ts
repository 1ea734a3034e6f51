import { expose, type Endpoint } from 'comlink';
import { GlowwormError } from '../engine/primitives/errors.ts';
import type { WalletApi, WalletConfig, WalletUpdate } from './api.ts';
import { integer, invalid } from './endpoint-checks.ts';
import { replaceThrowHandler, toGlowwormError } from './endpoint-errors.ts';
import { filterEndpoint } from './endpoint-filter.ts';
import { METHODS, NOTHING, WALLET_CONFIG } from './endpoint-methods.ts';
import { UpdateFeed, type RemoteListener } from './endpoint-updates.ts';

/** A wallet as the worker's inside has it. */
export interface ServedWallet extends WalletApi {
  /** Calls back with the present snapshot and every unacknowledged event, then with what changes; returns the way to stop. */
  subscribe(listener: (update: WalletUpdate) => void): () => void;
  close(): Promise<void>;
}

export interface EndpointHost {
  /** Opens the one wallet of this worker; called at most once at a time. */
  readonly open: (config: WalletConfig) => Promise<ServedWallet>;
  /** Told of exceptions that are no `GlowwormError`, of which the page only learns the name. */
  readonly onInternalError: (thrown: unknown) => void;
}

/** The methods beside those of `WalletApi`; `subscribe` answers a number that `unsubscribe` takes. */
export interface EndpointApi {
  open(config: WalletConfig): Promise<void>;
  close(): Promise<void>;
  ping(): void;
  subscribe(listener: RemoteListener): number;
  unsubscribe(subscription: number): void;
}

/** Answers the calls that come over `endpoint`, and nothing but those: see `filterEndpoint`. */
export function exposeWallet(endpoint: Endpoint, host: EndpointHost): void {
  replaceThrowHandler(toGlowwormError);
  const session = new EndpointSession(host);
  const target: Record<string, Method> = Object.create(null) as Record<string, Method>;
  for (const [name, run] of Object.entries({ ...walletMethods(session), ...sessionMethods(session) })) {
    target[name] = guarded(run, host.onInternalError);
  }
  expose(Object.freeze(target), filterEndpoint(endpoint, new Set(Object.keys(target))));
}

type Method = (...args: readonly unknown[]) => unknown;

/** The wallet that is open, and who listens to it. */
class EndpointSession {
  readonly #host: EndpointHost;
  readonly #stops = new Map<number, () => void>();
  #wallet: Promise<ServedWallet> | undefined;
  #subscriptions = 0;

  constructor(host: EndpointHost) {
    this.#host = host;
  }

  async open(config: WalletConfig): Promise<void> {
    if (this.#wallet !== undefined)
      throw new GlowwormError('WalletAlreadyOpen', 'This worker has opened its wallet already.');
    const opening = this.#host.open(config);
    this.#wallet = opening;
    try {
      await opening;
    } catch (error) {
      this.#wallet = undefined;
      throw error;
    }
  }

  wallet(): Promise<ServedWallet> {
    return (
      this.#wallet ?? Promise.reject(new GlowwormError('WalletNotOpen', 'This wallet is not open: open it first.'))
    );
  }

  async close(): Promise<void> {
    const wallet = await this.wallet();
    for (const id of this.#stops.keys()) this.unsubscribe(id);
    await wallet.close();
    this.#wallet = undefined;
  }

  async subscribe(listener: RemoteListener): Promise<number> {
    const wallet = await this.wallet();
    const feed = new UpdateFeed(listener, this.#host.onInternalError);
    const stop = wallet.subscribe((update) => feed.push(update));
    const id = ++this.#subscriptions;
    this.#stops.set(id, () => {
      stop();
      feed.stop();
    });
    return id;
  }

  unsubscribe(id: number): void {
    this.#stops.get(id)?.();
    this.#stops.delete(id);
  }
}

function walletMethods(session: EndpointSession): Record<string, Method> {
  const methods = Object.entries(METHODS).map(([name, check]) => {
    const run: Method = async (...args) => {
      const checked = check === NOTHING ? nothing(args) : [check(only(args), 'request')];
      const wallet = await session.wallet();
      // A method's checker is declared beside its name, so that the two agree.
      const method = wallet[name as keyof WalletApi] as Method;
      return method.apply(wallet, checked);
    };
    return [name, run];
  });
  return Object.fromEntries(methods) as Record<string, Method>;
}

function sessionMethods(session: EndpointSession): { readonly [M in keyof EndpointApi]: Method } {
  return {
    open: (...args) => session.open(WALLET_CONFIG(only(args), 'config')),
    close: (...args) => (nothing(args), session.close()),
    ping: (...args) => void nothing(args),
    subscribe: (...args) => session.subscribe(listenerOf(only(args))),
    unsubscribe: (...args) => session.unsubscribe(integer(1, Number.MAX_SAFE_INTEGER)(only(args), 'subscription')),
  };
}

function guarded(run: Method, onInternalError: (thrown: unknown) => void): Method {
  return async (...args) => {
    try {
      return await run(...args);
    } catch (thrown) {
      if (!(thrown instanceof GlowwormError)) onInternalError(thrown);
      throw toGlowwormError(thrown);
    }
  };
}

function nothing(args: readonly unknown[]): [] {
  if (args.length > 0) throw invalid('arguments', 'absent');
  return [];
}

function only(args: readonly unknown[]): unknown {
  if (args.length !== 1) throw invalid('arguments', 'one object');
  return args[0];
}

/** The filter lets functions through as the argument of `subscribe` only. */
function listenerOf(value: unknown): RemoteListener {
  if (typeof value !== 'function') throw invalid('listener', 'a function, passed with Comlink.proxy');
  return value as RemoteListener;
}
