import { openDB, type DBSchema, type IDBPDatabase } from 'idb';
import type { StoredNode } from '../world/ldk-objects.ts';
import type { WriteCounts } from './payments.ts';

/** A write of one monitor: all of it, or what has changed. */
export interface MonitorWrite {
  readonly kind: 'whole' | 'update';
  readonly key: string;
  readonly id: bigint;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

interface Schema extends DBSchema {
  monitors: { key: string; value: Uint8Array<ArrayBuffer> };
  /** By monitor and number of the update. */
  updates: { key: [string, string]; value: Uint8Array<ArrayBuffer> };
  manager: { key: string; value: Uint8Array<ArrayBuffer> };
}

/** The database of one LDK node. Counts what goes through it: transactions, and bytes of monitors and manager. */
export class LdkStore {
  readonly #database: IDBPDatabase<Schema>;
  #transactions = 0;
  #bytes = 0;

  private constructor(database: IDBPDatabase<Schema>) {
    this.#database = database;
  }

  static async open(name: string): Promise<LdkStore> {
    const upgrade = (database: IDBPDatabase<Schema>): void => {
      for (const store of ['monitors', 'updates', 'manager'] as const) database.createObjectStore(store);
    };
    return new LdkStore(await openDB<Schema>(name, 1, { upgrade }));
  }

  get counts(): WriteCounts {
    return { transactions: this.#transactions, bytes: this.#bytes };
  }

  /** Everything in one strict transaction. A whole monitor takes the place of the updates before it. */
  async commit(writes: readonly MonitorWrite[], manager: Uint8Array<ArrayBuffer> | undefined): Promise<void> {
    this.#transactions++;
    const strict = { durability: 'strict' } as const;
    const transaction = this.#database.transaction(['monitors', 'updates', 'manager'], 'readwrite', strict);
    const [monitors, updates] = [transaction.objectStore('monitors'), transaction.objectStore('updates')];
    const requests: Promise<unknown>[] = [];
    for (const { kind, key, id, bytes } of writes) {
      this.#bytes += bytes.length;
      if (kind === 'update') requests.push(updates.put(bytes, [key, padded(id)]));
      else requests.push(monitors.put(bytes, key), updates.delete(IDBKeyRange.bound([key], [key, []])));
    }
    this.#bytes += manager?.length ?? 0;
    if (manager !== undefined) requests.push(transaction.objectStore('manager').put(manager, 'manager'));
    transaction.commit();
    await Promise.all([...requests, transaction.done]);
  }

  async load(): Promise<StoredNode> {
    const transaction = this.#database.transaction(['monitors', 'updates', 'manager']);
    const [monitors, updates] = [transaction.objectStore('monitors'), transaction.objectStore('updates')];
    const [keys, wholes, manager] = await Promise.all([
      monitors.getAllKeys(),
      monitors.getAll(),
      transaction.objectStore('manager').get('manager'),
    ]);
    if (manager === undefined) throw new Error('the manager is not in the database');
    const below = await Promise.all(keys.map((key) => updates.getAll(IDBKeyRange.bound([key], [key, []]))));
    return { manager, monitors: wholes.map((whole, index) => ({ whole, updates: below[index] ?? [] })) };
  }

  close(): void {
    this.#database.close();
  }
}

const padded = (id: bigint): string => id.toString().padStart(12, '0');
