import type { PaymentsResult } from './payments.ts';

/** Parts of a cold start inside the worker. */
export interface ColdResult {
  /** From the database to an engine that knows its channel and could connect. */
  readonly engineMs: number;
}

/** What a bench worker can be asked to do. */
export interface Jobs {
  payments(request: { readonly count: number; readonly inFlight: number }): Promise<PaymentsResult>;
  /** Start-up on the database that the payments before it left. */
  cold(): Promise<ColdResult>;
  /** Bytes of wasm memory; asking keeps the engines alive while memory is measured. */
  wasmBytes(): Promise<number>;
}

export type JobRequest =
  | { readonly job: 'payments'; readonly count: number; readonly inFlight: number }
  | { readonly job: 'cold' }
  | { readonly job: 'wasmBytes' };

export type JobAnswer = { readonly ok: unknown } | { readonly error: string };

/** Answers each request that is posted to this worker. */
export function serveJobs(jobs: Jobs): void {
  const answer = (message: JobAnswer): void => globalThis.postMessage(message);
  globalThis.addEventListener('message', ({ data }: MessageEvent<JobRequest>) => {
    const run = data.job === 'payments' ? jobs.payments(data) : jobs[data.job]();
    run.then(
      (ok) => answer({ ok }),
      (error: unknown) => answer({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
}

/** Deletes a database that an earlier job left. */
export function wipe(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error ?? new Error('the database cannot be deleted'));
  });
}
