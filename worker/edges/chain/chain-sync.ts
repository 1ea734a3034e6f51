import { GlowwormError } from '../../engine/primitives/errors.ts';
import { Backoff } from './backoff.ts';
import { unavailable } from './chain-source-error.ts';
import { ChainSources, FIRST_BACKOFF_MS, MOST_BACKOFF_MS, note, type Heard, type Source } from './chain-sources.ts';
import type { ChainUpdate } from './chain-update.ts';
import type { EsploraApi } from './esplora-api.ts';
import type { HeaderChain } from './header-chain.ts';
import { HeaderSync } from './header-sync.ts';
import type { OldHeaders } from './old-headers.ts';
import type { ChainPlatform } from './platform.ts';
import { ProvenTransactions } from './proven-transactions.ts';
import { Rotation } from './rotation.ts';
import { RoundFindings, type ChainView } from './round-findings.ts';
import { TreeDepths } from './tree-depths.ts';
import type { Watched, WatchList } from './watch-list.ts';

export interface ChainSyncOptions {
  /** All are asked, in order; one has to answer. At least one. */
  readonly sources: readonly EsploraApi[];
  readonly platform: ChainPlatform;
  /** All that is known; it can be ahead of what was told. */
  readonly headers: HeaderChain;
  readonly oldHeaders: OldHeaders;
  /** What the last update that was taken told of, in this run or before. */
  readonly told: ToldTip | undefined;
  readonly watchList: WatchList;
  /** More headers are known; the update that tells of them comes when all else is known too. */
  readonly onHeaders: (headers: HeaderChain) => void;
  /** Takes a whole update at once; what it registers in the watch list is asked for right after. */
  readonly onUpdate: (update: ChainUpdate) => void;
  readonly onPolled: (outcome: PollOutcome) => void;
  readonly intervalMs: number;
}

/** How far a poll got. */
export type PollOutcome =
  | { readonly kind: 'complete' }
  /** All that is in channels is known at the tip, and of some scripts no server has told. */
  | { readonly kind: 'withoutScripts'; readonly problem: GlowwormError }
  | { readonly kind: 'failed'; readonly problem: GlowwormError };

/** A tip with the headers below it, as far as they are still known. */
export interface ToldTip {
  readonly headers: HeaderChain;
  readonly height: number;
}

/** Outputs registered by an update may have been spent in the same blocks: so often one poll looks again. */
const MAX_ROUNDS = 10;
/** A server can be several: the one that has told of a block is not the one that is asked what is in it. */
const AGAIN = 3;

/**
 * Follows the chain by polling. An update is complete, or does not happen: while a request for what is in channels fails, a claim is
 * not proven or a header breaks the rules there is none. Scripts can be late: they stay to be asked for. What was found at the same
 * tip is not asked for again, and what is proven not at any.
 */
export class ChainSync {
  readonly #options: ChainSyncOptions;
  readonly #backoff = new Backoff(FIRST_BACKOFF_MS, MOST_BACKOFF_MS);
  readonly #headers: HeaderSync;
  readonly #proven: ProvenTransactions = new ProvenTransactions(new TreeDepths());
  /** Of a round that has failed. */
  #found: RoundFindings | undefined;
  #told: ToldTip | undefined;
  readonly #rotation: Rotation = new Rotation();
  readonly #sources: ChainSources;
  #synced = false;
  /** This poll has told of the tip, and of all that is in channels at it. */
  #knowsChannels = false;
  /** Something was answered in this poll by who has failed at something else. */
  #hasProgress = false;
  /** In so many polls what is in no block is asked for again. */
  #again = 0;
  #polling: Promise<void> | undefined;
  #cancel: (() => void) | undefined;
  #running = false;
  #ticking = false;
  /** Somebody wants to know at once what is new, in the mempool too. */
  #isAwaited = false;

  constructor(options: ChainSyncOptions) {
    this.#options = options;
    this.#headers = new HeaderSync(options.headers, options.platform.now, options.onHeaders);
    this.#told = options.told;
    this.#sources = new ChainSources(options.sources, this.#headers, options.platform);
  }

  /** The chain of most work that is known. */
  get headers(): HeaderChain {
    return this.#headers.best;
  }

  /** How many sources have told of the newest block, and of all that is watched at it. */
  get agreeing(): number {
    return this.#sources.agreeingAt(this.#told?.headers.tip.header.hash);
  }

  /** Whether no source has more to say of what is watched than it had time for. One that answers nothing is not waited for. */
  get isHeardOut(): boolean {
    return this.#sources.areHeardOut;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#rotation.hurry(this.#options.platform.now());
    this.#schedule(0);
  }

  stop(): void {
    this.#running = false;
    this.#cancel?.();
  }

  /** Looks now, in the mempool too, and after a failure does not wait any longer: what was away may be back. */
  wake(): void {
    this.#isAwaited = true;
    this.#rotation.hurry(this.#options.platform.now());
    this.#backoff.succeeded();
    this.#sources.wake();
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
    this.#hasProgress = false;
    try {
      await this.poll({ everything });
      this.#backoff.succeeded();
      // A long history brings new scripts to ask for with every round.
      if (this.#options.watchList.fresh.size > 0) return 0;
      this.#options.onPolled({ kind: 'complete' });
      return this.#options.intervalMs;
    } catch (error) {
      const problem = error instanceof GlowwormError ? error : unavailable('sync', String(error));
      this.#options.onPolled({ kind: this.#knowsChannels ? 'withoutScripts' : 'failed', problem });
      // Of many requests some always fail where each may: what was answered is not asked for again, and so it ends.
      if (this.#hasProgress) this.#backoff.succeeded();
      return this.#backoff.failed();
    }
  }

  async #pollSources(everything: boolean): Promise<void> {
    this.#knowsChannels = false;
    for (let rounds = 0; rounds < MAX_ROUNDS; rounds++) {
      const sources = await this.#sources.atTip();
      const chain = this.#headers.best;
      const { hash: tip } = chain.tip.header;
      const moved = tip !== this.#told?.headers.tip.header.hash;
      const all = moved || !this.#synced || (everything && rounds === 0);
      const { watchList } = this.#options;
      if (!all && watchList.fresh.size === 0) return this.#lookAround(sources, chain);
      const { heard, problem } = await this.#round(sources, chain, all ? watchList.items : watchList.freshItems);
      if (all) note(tip, sources, heard);
      if (watchList.fresh.size === 0) return;
      // What an update has registered may have been spent in the same blocks.
      if (problem === undefined || concernsChannels(watchList.freshItems)) continue;
      // One script that nobody tells of keeps no other from its turn.
      if (!all) await this.#lookAround(sources, chain);
      this.#knowsChannels = !concernsChannels(watchList.freshItems);
      throw problem;
    }
  }

  /**
   * While nothing is new: what those say that have come to the tip late, what may be in the new block after all, and a few of the
   * scripts that are seldom asked for.
   */
  async #lookAround(sources: readonly Source[], chain: HeaderChain): Promise<void> {
    const { watchList, platform } = this.#options;
    const { hash: tip } = chain.tip.header;
    const late = sources.filter(({ askedAt }) => askedAt !== tip);
    if (late.length > 0) return note(tip, late, (await this.#hear(late, chain, watchList.items, 'some')).heard);
    const slow = sources.find(({ owed }) => owed.size > 0);
    // One that is always slow keeps none of the others' scripts from its turn.
    if (slow !== undefined) await this.#hearOut(slow, chain);
    if (this.#again-- > 0) await this.#hear(sources, chain, watchList.pending);
    const count = this.#rotation.due(watchList.restingCount, platform.now());
    if (count === 0) return;
    const { missed } = await this.#hear(sources, chain, watchList.nextResting(count));
    watchList.missedResting(missed);
  }

  /** Goes on where a source had no time left: what it is asked for last it would never answer, and others may hide it. */
  async #hearOut(source: Source, chain: HeaderChain): Promise<void> {
    const { items } = this.#options.watchList;
    const owed = new Map([...items].filter(([name]) => source.owed.has(name)));
    source.owed = new Set();
    const { heard } = await this.#hear([source], chain, owed, 'some');
    note(chain.tip.header.hash, [source], heard);
  }

  /** As much as sources say. Gives those that have answered to the end, and the items that none has answered. */
  async #hear(
    sources: readonly Source[],
    chain: HeaderChain,
    items: ReadonlyMap<string, Watched>,
    asked: ChainView['asked'] = 'all',
  ): Promise<{ readonly heard: readonly Source[]; readonly missed: ReadonlySet<string> }> {
    const found = this.#findingsAt(chain, asked);
    const { heard } = await this.#ask(sources, found, new Map(items), new Set());
    const missed = new Set([...items.keys()].filter((name) => !found.isAnswered(name)));
    if (found.changes.size > 0) {
      this.#tell(found, new Set());
      this.#proven.forget();
    } else this.#found = undefined;
    return { heard, missed };
  }

  /**
   * Asks sources for items, and tells what was found; throws where there is one that none has answered. Anybody can pay to an address
   * until servers do not answer for it any more: of what becomes of channels is told all the same, and the problem is given. Gives the
   * sources that have answered to the end, too.
   */
  async #round(
    sources: readonly Source[],
    chain: HeaderChain,
    items: ReadonlyMap<string, Watched>,
  ): Promise<{ readonly heard: readonly Source[]; readonly problem?: unknown }> {
    const { watchList } = this.#options;
    const fresh = new Set(watchList.fresh);
    const found = this.#findingsAt(chain);
    const { disconnectedTo: fork } = found.view;
    const gone = fork === undefined ? [] : watchList.restingAbove(fork);
    const asked = new Map([...items, ...gone]);
    const { heard, problem } = await this.#ask(sources, found, asked, fresh);
    const missed = new Map([...asked].filter(([name]) => !found.isAnswered(name)));
    if (concernsChannels(missed)) throw problem;
    for (const [name, item] of missed) {
      fresh.delete(name);
      found.miss(name, item);
    }
    this.#tell(found, fresh);
    watchList.missed(missed.keys());
    if (missed.size > 0) return { heard, problem };
    this.#proven.forget();
    return { heard };
  }

  /** Nothing can fail here: the state and what it is made of change together. */
  #tell(found: RoundFindings, fresh: ReadonlySet<string>): void {
    const { watchList, onUpdate } = this.#options;
    const { chain } = found.view;
    if (chain.tip.header.hash !== this.#told?.headers.tip.header.hash) this.#again = AGAIN;
    this.#told = { headers: chain, height: chain.tip.height };
    this.#synced = true;
    this.#found = undefined;
    watchList.update(found.changes, fresh, chain.tip.height);
    onUpdate(found.update);
  }

  async #ask(
    sources: readonly Source[],
    found: RoundFindings,
    items: ReadonlyMap<string, Watched>,
    fresh: ReadonlySet<string>,
  ): Promise<Heard> {
    const heard = await this.#sources.ask(sources, found, items, fresh);
    this.#hasProgress ||= heard.hasProgress;
    return heard;
  }

  /** What was found at this state of the chain, or nothing yet. */
  #findingsAt(chain: HeaderChain, asked: ChainView['asked'] = 'all'): RoundFindings {
    const before = this.#found;
    if (before?.view.chain === chain) return before;
    const isExtended = before?.view.chain.forkWith(chain) === before?.view.chain.tip.height;
    const { oldHeaders: old, watchList } = this.#options;
    const view = {
      chain,
      asked,
      old,
      proven: this.#proven,
      disconnectedTo: disconnectedTo(this.#told, chain),
      heightOf: (txid: string) => watchList.heightOf(txid),
    };
    return (this.#found = new RoundFindings(view, isExtended ? before : undefined));
  }
}

const concernsChannels = (items: ReadonlyMap<string, Watched>): boolean =>
  [...items.values()].some(({ kind }) => kind !== 'script');

/** The highest block of those that were told of which is still in the chain, where some are not. */
function disconnectedTo(told: ToldTip | undefined, chain: HeaderChain): number | undefined {
  if (told === undefined) return undefined;
  const fork = told.headers.forkWith(chain) ?? told.headers.lowest - 1;
  return fork < told.height ? fork : undefined;
}
