/** Waiting times that double from `firstMs` up to `mostMs` and start again after a success. */
export class Backoff {
  readonly #firstMs: number;
  readonly #mostMs: number;
  #failures = 0;

  constructor(firstMs: number, mostMs: number) {
    this.#firstMs = firstMs;
    this.#mostMs = mostMs;
  }

  /** Notes a failure and tells how long to wait after it, in milliseconds. */
  failed(): number {
    const delayMs = Math.min(this.#firstMs * 2 ** this.#failures, this.#mostMs);
    this.#failures++;
    return delayMs;
  }

  succeeded(): void {
    this.#failures = 0;
  }
}
