import type { WalletEvent, WalletSnapshot, WalletUpdate } from './api.ts';

/** A listener on the other side; its promise settles when it has run there. */
export type RemoteListener = (update: WalletUpdate) => Promise<void>;

/** Events beyond these stay in the wallet's outbox, which delivers them to the next subscription. */
const MAX_WAITING_EVENTS = 1000;

/**
 * Brings updates to one listener, one at a time: of the snapshots that come while it is busy only the newest remains, events
 * keep their order, and a listener that never answers holds a bounded number of them.
 */
export class UpdateFeed {
  readonly #listener: RemoteListener;
  readonly #onError: (thrown: unknown) => void;
  readonly #events = new Map<string, WalletEvent>();
  #snapshot: WalletSnapshot | undefined;
  #state: 'idle' | 'delivering' | 'stopped' = 'idle';

  constructor(listener: RemoteListener, onError: (thrown: unknown) => void) {
    this.#listener = listener;
    this.#onError = onError;
  }

  push(update: WalletUpdate): void {
    if (this.#state === 'stopped') return;
    if (update.kind === 'snapshot') this.#snapshot = update.snapshot;
    else if (this.#events.size < MAX_WAITING_EVENTS) this.#events.set(update.event.id, update.event);
    if (this.#state === 'idle') void this.#deliver();
  }

  stop(): void {
    this.#state = 'stopped';
    this.#events.clear();
    this.#snapshot = undefined;
  }

  async #deliver(): Promise<void> {
    this.#state = 'delivering';
    for (let update = this.#next(); update !== undefined; update = this.#next()) {
      try {
        await this.#listener(update);
      } catch (thrown) {
        // The event is not acknowledged by this, so the outbox brings it again.
        this.#onError(thrown);
      }
    }
    if (this.#isDelivering()) this.#state = 'idle';
  }

  /** Snapshots first: an event is then never ahead of the balance it changed. */
  #next(): WalletUpdate | undefined {
    const snapshot = this.#snapshot;
    if (snapshot !== undefined) {
      this.#snapshot = undefined;
      return { kind: 'snapshot', snapshot };
    }
    for (const [id, event] of this.#events) {
      this.#events.delete(id);
      return { kind: 'event', event };
    }
    return undefined;
  }

  /** Read through a method, since `stop` may have been called during the wait. */
  #isDelivering(): boolean {
    return this.#state === 'delivering';
  }
}
