/** How long peers have to come back after a start, or after a sleep, before anything is closed for their silence. */
const RECONNECTION_MS = 30_000;
/** And after they are met, which is when the chain is known: one that is there says within seconds what it has settled. */
const ANSWER_MS = 10_000;
/** A tab in the background has its timers once a minute: what is awake so must still act. */
const SLEEP_MS = 120_000;

/** Since when the program runs without a pause: a device that slept has lost its connections, and its timers stood still. */
export class Wakefulness {
  #since = 0;
  #lastAt = 0;
  #metAt = 0;

  /** To be called at the start and with each tick; `now` is in milliseconds since 1970. */
  note(now: number): void {
    // A clock that was put back would else keep everything waiting until it has caught up.
    if (now < this.#lastAt) this.#metAt = Math.min(this.#metAt, now);
    if (now < this.#lastAt || now - this.#lastAt > SLEEP_MS) this.#since = now;
    this.#lastAt = now;
  }

  /** Peers are met from now on, after a start or after a while without the chain. */
  met(now: number): void {
    this.#metAt = now;
  }

  /** Whether peers had a while to come back. */
  isLong(now: number): boolean {
    return now - this.#since >= RECONNECTION_MS && now - this.#metAt >= ANSWER_MS;
  }
}
