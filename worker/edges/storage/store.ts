import type { CommitReceipt } from '../../engine/primitives/commit-receipt.ts';
import { assert } from '../../engine/primitives/errors.ts';
import type { StoredRecords, StoreWrites } from '../../engine/primitives/store.ts';

/** Where the wallet's records live. One engine at a time: opening a store fences off whoever had it open before. */
export interface Store {
  /** How often the database has been opened, this time included, or more: see `raiseEpoch`. */
  readonly epoch: number;
  /**
   * What was durable at the opening, sorted by key, without the store's own records and without those of revoked
   * commitments (`mon/<id>/old/…`): they grow with every payment and are needed only when a counterparty cheats.
   */
  readonly records: StoredRecords;
  /**
   * Writes everything in one transaction, or nothing. Resolves when that is durable; rejects with a `StorageProblem`, after
   * which every later commit is refused with the same code. Commits complete in the order of the calls.
   */
  commit(writes: StoreWrites): Promise<CommitReceipt>;
  /** The next opening's epoch is above this one. Resolves, rejects and comes in order as `commit`. */
  raiseEpoch(epoch: number): Promise<void>;
  /** What is durable now below a prefix, by full key, sorted. Rejects with a `StorageProblem`. */
  readBelow(prefix: string): Promise<Map<string, Uint8Array>>;
  /** Commits that have not begun are refused with `StorageClosed`; one that has begun still completes. */
  close(): void;
}

/** Which records say what the database is and who has it. The store alone writes them. */
export const EPOCH_KEY = 'meta/epoch';
export const SCHEMA_KEY = 'meta/schema';

/** The version of the layout of keys and records. */
export const SCHEMA_VERSION: number = 1;

/** Whether a record stays on disk until it is asked for. */
export const staysOnDisk = (key: string): boolean => /^mon\/[^/]*\/old\//.test(key);

export const isStoreOwned = (key: string): boolean => key === EPOCH_KEY || key === SCHEMA_KEY;

/** Throws `InvariantBroken` for writes that would touch the store's own records. */
export function checkWrites(writes: StoreWrites): void {
  for (const key of writes.keys()) assert(!isStoreOwned(key), `${key} is written by the store alone`);
}

/** The first key after all those that start with `prefix`, which is not empty. */
export const afterPrefix = (prefix: string): string =>
  prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
