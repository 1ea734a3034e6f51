/** How much of something is allowed: `burst` at once, and one more each `refillMs`. */
export interface Allowance {
  readonly burst: number;
  readonly refillMs: number;
}

/** What is left of an allowance. Time is an argument, in milliseconds since 1970. */
export class TokenBucket {
  readonly #allowance: Allowance;
  #tokens: number;
  #at: number | undefined;

  constructor(allowance: Allowance) {
    this.#allowance = allowance;
    this.#tokens = allowance.burst;
  }

  /** Takes one, if there is one. A clock that goes back brings nothing and costs nothing. */
  take(now: number): boolean {
    const passedMs = Math.max(0, now - (this.#at ?? now));
    this.#at = now;
    this.#tokens = Math.min(this.#allowance.burst, this.#tokens + passedMs / this.#allowance.refillMs);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
