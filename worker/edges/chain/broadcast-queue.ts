/** How many names are remembered: of what is forgotten, it is only not known any more that it was sent before. */
const MOST_KNOWN = 10_000;

interface Waiting<T> {
  readonly isNew: boolean;
  readonly start: () => void;
  readonly answer: Promise<T>;
}

/**
 * What one server is to be sent, one after the other: a child must not come before its parent. It is sent again with every block,
 * and a slow server takes longer than a block: so nothing waits twice, and what was never sent comes before what was.
 */
export class BroadcastQueue<T> {
  readonly #waiting = new Map<string, Waiting<T>>();
  readonly #known = new Set<string>();
  #isBusy = false;

  /** The answer to what `send` sends when its turn comes; where something of that name waits already, the answer to that. */
  add(name: string, send: () => Promise<T>): Promise<T> {
    const waiting = this.#waiting.get(name);
    if (waiting !== undefined) return waiting.answer;
    let start = (): void => undefined;
    const answer = new Promise<void>((resolve) => (start = resolve)).then(send);
    this.#waiting.set(name, { isNew: this.#isNew(name), start, answer });
    if (!this.#isBusy) this.#next();
    return answer;
  }

  /** Whatever became of what came before: an error of ours in it stops nothing. */
  #next(): void {
    const all = [...this.#waiting];
    const next = all.find(([, { isNew }]) => isNew) ?? all[0];
    this.#isBusy = next !== undefined;
    if (next === undefined) return;
    const [name, { start, answer }] = next;
    this.#waiting.delete(name);
    start();
    void answer.catch(() => undefined).then(() => this.#next());
  }

  #isNew(name: string): boolean {
    const isNew = !this.#known.delete(name);
    this.#known.add(name);
    const [oldest = name] = this.#known;
    if (this.#known.size > MOST_KNOWN) this.#known.delete(oldest);
    return isNew;
  }
}
