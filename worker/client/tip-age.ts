import type { DifficultyRules } from '../edges/chain/difficulty.ts';

/** For how long no new block came, and whether nothing new is taken on for that reason. */
export interface Staleness {
  readonly minutes: number;
  readonly stopped: boolean;
}

interface Limits {
  readonly warnMs: number;
  readonly stopMs: number;
}

const MINUTE_MS = 60_000;
/** Of short blocks many may be late together, where one signer makes them all. */
const LEAST_WARN_MS = 5 * MINUTE_MS;
const WARN_BLOCKS = 6;

/**
 * At ten minutes a block, an hour without one comes about once in 400 blocks, and two hours once in 160,000: then the server, and
 * every other that was asked, is behind rather than the chain late. Regtest has a block when somebody wants one.
 */
function limitsOf({ kind, spacingSeconds }: DifficultyRules): Limits {
  if (kind === 'fixed') return { warnMs: Infinity, stopMs: Infinity };
  const warnMs = Math.max(WARN_BLOCKS * spacingSeconds * 1_000, LEAST_WARN_MS);
  return { warnMs, stopMs: 2 * warnMs };
}

/**
 * Of so many blocks the quickest tells how far this device's clock may be ahead; and after so many a clock that was changed is known.
 * Three times as many as stop payments: who shows blocks at two thirds of their speed does not go unnoticed.
 */
const COMPARED_BLOCKS = 36;

/**
 * How old the newest block is. Two clocks tell: how long ago it was first heard of here, and how long ago its header says that it
 * was made. The header alone tells of a server that has stood still since before the start, or that shows old blocks one by one; but
 * it is compared with this device's clock, which can be wrong. So once the tip has moved in this run, it stops payments only by how
 * much later this block came than others; it warns all the same.
 */
export class TipAge {
  readonly #limits: Limits;
  #hash: string | undefined;
  #heardAt = 0;
  #madeAt = 0;
  #hasMoved = false;
  /** How long after they were made the last blocks were heard of, by this device's clock: none of them before. */
  #delaysMs: readonly number[] = [];

  constructor(rules: DifficultyRules) {
    this.#limits = limitsOf(rules);
  }

  /** All is known up to a block. `madeAt` is its header's time; both are in milliseconds since 1970. */
  heard(hash: string, madeAt: number, now: number): void {
    // A clock that was put back says nothing of the time since.
    if (hash === this.#hash && now >= this.#heardAt) return;
    this.#hasMoved ||= this.#hash !== undefined && hash !== this.#hash;
    this.#hash = hash;
    this.#heardAt = now;
    this.#madeAt = madeAt;
    this.#delaysMs = [...this.#delaysMs, Math.max(0, now - madeAt)].slice(-COMPARED_BLOCKS);
  }

  /** `undefined` while the tip is as new as it should be, or none is known yet. */
  staleness(now: number): Staleness | undefined {
    if (this.#hash === undefined) return undefined;
    const [sinceHeardMs, sinceMadeMs] = [now - this.#heardAt, now - this.#madeAt];
    const ageMs = Math.max(sinceHeardMs, sinceMadeMs);
    const { warnMs, stopMs } = this.#limits;
    if (ageMs < warnMs) return undefined;
    const aheadMs = this.#hasMoved ? Math.min(...this.#delaysMs) : 0;
    const stopped = sinceHeardMs >= stopMs || sinceMadeMs - aheadMs >= stopMs;
    return { minutes: Math.floor(ageMs / MINUTE_MS), stopped };
  }
}
