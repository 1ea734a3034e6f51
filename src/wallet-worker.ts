import { wrap } from 'comlink';
import { replaceThrowHandler } from '../worker/client/endpoint-errors.ts';
import { GlowwormError } from '../worker/engine/primitives/errors.ts';

/** Counted in ticks and not by the clock: after a laptop's sleep the clock has jumped and the worker is well. */
const TICK_MS = 15_000;
/** Decoding a whole network graph may keep a slow phone's worker from answering for a while. */
const MAX_SILENT_TICKS = 6;

type Remote = Readonly<Record<string, (...args: readonly unknown[]) => Promise<unknown>>>;

/**
 * A worker and the calls that wait for it. When it fails, falls silent or is ended, every waiting and every later call
 * rejects: `WorkerDied` or `WalletClosed`. A worker that failed is terminated, since nobody knows what it would still do;
 * that is safe at any moment, as nothing leaves it before it is stored.
 */
export class WalletWorker {
  readonly #worker: Worker;
  readonly #remote: Remote;
  readonly #waiting = new Set<(error: GlowwormError) => void>();
  readonly #listeners = new Set<(error: GlowwormError) => void>();
  readonly #timer: ReturnType<typeof setInterval>;
  #silentTicks = 0;
  #ended: GlowwormError | undefined;

  constructor(worker: Worker) {
    replaceThrowHandler((thrown) => thrown);
    this.#worker = worker;
    this.#remote = wrap(worker) as unknown as Remote;
    worker.addEventListener('error', (event) => this.#die(event.message || 'its script could not be loaded'));
    worker.addEventListener('messageerror', () => this.#die('it sent something unreadable'));
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Calls a method of the worker. */
  call(method: string, args: readonly unknown[]): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      const settled = (): boolean => this.#waiting.delete(reject);
      this.#invoke(method, args)
        .then(resolve, (error: unknown) => reject(asGlowwormError(error)))
        .finally(settled);
    });
  }

  /** Calls back once when the worker has ended; returns the way to stop. */
  onEnd(listener: (error: GlowwormError) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Terminates the worker. */
  end(): void {
    this.#end(new GlowwormError('WalletClosed', 'This wallet was closed. Open it again.'));
  }

  async #invoke(method: string, args: readonly unknown[]): Promise<unknown> {
    return this.#remote[method]?.(...args);
  }

  #tick(): void {
    if (this.#silentTicks >= MAX_SILENT_TICKS) return this.#die('it does not answer');
    this.#silentTicks++;
    const answered = (): void => void (this.#silentTicks = 0);
    this.#invoke('ping', []).then(answered, answered);
  }

  #die(cause: string): void {
    const message = 'The wallet stopped working. What it has stored is safe: reload the page to start it again.';
    this.#end(new GlowwormError('WorkerDied', message, { cause }));
  }

  #end(error: GlowwormError): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    clearInterval(this.#timer);
    this.#worker.terminate();
    for (const reject of this.#waiting) reject(error);
    for (const listener of this.#listeners) listener(error);
    this.#waiting.clear();
    this.#listeners.clear();
  }
}

/** What did not come from the worker was thrown on the way: arguments that `postMessage` cannot copy. */
function asGlowwormError(error: unknown): GlowwormError {
  if (error instanceof GlowwormError) return error;
  return new GlowwormError('ArgumentInvalid', 'The arguments cannot be sent to the wallet: pass plain data.', {
    argument: 'arguments',
  });
}
