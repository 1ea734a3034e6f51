import type { IDBPObjectStore } from 'idb';
import type { DatabaseSchema } from './database.ts';
import { StorageProblem } from './storage-error.ts';
import { EPOCH_KEY, SCHEMA_KEY, SCHEMA_VERSION } from './store.ts';

type WritableStore = IDBPObjectStore<DatabaseSchema, ['records'], 'records', 'readwrite'>;

/**
 * Takes the database over, inside one transaction: whoever opened it before finds another epoch in each of its later
 * transactions. Gives the new epoch. Rejects with `DatabaseTooNew` for a schema that we do not know.
 */
export async function takeOver(store: WritableStore): Promise<Uint8Array> {
  const schema = numberOf(await store.get(SCHEMA_KEY));
  if (schema > BigInt(SCHEMA_VERSION)) throw new StorageProblem('DatabaseTooNew');
  const epoch = bytesOf(numberOf(await store.get(EPOCH_KEY)) + 1n);
  await Promise.all([store.put(epoch, EPOCH_KEY), store.put(bytesOf(BigInt(SCHEMA_VERSION)), SCHEMA_KEY)]);
  return epoch;
}

/** Eight bytes, big endian. */
export function bytesOf(value: bigint): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes;
}

/** Zero for a record that is not there. Throws `StorageFailed` for one that `bytesOf` did not make. */
export function numberOf(record: unknown): bigint {
  if (record === undefined) return 0n;
  if (!(record instanceof Uint8Array) || record.length !== 8)
    throw new StorageProblem('StorageFailed', "a damaged record of the store's own");
  return new DataView(record.buffer, record.byteOffset, record.byteLength).getBigUint64(0);
}
