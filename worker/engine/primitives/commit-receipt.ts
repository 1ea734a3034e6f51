import type { StoreWrites } from './store.ts';

/**
 * Proof that a write is durable. Whatever leaves the worker after a turn is to be released only against the receipt of that
 * turn's writes; so a function that sends takes a `CommitReceipt`, and code that has not seen the commit complete cannot
 * call it. The private field makes the type nominal: no object literal and no cast from a look-alike passes for it.
 */
export class CommitReceipt {
  readonly #writes: StoreWrites;

  private constructor(writes: StoreWrites) {
    this.#writes = writes;
  }

  /**
   * The only way to a receipt, for implementations of the store alone: it exists once `completed` has resolved, which must
   * be the completion of the transaction that holds `writes`, and not before. Rejects as `completed` does.
   */
  static async after(completed: Promise<unknown>, writes: StoreWrites): Promise<CommitReceipt> {
    await completed;
    return new CommitReceipt(writes);
  }

  /** Whether this is the receipt of these very writes (the same map), and not one of an earlier turn. */
  isFor(writes: StoreWrites): boolean {
    return this.#writes === writes;
  }
}
