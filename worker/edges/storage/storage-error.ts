import { GlowwormError } from '../../engine/primitives/errors.ts';

const sentences = {
  StorageFull: 'There is no room left to save the wallet. Free space on this device and open the wallet again.',
  StorageFailed: 'The wallet could not be saved or read. Open it again; if this comes back, restart the browser.',
  StorageFenced: 'The wallet was opened somewhere else, in another tab or window. Go on there, or reload this one.',
  StorageClosed: 'The database of the wallet was closed. Reload to open it again.',
  StorageBlocked:
    'Another tab holds the database in an older version. Close the other tabs of this wallet, then reload.',
  StorageLost: 'This device had a wallet, but its database is gone. Restore the wallet from its backup.',
  DatabaseTooNew: 'The database was written by a newer version of this wallet. Update the wallet, then open it again.',
} as const;

/** The codes of a store's errors. */
export type StorageCode = keyof typeof sentences;

/** What went wrong with the store; `details.cause` names the platform's error where there was one. */
export class StorageProblem extends GlowwormError {
  declare readonly code: StorageCode;

  constructor(code: StorageCode, cause?: unknown) {
    super(code, sentences[code], cause === undefined ? {} : { cause: describe(cause) });
    this.name = 'StorageProblem';
  }
}

/** The typed form of whatever IndexedDB threw. */
export function toStorageProblem(thrown: unknown): StorageProblem {
  if (thrown instanceof StorageProblem) return thrown;
  const name = thrown instanceof Error ? thrown.name : '';
  if (name === 'QuotaExceededError') return new StorageProblem('StorageFull', thrown);
  if (name === 'VersionError') return new StorageProblem('DatabaseTooNew', thrown);
  // `transaction()` on a connection that is closing.
  if (name === 'InvalidStateError') return new StorageProblem('StorageClosed', thrown);
  return new StorageProblem('StorageFailed', thrown);
}

const describe = (cause: unknown): string =>
  cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
