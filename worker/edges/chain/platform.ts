/** What the chain source needs from the browser, handed in so that tests can stand in for it. */
export interface ChainPlatform {
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Calls back once after a time; the result cancels it. */
  readonly after: (delayMs: number, callback: () => void) => () => void;
}

/** The platform of a Web Worker. */
export const workerPlatform: ChainPlatform = {
  fetch: (url, init) => fetch(url, init),
  now: () => Date.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
