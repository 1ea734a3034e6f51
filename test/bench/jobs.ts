/** One measurement of payments over one channel. Times in milliseconds. */
export interface PaymentsResult {
  readonly count: number;
  readonly inFlight: number;
  readonly perSecond: number;
  /** Of a batch, with more than one in flight. */
  readonly p50: number;
  readonly p99: number;
  /** What the sender and the receiver wrote for single payments. */
  readonly marks: readonly {
    readonly payment: number;
    readonly sides: readonly { readonly transactions: number; readonly bytes: number }[];
  }[];
}

/** What a bench worker can be asked to do. */
export interface Jobs {
  payments(request: { readonly count: number; readonly inFlight: number }): Promise<PaymentsResult>;
  /** Start-up on the database that the payments before it left. */
  cold(): Promise<{ readonly ms: number }>;
  /** Keeps the engines alive while memory is measured. */
  kept(): Promise<number>;
}

export type JobRequest =
  | { readonly job: 'payments'; readonly count: number; readonly inFlight: number }
  | { readonly job: 'cold' }
  | { readonly job: 'kept' };

/** Answers `{ ok }` or `{ error }` for each request that is posted to this worker. */
export function serveJobs(jobs: Jobs): void {
  globalThis.addEventListener('message', ({ data }: MessageEvent<JobRequest>) => {
    const run = data.job === 'payments' ? jobs.payments(data) : jobs[data.job]();
    run.then(
      (ok) => globalThis.postMessage({ ok }),
      (error: unknown) => globalThis.postMessage({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}
