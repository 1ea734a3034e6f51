/** What the server does instead of, or before, answering. */
export type EsploraFaultAction =
  | { readonly kind: 'answer'; readonly status: number; readonly body?: string; readonly type?: string }
  | { readonly kind: 'drop' }
  | { readonly kind: 'hang' }
  | { readonly kind: 'delay'; readonly ms: number };

export type EsploraFault = EsploraFaultAction & {
  /** How many requests it meets; 1 when absent. */
  readonly times?: number;
  /** A regular expression that the request's path has to match, without the `/api` prefix; all paths when absent. */
  readonly path?: string;
};

/** Faults that wait for their requests, first in first out among those that match. */
export class EsploraFaults {
  #waiting: { readonly fault: EsploraFault; readonly path: RegExp; left: number }[] = [];

  add(fault: EsploraFault): void {
    this.#waiting.push({ fault, path: new RegExp(fault.path ?? ''), left: fault.times ?? 1 });
  }

  clear(): void {
    this.#waiting = [];
  }

  get waiting(): number {
    return this.#waiting.reduce((sum, entry) => sum + entry.left, 0);
  }

  take(path: string): EsploraFaultAction | undefined {
    const entry = this.#waiting.find((candidate) => candidate.path.test(path));
    if (entry === undefined) return undefined;
    entry.left--;
    if (entry.left <= 0) this.#waiting = this.#waiting.filter((other) => other !== entry);
    return entry.fault;
  }
}
