import type { ChainPlatform } from '../../../worker/edges/chain/platform.ts';

export type Answer = { readonly status?: number; readonly body: string; readonly type?: string } | 'drop' | 'hang';

/** A platform whose server answers by a function and whose clock moves only when it is told to. */
export class FakePlatform implements ChainPlatform {
  readonly requests: string[] = [];
  readonly answer: (path: string, init: RequestInit | undefined) => Answer;
  #nowMs = 0;
  #timers: { readonly atMs: number; readonly callback: () => void }[] = [];

  constructor(answer: (path: string, init: RequestInit | undefined) => Answer) {
    this.answer = answer;
  }

  readonly now = (): number => this.#nowMs;

  readonly after = (delayMs: number, callback: () => void): (() => void) => {
    const timer = { atMs: this.#nowMs + delayMs, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  readonly fetch = (url: string, init?: RequestInit): Promise<Response> => {
    this.requests.push(url);
    const answer = this.answer(new URL(url).pathname, init);
    if (answer === 'drop') return Promise.reject(new TypeError('fetch failed'));
    if (answer === 'hang')
      return new Promise((_, reject) => {
        init?.signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
      });
    const { status = 200, body, type = 'text/plain' } = answer;
    return Promise.resolve(new Response(body, { status, headers: { 'content-type': type } }));
  };

  /** How long the next timer waits; undefined without one. */
  get nextDelayMs(): number | undefined {
    return this.#timers.length === 0 ? undefined : Math.min(...this.#timers.map(({ atMs }) => atMs)) - this.#nowMs;
  }

  /** Moves the clock and runs what is due. */
  advance(ms: number): void {
    this.#nowMs += ms;
    const due = this.#timers.filter(({ atMs }) => atMs <= this.#nowMs);
    this.#timers = this.#timers.filter((timer) => !due.includes(timer));
    for (const { callback } of due) callback();
  }
}
