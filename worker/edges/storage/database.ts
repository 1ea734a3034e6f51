import type { DBSchema, IDBPDatabase } from 'idb';
import { openDB } from 'idb';
import { StorageProblem, toStorageProblem } from './storage-error.ts';

/** One object store of bytes under string keys: the records bring their own versions (TLV), so IndexedDB needs no more. */
export interface DatabaseSchema extends DBSchema {
  readonly records: { readonly key: string; readonly value: Uint8Array };
}

export type Database = IDBPDatabase<DatabaseSchema>;

/** IndexedDB's own version: that of the object stores. */
export const DATABASE_VERSION: number = 1;

export interface DatabaseOptions {
  readonly name: string;
  readonly version: number;
  /** The connection is gone: the browser closed it, or another tab upgrades or deletes the database. */
  readonly closed: () => void;
}

/** Opens or creates. Rejects with `DatabaseTooNew`, `StorageBlocked` or `StorageFailed`. */
export function openDatabase({ name, version, closed }: DatabaseOptions): Promise<Database> {
  return new Promise((resolve, reject) => {
    let refused = false;
    const opening = openDB<DatabaseSchema>(name, version, {
      upgrade: (database) => {
        if (!database.objectStoreNames.contains('records')) database.createObjectStore('records');
      },
      blocked: () => {
        refused = true;
        reject(new StorageProblem('StorageBlocked'));
      },
      blocking: (_current, _wanted, event) => {
        // Until this connection closes, the other tab's upgrade waits.
        (event.target as IDBDatabase).close();
        closed();
      },
      terminated: closed,
    });
    opening.then(
      // A request that was blocked still opens once the other tab is gone, when nobody waits for it any more.
      (database) => (refused ? database.close() : resolve(database)),
      (error: unknown) => reject(toStorageProblem(error)),
    );
  });
}
