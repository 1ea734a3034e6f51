/** Lines kept; older ones are dropped. */
const MOST_LINES = 2000;

/** Recent history for a person who reports a problem. Nothing secret is ever put in: no keys, words, preimages. */
export class Log {
  readonly #lines: string[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  readonly write = (line: string): void => {
    this.#lines.push(`${new Date(this.#now()).toISOString()} ${line}`);
    if (this.#lines.length > MOST_LINES) this.#lines.shift();
  };

  text(): string {
    return this.#lines.join('\n');
  }
}
