import { GlowwormError } from '../../engine/primitives/errors.ts';
import { Backoff } from './backoff.ts';
import { badReply, isChainSourceError, unavailable } from './chain-source-error.ts';
import type { ChainUpdate } from './chain-update.ts';
import type { EsploraApi } from './esplora-api.ts';
import type { HeaderChain } from './header-chain.ts';
import { HeaderSync } from './header-sync.ts';
import type { OldHeaders } from './old-headers.ts';
import type { ChainPlatform } from './platform.ts';
import { ProvenTransactions } from './proven-transactions.ts';
import { RoundFindings } from './round-findings.ts';
import { SyncRound } from './sync-round.ts';
import { TreeDepths } from './tree-depths.ts';
import type { WatchList } from './watch-list.ts';

export interface ChainSyncOptions {
  /** Tried in order; a round that fails goes on to the next. At least one. */
  readonly sources: readonly EsploraApi[];
  readonly platform: ChainPlatform;
  /** All that is known; it can be ahead of what was told. */
  readonly headers: HeaderChain;
  readonly oldHeaders: OldHeaders;
  /** What the last update that was taken told of, in this run or before. */
  readonly told: ToldTip | undefined;
  readonly watchList: WatchList;
  /** More headers are known; the update that tells of them comes when all else is known too. */
  readonly onHeaders?: (headers: HeaderChain) => void;
  /** Takes a whole update at once; what it registers in the watch list is asked for right after. */
  readonly onUpdate: (update: ChainUpdate) => void;
  /** How a poll went: undefined after a success. */
  readonly onStatus?: (error: GlowwormError | undefined) => void;
  readonly intervalMs: number;
}

/** A tip with the headers below it, as far as they are still known. */
export interface ToldTip {
  readonly headers: HeaderChain;
  readonly height: number;
}

/** Outputs registered by an update may have been spent in the same blocks: so often one poll looks again. */
const MAX_ROUNDS = 10;
/** As seldom as a block is awaited so long, a source that tells of none may stand still: another is asked then. */
const STANDSTILL_MS = 30 * 60_000;
const FIRST_BACKOFF_MS = 2_000;
const MOST_BACKOFF_MS = 120_000;

/**
 * Follows the chain by polling. An update is complete or does not happen: while a request fails, a claim is not proven or a
 * header breaks the rules there is none. What was found at the same tip is not asked for again, and what is proven not at any.
 */
export class ChainSync {
  readonly #options: ChainSyncOptions;
  readonly #backoff = new Backoff(FIRST_BACKOFF_MS, MOST_BACKOFF_MS);
  readonly #headers: HeaderSync;
  readonly #proven: ProvenTransactions = new ProvenTransactions(new TreeDepths());
  /** Of a round that has failed. */
  #found: RoundFindings | undefined;
  #told: ToldTip | undefined;
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
    this.#headers = new HeaderSync(options.headers, options.onHeaders);
    this.#told = options.told;
    this.#movedAt = options.platform.now();
  }

  /** The chain of most work that is known. */
  get headers(): HeaderChain {
    return this.#headers.best;
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
      const moved = tipHash !== this.#told?.headers.tip.header.hash;
      const all = moved || !this.#synced || (everything && rounds === 0);
      if (!all && watchList.fresh.size === 0) return;
      await this.#headers.follow(api, tipHash);
      const chain = this.#headers.best;
      if (chain.tip.header.hash !== tipHash)
        throw badReply(api.baseUrl, 'a tip with no more work than one that is known');
      const fresh = new Set(watchList.fresh);
      const items = new Map([...watchList.items].filter(([name]) => all || fresh.has(name)));
      const found = this.#findingsAt(chain);
      await new SyncRound(api, found).run(items, fresh);
      // From here on nothing can fail: the state and what it is made of change together.
      this.#told = { headers: chain, height: chain.tip.height };
      if (moved) this.#movedAt = this.#options.platform.now();
      this.#synced = true;
      this.#found = undefined;
      this.#proven.forget();
      watchList.update(found.changes, fresh, chain.tip.height);
      onUpdate(found.update);
      if (watchList.fresh.size === 0) return;
    }
  }

  /** What was found at this state of the chain, or nothing yet. */
  #findingsAt(chain: HeaderChain): RoundFindings {
    const before = this.#found;
    if (before?.view.chain === chain) return before;
    const isExtended = before?.view.chain.forkWith(chain) === before?.view.chain.tip.height;
    const { oldHeaders: old } = this.#options;
    const view = { chain, old, proven: this.#proven, disconnectedTo: disconnectedTo(this.#told, chain) };
    return (this.#found = new RoundFindings(view, isExtended ? before : undefined));
  }
}

/** The highest block of those that were told of which is still in the chain, where some are not. */
function disconnectedTo(told: ToldTip | undefined, chain: HeaderChain): number | undefined {
  if (told === undefined) return undefined;
  const fork = told.headers.forkWith(chain) ?? told.headers.lowest - 1;
  return fork < told.height ? fork : undefined;
}
