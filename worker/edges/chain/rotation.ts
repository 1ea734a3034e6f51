/** Within this time everything has its turn that is asked for now and then. */
const TURN_MS = 45 * 60_000;
/** And within this time after a start, or after somebody has come back. */
const QUICK_TURN_MS = 5 * 60_000;
/** Who comes and goes does not have everything asked for each time. */
const BETWEEN_QUICK_TURNS_MS = 30 * 60_000;

/** Paces what is asked for now and then, by the time that has passed: a sleeping device's timers come late. */
export class Rotation {
  #lastAt: number | undefined;
  /** What is due is seldom a whole number. */
  #owed = 0;
  #quickUntil = -Infinity;

  /** A quick turn begins, unless there was one a short while ago. `now` is in milliseconds. */
  hurry(now: number): void {
    const begun = this.#quickUntil - QUICK_TURN_MS;
    // A clock that was put back takes no turn away.
    if (now >= begun && now < begun + BETWEEN_QUICK_TURNS_MS) return;
    this.#quickUntil = now + QUICK_TURN_MS;
  }

  /** How many of so many are to be asked for now. */
  due(count: number, now: number): number {
    const since = this.#lastAt ?? now;
    this.#lastAt = now;
    const passedMs = Math.min(Math.max(now - since, 0), TURN_MS);
    // Until a quick turn is over, or over only now.
    const turnMs = since < this.#quickUntil && since >= this.#quickUntil - QUICK_TURN_MS ? QUICK_TURN_MS : TURN_MS;
    this.#owed = Math.min(count, this.#owed + (count * passedMs) / turnMs);
    const due = Math.floor(this.#owed);
    this.#owed -= due;
    return due;
  }
}
