/** So long at least an estimate is remembered, and less than twice as long. */
const PERIOD_MS = 6 * 3_600_000;

/** What a memory is restored from: the highest feerates, in sat per 1000 weight, of the period that runs and of the one before. */
export interface FeerateMemoryState {
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly highest: number;
  /** 0 while there was none. */
  readonly highestBefore: number;
}

/**
 * The highest estimate of the last hours. Peers look at the market through other servers, caches and longer averages, and
 * LDK closes a channel over a feerate below its view: ours goes down only after hours of lower estimates. Two numbers do
 * for a sliding window; what was last seen before a pause counts for the pause.
 */
export class FeerateMemory {
  #state: FeerateMemoryState | undefined;

  constructor(state?: FeerateMemoryState) {
    this.#state = state;
  }

  get state(): FeerateMemoryState | undefined {
    return this.#state;
  }

  /** Takes in an estimate of `nowMs`, in milliseconds since 1970. */
  note(perKw: number, nowMs: number): void {
    const { since, highest, highestBefore } = this.#state ?? { since: nowMs, highest: 0, highestBefore: 0 };
    this.#state =
      nowMs - since >= PERIOD_MS
        ? { since: nowMs, highest: perKw, highestBefore: highest }
        : // A clock that was set back begins the period anew: the memory gets longer, never shorter.
          { since: Math.min(since, nowMs), highest: Math.max(highest, perKw), highestBefore };
  }

  /** The highest of the last hours; `undefined` while it does not reach so far back. */
  get settled(): number | undefined {
    if (this.#state === undefined || this.#state.highestBefore === 0) return undefined;
    return Math.max(this.#state.highest, this.#state.highestBefore);
  }
}
