import { isChainSourceError, isRateLimited } from './chain-source-error.ts';
import type { EsploraApi } from './esplora-api.ts';
import { OutputLook } from './output-look.ts';
import type { RoundFindings } from './round-findings.ts';
import { ScriptLook } from './script-look.ts';
import { sightingOf } from './sighting.ts';
import type { SeenAt, Watched } from './watch-list.ts';

/** Requests at a time: public servers count them. */
const PARALLEL = 4;
/** After so many failures in a row a server is not asked for the rest. */
const MOST_IN_VAIN = 8;

/** How an item is looked at: all of it anew, or what has changed since and what has left the chain. */
interface Look {
  readonly isFresh: boolean;
  readonly gone: readonly SeenAt[];
}

/**
 * Asks one source for everything watched that nothing is found of yet, at one state of the chain. A claim about a block that is not
 * in the chain of headers is left for a later round.
 */
export class SyncRound {
  readonly #api: EsploraApi;
  readonly #found: RoundFindings;
  readonly #outputs: OutputLook;
  readonly #scripts: ScriptLook;
  #isOver = false;

  constructor(api: EsploraApi, found: RoundFindings) {
    this.#api = api;
    this.#found = found;
    this.#outputs = new OutputLook(api, found);
    this.#scripts = new ScriptLook(api, found, () => this.#isOver);
  }

  /** Nothing more is asked for: others have answered. */
  stop(): void {
    this.#isOver = true;
  }

  /** Throws the first error of a request, after the other items: what is found of those stays found. */
  async run(items: ReadonlyMap<string, Watched>, fresh: ReadonlySet<string>): Promise<void> {
    const queue = [...items].filter(([name]) => !this.#found.isDone(this.#api.baseUrl, name));
    const errors: unknown[] = [];
    // What is in channels before what is in the wallet: a server may have no route for the one or the other.
    for (const kind of ['output', 'tx', 'script'] as const)
      errors.push(
        ...(await this.#askAll(
          queue.filter(([, item]) => item.kind === kind),
          fresh,
        )),
      );
    if (errors.length > 0) throw errors.find((error) => !mayGoOn(error)) ?? errors[0];
  }

  /** The errors of those that could not be asked for. */
  async #askAll(
    queue: readonly (readonly [string, Watched])[],
    fresh: ReadonlySet<string>,
  ): Promise<readonly unknown[]> {
    const errors: unknown[] = [];
    let inVain = 0;
    for (let at = 0; at < queue.length && !this.#isOver; at += PARALLEL) {
      const asked = queue.slice(at, at + PARALLEL).map(([name, item]) => this.#note(name, item, fresh.has(name)));
      const failed = (await Promise.allSettled(asked)).flatMap((each) => (each.status === 'rejected' ? [each] : []));
      errors.push(...failed.map(({ reason }): unknown => reason));
      if (errors.some((error) => !mayGoOn(error))) this.stop();
      inVain = failed.length === asked.length ? inVain + failed.length : 0;
      if (inVain >= MOST_IN_VAIN) break;
    }
    return errors;
  }

  async #note(name: string, item: Watched, isFresh: boolean): Promise<void> {
    const isFirst = !this.#found.isLookedAt(name);
    const known = this.#found.itemOf(name, item);
    const gone = isFirst ? this.#goneOf(known) : [];
    for (const { txid } of gone) this.#found.unconfirm(txid);
    const next = await this.#look(known, { isFresh: isFresh && isFirst, gone });
    this.#found.finish(this.#api.baseUrl, name, known, next);
  }

  /** The sightings of an item that are not in the chain any more. */
  #goneOf(item: Watched): readonly SeenAt[] {
    const { disconnectedTo = Infinity } = this.#found.view;
    const seen = item.kind === 'script' ? item.confirmed : item.seen === undefined ? [] : [item.seen];
    return seen.filter(({ height }) => height > disconnectedTo);
  }

  async #look(item: Watched, { isFresh, gone }: Look): Promise<Watched> {
    if (item.kind === 'script') return this.#scripts.look(item, gone);
    const { seen, ...unseen } = item;
    if (seen && gone.length === 0 && !isFresh)
      return item.kind === 'output' ? this.#outputs.shown(item, seen.txid) : item;
    if (unseen.kind === 'output') return this.#outputs.look(unseen);
    const found = await sightingOf(this.#api, this.#found, unseen.txid, await this.#api.status(unseen.txid));
    return found ? { ...unseen, seen: found } : unseen;
  }
}

/** What one server cannot answer, and another item's request may be. */
const mayGoOn = (error: unknown): boolean => isChainSourceError(error) && !isRateLimited(error);
