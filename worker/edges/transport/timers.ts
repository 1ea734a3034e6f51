/** Clock and timers of the platform, handed in so that tests can move the time. */
export interface Timers {
  /** Milliseconds since 1970. */
  now(): number;
  setTimeout(callback: () => void, delayMs: number): unknown;
  /** Takes what `setTimeout` gave; a timer that has run, or none, is no error. */
  clearTimeout(timer: unknown): void;
}

/** Those of a Web Worker. Wrapped: the originals refuse to be called as methods of another object. */
export const platformTimers: Timers = {
  now: () => Date.now(),
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimeout: (timer) => clearTimeout(timer as Parameters<typeof clearTimeout>[0]),
};

/** Whether a time has passed since a moment. A clock that was put back since says so at once: else it would hold things up until it is there again. */
export const hasPassed = (ms: number, since: number, now: number): boolean => now - since >= ms || now < since;
