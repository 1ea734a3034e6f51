import type { ChainPlatform } from '../../../worker/edges/chain/platform.ts';

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

/** Turns of the event loop without a request after which nothing is under way but what waits for the clock. */
const QUIET_TURNS = 3;

/** A clock that moves from timer to timer, each time when all that needs no time is done. */
export class SimulatedClock {
  #nowMs: number;
  #timers: Timer[] = [];
  #stirred = 0;

  /** Milliseconds since 1970. */
  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }

  readonly now = (): number => this.#nowMs;

  readonly after = (delayMs: number, callback: () => void): (() => void) => {
    const timer = { atMs: this.#nowMs + Math.max(delayMs, 0), callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  /** With this clock's time, and requests that it knows of. */
  platform(fetch: ChainPlatform['fetch']): ChainPlatform {
    return {
      now: this.now,
      after: this.after,
      fetch: (url, init) => {
        this.#stirred++;
        return fetch(url, init).finally(() => this.#stirred++);
      },
    };
  }

  /** Lets so much time pass. */
  async run(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await this.settle();
    for (let next = this.#next(); next !== undefined && next.atMs <= untilMs; next = this.#next()) {
      this.#nowMs = next.atMs;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      next.callback();
      await this.settle();
    }
    this.#nowMs = untilMs;
  }

  /** Until nothing happens any more without time. */
  async settle(): Promise<void> {
    for (let quiet = 0, before = this.#stirred; quiet < QUIET_TURNS; quiet++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#stirred !== before) [quiet, before] = [-1, this.#stirred];
    }
  }

  #next(): Timer | undefined {
    const first = Math.min(...this.#timers.map(({ atMs }) => atMs));
    return this.#timers.find(({ atMs }) => atMs === first);
  }
}
