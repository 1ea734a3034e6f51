import type { Timers } from '../../../worker/edges/transport/timers.ts';

interface Pending {
  readonly at: number;
  readonly callback: () => void;
}

/** A clock that moves only when it is told to, and runs what is due in the order of its time. */
export class FakeTimers implements Timers {
  readonly #pending = new Set<Pending>();
  #now = 0;

  readonly now = (): number => this.#now;

  setTimeout(callback: () => void, delayMs: number): unknown {
    const timer = { at: this.#now + delayMs, callback };
    this.#pending.add(timer);
    return timer;
  }

  clearTimeout(timer: unknown): void {
    this.#pending.delete(timer as Pending);
  }

  get pending(): number {
    return this.#pending.size;
  }

  /** How long the next timer waits; undefined without one. */
  get nextDelayMs(): number | undefined {
    const next = this.#next();
    return next && next.at - this.#now;
  }

  advance(ms: number): void {
    const until = this.#now + ms;
    for (let next = this.#next(); next !== undefined && next.at <= until; next = this.#next()) {
      this.#now = next.at;
      this.#pending.delete(next);
      next.callback();
    }
    this.#now = until;
  }

  #next(): Pending | undefined {
    return [...this.#pending].sort((a, b) => a.at - b.at)[0];
  }
}
