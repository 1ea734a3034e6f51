const DEFAULT_TIMEOUT_MS = 15_000;

/** Tells those who wait for a condition that it may hold by now. */
export class Changes {
  readonly #waiting = new Set<() => void>();

  notify(): void {
    for (const check of this.#waiting) check();
  }

  /** Resolves with the first value of `condition` that is neither undefined nor false; rejects after `timeoutMs`. */
  until<T>(what: string, condition: () => T | undefined | false, timeoutMs = DEFAULT_TIMEOUT_MS): Promise<T> {
    return new Promise((resolve, reject) => {
      const finish = (end: () => void): void => {
        clearTimeout(timer);
        this.#waiting.delete(check);
        end();
      };
      const check = (): void => {
        try {
          const value = condition();
          if (value !== undefined && value !== false) finish(() => resolve(value));
        } catch (error) {
          finish(() => reject(error));
        }
      };
      const timer = setTimeout(() => finish(() => reject(new Error(`timed out: ${what}`))), timeoutMs);
      this.#waiting.add(check);
      check();
    });
  }
}
