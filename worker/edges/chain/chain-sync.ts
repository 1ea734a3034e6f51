import { GlowwormError } from '../../engine/primitives/errors.ts';
import { Backoff } from './backoff.ts';
import { isChainSourceError, unavailable } from './chain-source-error.ts';
import type { ChainUpdate } from './chain-update.ts';
import type { EsploraApi } from './esplora-api.ts';
import { HeaderChain } from './header-chain.ts';
import { syncHeaders } from './header-sync.ts';
import type { ChainPlatform } from './platform.ts';
import { SyncRound } from './sync-round.ts';
import type { WatchList } from './watch-list.ts';

export interface ChainSyncOptions {
  /** Tried in order; a round that fails goes on to the next. At least one. */
  readonly sources: readonly EsploraApi[];
  readonly platform: ChainPlatform;
  readonly headers: HeaderChain;
  readonly watchList: WatchList;
  /** Takes a whole update at once; what it registers in the watch list is asked for right after. */
  readonly onUpdate: (update: ChainUpdate) => void;
  /** How a poll went: undefined after a success. */
  readonly onStatus?: (error: GlowwormError | undefined) => void;
  readonly intervalMs: number;
}

/** Outputs registered by an update may have been spent in the same blocks: so often one poll looks again. */
const MAX_ROUNDS = 10;
/** As seldom as a block is awaited so long, a source that tells of none may stand still: another is asked then. */
const STANDSTILL_MS = 30 * 60_000;
const FIRST_BACKOFF_MS = 2_000;
const MOST_BACKOFF_MS = 120_000;

/**
 * Follows the chain by polling. An update is complete or does not happen: a failed request, an unproven claim or a
 * header that breaks the rules ends the round, and nothing of it is remembered.
 */
export class ChainSync {
  readonly #options: ChainSyncOptions;
  readonly #backoff = new Backoff(FIRST_BACKOFF_MS, MOST_BACKOFF_MS);
  #headers: HeaderChain;
  #source = 0;
  /** When a source last told of a new tip, or another was asked for one. */
  #movedAt: number;
  #synced = false;
  #polling: Promise<void> | undefined;
  #cancel: (() => void) | undefined;
  #running = false;
  #ticking = false;
  /** Somebody wants to know at once what is new, in the mempool too. */
  #isAwaited = false;

  constructor(options: ChainSyncOptions) {
    this.#options = options;
    this.#headers = options.headers;
    this.#movedAt = options.platform.now();
  }

  /** The headers as of the last update, to be stored in the write that stores its effects. */
  get headers(): HeaderChain {
    return this.#headers;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#schedule(0);
  }

  stop(): void {
    this.#running = false;
    this.#cancel?.();
  }

  /** Looks now, in the mempool too, and after a failure does not wait any longer: what was away may be back. */
  wake(): void {
    this.#isAwaited = true;
    this.#backoff.succeeded();
    if (this.#ticking) return;
    this.#cancel?.();
    this.#schedule(0);
  }

  /**
   * Looks at the chain once; a poll that is under way is shared. `everything` asks for the watched items even if the tip
   * has not moved, which finds what is new in the mempool. Throws the last source's error when none could be used.
   */
  poll(options: { readonly everything?: boolean } = {}): Promise<void> {
    this.#polling ??= this.#pollSources(options.everything ?? false).finally(() => {
      this.#polling = undefined;
    });
    return this.#polling;
  }

  #schedule(delayMs: number): void {
    if (!this.#running) return;
    this.#cancel = this.#options.platform.after(delayMs, () => void this.#tick());
  }

  async #tick(): Promise<void> {
    const everything = this.#isAwaited;
    this.#isAwaited = false;
    this.#ticking = true;
    const delayMs = await this.#tryPoll(everything);
    this.#ticking = false;
    this.#schedule(this.#isAwaited ? 0 : delayMs);
  }

  /** Gives how long to wait for the next one. */
  async #tryPoll(everything: boolean): Promise<number> {
    try {
      await this.poll({ everything });
      this.#backoff.succeeded();
      this.#options.onStatus?.(undefined);
      return this.#options.intervalMs;
    } catch (error) {
      const known = error instanceof GlowwormError ? error : unavailable('sync', String(error));
      this.#options.onStatus?.(known);
      return this.#backoff.failed();
    }
  }

  async #pollSources(everything: boolean): Promise<void> {
    const { sources } = this.#options;
    for (let attempt = 1; ; attempt++) {
      const source = sources[this.#source % sources.length];
      if (!source) throw unavailable('none', 'no source is configured');
      try {
        await this.#pollSource(source, everything);
        return this.#leaveIfStill();
      } catch (error) {
        const another =
          isChainSourceError(error) || (error instanceof GlowwormError && error.code === 'HeadersInvalid');
        if (!another) throw error;
        this.#source++;
        if (attempt >= sources.length) throw error;
      }
    }
  }

  #leaveIfStill(): void {
    const now = this.#options.platform.now();
    if (now - this.#movedAt < STANDSTILL_MS) return;
    this.#movedAt = now;
    this.#source++;
  }

  async #pollSource(api: EsploraApi, everything: boolean): Promise<void> {
    const { watchList, onUpdate } = this.#options;
    for (let rounds = 0; rounds < MAX_ROUNDS; rounds++) {
      const tipHash = await api.tipHash();
      const moved = tipHash !== this.#headers.tip.header.hash;
      const all = moved || !this.#synced || (everything && rounds === 0);
      if (!all && watchList.fresh.size === 0) return;
      const headers = await syncHeaders(api, this.#headers, tipHash);
      const fresh = new Set(watchList.fresh);
      const items = new Map([...watchList.items].filter(([name]) => all || fresh.has(name)));
      const { update, changes } = await new SyncRound(api, headers).run(items, fresh);
      // From here on nothing can fail: the state and what it is made of change together.
      this.#headers = headers.chain;
      if (moved) this.#movedAt = this.#options.platform.now();
      this.#synced = true;
      watchList.update(changes, fresh, headers.chain.tip.height);
      onUpdate(update);
      if (watchList.fresh.size === 0) return;
    }
  }
}
