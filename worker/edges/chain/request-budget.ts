import { rateLimited } from './chain-source-error.ts';
import type { ChainPlatform } from './platform.ts';

/** What public servers let a visitor have without counting him among the greedy. */
export const REQUESTS_PER_10_S = 60;

const WINDOW_MS = 10_000;
/** So long a server is left alone that names no time when it wants fewer requests; and at most, whatever it names. */
const PAUSE_MS = 10_000;
const MOST_PAUSE_MS = 10 * 60_000;

/**
 * A platform whose requests to one server keep to a number in any ten seconds: what is asked for beyond waits, one after the other.
 * After a "too many requests" nothing is asked for until the server's time has passed (`Retry-After`): that throws
 * `ChainSourceRateLimited` at once. What is broadcast does not wait for either.
 */
export function budgeted(platform: ChainPlatform, per10s: number): ChainPlatform {
  /** When the last of them were sent. */
  const sent: number[] = [];
  let turn: Promise<void> = Promise.resolve();
  let pausedUntil = 0;

  const wait = (ms: number): Promise<void> => new Promise((resolve) => platform.after(ms, resolve));
  const taken = async (): Promise<void> => {
    // A clock that was put back says nothing of what was sent before.
    if ((sent.at(-1) ?? 0) > platform.now()) sent.length = 0;
    const first = sent.length < per10s ? undefined : sent.shift();
    const waitMs = first === undefined ? 0 : first + WINDOW_MS - platform.now();
    if (waitMs > 0) await wait(waitMs);
    sent.push(platform.now());
  };
  const isPaused = (): boolean => {
    const leftMs = pausedUntil - platform.now();
    return leftMs > 0 && leftMs <= MOST_PAUSE_MS;
  };
  const mayAsk = (): Promise<void> => (turn = turn.then(taken));

  return {
    ...platform,
    fetch: async (url, init) => {
      const isAsked = init?.method !== 'POST';
      if (isAsked && isPaused()) throw rateLimited(new URL(url).origin);
      if (isAsked) await mayAsk();
      const response = await platform.fetch(url, init);
      if (response.status === 429) pausedUntil = platform.now() + pauseOf(response, platform.now());
      return response;
    },
  };
}

/** Seconds, or a date; most servers do not let a page of another origin read it. */
function pauseOf({ headers }: Response, now: number): number {
  const given = headers.get('retry-after') ?? '';
  const seconds = /^\d{1,6}$/.test(given) ? Number(given) * 1000 : Date.parse(given) - now;
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, MOST_PAUSE_MS) : PAUSE_MS;
}
