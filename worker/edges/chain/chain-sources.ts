import { Backoff } from './backoff.ts';
import { badReply, tooLate, unavailable } from './chain-source-error.ts';
import type { EsploraApi } from './esplora-api.ts';
import type { HeaderSync } from './header-sync.ts';
import type { ChainPlatform } from './platform.ts';
import type { RoundFindings } from './round-findings.ts';
import { SyncRound } from './sync-round.ts';
import type { Watched } from './watch-list.ts';

/** A server, and how far one has got with it. */
export interface Source {
  readonly api: EsploraApi;
  readonly backoff: Backoff;
  restsUntil: number;
  /** The tip at which it was asked for all that is watched, and that at which it has told of it. */
  askedAt: string | undefined;
  heardAt: string | undefined;
  /** What it had no time to answer when it was asked last. */
  owed: ReadonlySet<string>;
  /** It did answer some of it. */
  getsOn: boolean;
}

/** What came of asking sources for items. */
export interface Heard {
  /** Those that have answered to the end. */
  readonly heard: readonly Source[];
  /** The error of the last one that has failed. */
  readonly problem: unknown;
  /** Something was answered by who has failed at something else. */
  readonly hasProgress: boolean;
}

/** How long one of several sources is followed towards its tip in a poll. */
const FOLLOW_MS = 20_000;
/** How long a round waits for one of several sources while there are items that none has answered, and afterwards. */
const FIRST_MS = 120_000;
const SECOND_MS = 20_000;
export const FIRST_BACKOFF_MS = 2_000;
export const MOST_BACKOFF_MS = 120_000;

/**
 * The servers that tell of the chain, in order. What one hides another shows, so all are asked; one that fails is left alone for a
 * while, and one that is slow holds up no other.
 */
export class ChainSources {
  readonly #sources: readonly Source[];
  readonly #headers: HeaderSync;
  readonly #platform: ChainPlatform;

  constructor(apis: readonly EsploraApi[], headers: HeaderSync, platform: ChainPlatform) {
    this.#headers = headers;
    this.#platform = platform;
    this.#sources = apis.map((api) => ({
      api,
      backoff: new Backoff(FIRST_BACKOFF_MS, MOST_BACKOFF_MS),
      restsUntil: 0,
      askedAt: undefined,
      heardAt: undefined,
      owed: new Set(),
      getsOn: false,
    }));
  }

  /** How many have told of all that is watched at a tip. */
  agreeingAt(tipHash: string | undefined): number {
    return this.#sources.filter(({ heardAt }) => heardAt === tipHash).length;
  }

  /** Whether none has more to say of what is watched than it had time for. One that answers nothing is not waited for. */
  get areHeardOut(): boolean {
    return !this.#sources.some(({ owed, getsOn }) => owed.size > 0 && getsOn);
  }

  /** None rests any longer: what was away may be back. */
  wake(): void {
    for (const source of this.#sources) source.restsUntil = 0;
  }

  /** Those that are at the tip of the chain of most work. Throws the error of one if there is none. */
  async atTip(): Promise<readonly Source[]> {
    const now = this.#platform.now();
    // A clock that was put back lets nobody rest for longer.
    const rested = this.#sources.filter(({ restsUntil }) => restsUntil <= now || restsUntil > now + MOST_BACKOFF_MS);
    const tips = new Map<Source, string>();
    let problem: unknown = unavailable('none', 'no source is configured');
    for (const source of rested.length > 0 ? rested : this.#sources) {
      const error = await this.#attempt(source, () => this.#follow(source, tips));
      problem = error ?? problem;
    }
    const { hash } = this.#headers.best.tip.header;
    const there = [...tips].filter(([, tipHash]) => tipHash === hash).map(([source]) => source);
    if (there.length > 0) return there;
    const [behind] = tips.keys();
    throw behind === undefined
      ? problem
      : badReply(behind.api.baseUrl, 'a tip with no more work than one that is known');
  }

  /** Asks each of them for every item: what one hides, another shows. */
  async ask(
    sources: readonly Source[],
    found: RoundFindings,
    items: ReadonlyMap<string, Watched>,
    fresh: ReadonlySet<string>,
  ): Promise<Heard> {
    const isAnswered = (): boolean => [...items.keys()].every((name) => found.isAnswered(name));
    const heard: Source[] = [];
    let problem: unknown;
    let hasProgress = false;
    for (const source of sources) {
      const patienceMs = this.#sources.length === 1 ? Infinity : isAnswered() ? SECOND_MS : FIRST_MS;
      const error = await this.#askOne(source, found, items, fresh, patienceMs);
      problem = error ?? problem;
      if (error === undefined) heard.push(source);
      // Who answers some of it is of use, whatever route it lacks.
      else if (source.getsOn) {
        source.restsUntil = 0;
        hasProgress = true;
      }
    }
    return { heard, problem, hasProgress };
  }

  /** Gives its error. */
  async #askOne(
    source: Source,
    found: RoundFindings,
    items: ReadonlyMap<string, Watched>,
    fresh: ReadonlySet<string>,
    patienceMs: number,
  ): Promise<unknown> {
    const { api } = source;
    const before = found.doneBy(api.baseUrl);
    const round = new SyncRound(api, found);
    let isLate = false;
    const error = await this.#attempt(source, () =>
      this.#withinTime(api, patienceMs, round.run(items, fresh), () => (isLate = true)).finally(() => round.stop()),
    );
    const isOwed = (name: string): boolean => !found.isDone(api.baseUrl, name);
    if (isLate) source.owed = new Set([...source.owed, ...[...items.keys()].filter(isOwed)]);
    source.getsOn = found.doneBy(api.baseUrl) > before;
    return error;
  }

  /** The way to a tip may be long; with several sources each has its time, and goes on with the next poll. */
  async #follow(source: Source, tips: Map<Source, string>): Promise<void> {
    const { api } = source;
    const patienceMs = this.#sources.length > 1 ? FOLLOW_MS : Infinity;
    const tipHash = await api.tipHash();
    await this.#headers.follow(api, tipHash, patienceMs);
    tips.set(source, tipHash);
  }

  /** A slow source may not hold up what another has told, or would. */
  async #withinTime(api: EsploraApi, patienceMs: number, asked: Promise<void>, onLate: () => void): Promise<void> {
    if (patienceMs === Infinity) return asked;
    let cancel = (): void => undefined;
    const late = new Promise<never>((_, reject) => {
      cancel = this.#platform.after(patienceMs, () => {
        onLate();
        reject(tooLate(api.baseUrl));
      });
    });
    await Promise.race([asked, late]).finally(() => cancel());
  }

  /** Gives the error of a source that has failed, whatever it is: it is left alone for a while, and keeps no other from being asked. */
  async #attempt(source: Source, ask: () => Promise<void>): Promise<unknown> {
    try {
      await ask();
      source.backoff.succeeded();
      return undefined;
    } catch (error) {
      source.restsUntil = this.#platform.now() + source.backoff.failed();
      return error;
    }
  }
}

/** They were asked for all that is watched at a tip, and some of them have told of it. */
export function note(tipHash: string, asked: readonly Source[], heard: readonly Source[]): void {
  for (const source of asked) source.askedAt = tipHash;
  for (const source of heard) source.heardAt = tipHash;
}
