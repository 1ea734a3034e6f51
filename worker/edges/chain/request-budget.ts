import { TokenBucket } from '../../engine/primitives/token-bucket.ts';
import { rateLimited } from './chain-source-error.ts';
import type { ChainPlatform } from './platform.ts';

/** What public servers let a visitor have without counting him among the greedy. */
export const REQUESTS_PER_10_S = 60;

/** As long a server is left alone that names no time when it wants fewer requests; and at most, whatever it names. */
const PAUSE_MS = 10_000;
const MOST_PAUSE_MS = 10 * 60_000;

/**
 * A platform whose requests to one server keep to a number in ten seconds: what is asked for beyond waits, one after the other. What is
 * broadcast does not. After a "too many requests" nothing is asked for until the server's time has passed (`Retry-After`): that
 * throws `ChainSourceRateLimited` at once.
 */
export function budgeted(platform: ChainPlatform, per10s: number): ChainPlatform {
  const bucket = new TokenBucket({ burst: per10s, refillMs: 10_000 / per10s });
  let turn: Promise<void> = Promise.resolve();
  let pausedUntil = 0;

  const wait = (ms: number): Promise<void> => new Promise((resolve) => platform.after(ms, resolve));
  const taken = async (): Promise<void> => {
    while (!bucket.take(platform.now())) await wait(10_000 / per10s);
  };
  const mayAsk = (): Promise<void> => (turn = turn.then(taken));

  return {
    ...platform,
    fetch: async (url, init) => {
      if (platform.now() < pausedUntil) throw rateLimited(new URL(url).origin);
      if (init?.method !== 'POST') await mayAsk();
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
