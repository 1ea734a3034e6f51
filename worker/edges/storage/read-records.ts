import type { IDBPObjectStore } from 'idb';
import type { DatabaseSchema } from './database.ts';
import { StorageProblem } from './storage-error.ts';
import { afterPrefix, isStoreOwned } from './store.ts';

type RecordStore = IDBPObjectStore<DatabaseSchema, ['records'], 'records', IDBTransactionMode>;

/**
 * Every record but the store's own and those that stay on disk (`mon/<id>/old/…`), sorted by key. It jumps over the latter
 * instead of filtering them: there is one for each commitment that a channel ever revoked.
 */
export async function readAtOpening(store: RecordStore): Promise<Map<string, Uint8Array>> {
  const records = new Map<string, Uint8Array>();
  await readRange(store, IDBKeyRange.upperBound('mon/', true), records);
  let monitor = await firstMonitorFrom(store, 'mon/');
  while (monitor !== undefined) {
    const old = `${monitor}old/`;
    await readRange(store, IDBKeyRange.bound(monitor, old, false, true), records);
    await readRange(store, IDBKeyRange.bound(afterPrefix(old), afterPrefix(monitor), false, true), records);
    monitor = await firstMonitorFrom(store, afterPrefix(monitor));
  }
  await readRange(store, IDBKeyRange.lowerBound(afterPrefix('mon/')), records);
  return records;
}

/** Every record below a prefix, but for the store's own. */
export async function readBelow(store: RecordStore, prefix: string): Promise<Map<string, Uint8Array>> {
  const range =
    prefix === '' ? IDBKeyRange.lowerBound('') : IDBKeyRange.bound(prefix, afterPrefix(prefix), false, true);
  const records = new Map<string, Uint8Array>();
  await readRange(store, range, records);
  return records;
}

/** The prefix `mon/<id>/` of the first monitor at or after a key. */
async function firstMonitorFrom(store: RecordStore, from: string): Promise<string | undefined> {
  const end = afterPrefix('mon/');
  if (from >= end) return undefined;
  const key = (await store.openKeyCursor(IDBKeyRange.bound(from, end, false, true)))?.key;
  if (key === undefined) return undefined;
  const slash = key.indexOf('/', 'mon/'.length);
  if (slash < 0) throw new StorageProblem('StorageFailed', 'a record of no monitor among those of monitors');
  return key.slice(0, slash + 1);
}

async function readRange(store: RecordStore, range: IDBKeyRange, into: Map<string, Uint8Array>): Promise<void> {
  const [keys, values] = await Promise.all([store.getAllKeys(range), store.getAll(range)]);
  keys.forEach((key, index) => {
    const value: unknown = values[index];
    if (!(value instanceof Uint8Array)) throw new StorageProblem('StorageFailed', 'a record that is not bytes');
    if (!isStoreOwned(key)) into.set(key, value);
  });
}
