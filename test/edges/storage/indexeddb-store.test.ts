import 'fake-indexeddb/auto';
import { openDB } from 'idb';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openDatabase } from '../../../worker/edges/storage/database.ts';
import { openStore } from '../../../worker/edges/storage/indexeddb-store.ts';
import { bytesOf } from '../../../worker/edges/storage/ownership.ts';
import { testStoreCompliance } from './store-compliance.ts';

let count = 0;
const freshName = (): string => `wallet ${count++}`;
const rawWrite = async (name: string, key: string, value: unknown): Promise<void> => {
  const database = await openDB(name, 1);
  await database.put('records', value, key);
  database.close();
};
/** The next transaction that puts something fails as on a full disk: after its requests, and as a whole. */
const fullDisk = () => {
  const original = IDBObjectStore.prototype.put;
  return vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementationOnce(function (this: IDBObjectStore, ...args) {
    const { transaction } = this;
    const error = new DOMException('full', 'QuotaExceededError');
    queueMicrotask(() => {
      transaction.abort();
      Object.defineProperty(transaction, 'error', { value: error });
    });
    return original.apply(this, args);
  });
};

afterEach(() => vi.restoreAllMocks());

describe('IndexedDB store', () => {
  testStoreCompliance(() => {
    const name = freshName();
    return {
      open: () => openStore({ name }),
      finish: () => undefined,
      withoutRoom: async (_store, commit) => {
        const disk = fullDisk();
        try {
          return await commit();
        } finally {
          disk.mockRestore();
        }
      },
    };
  });

  it('asks for strict durability in every transaction that writes', async () => {
    const name = freshName();
    (await openStore({ name })).close();
    const transaction = vi.spyOn(IDBDatabase.prototype, 'transaction');
    const store = await openStore({ name });
    await store.commit(new Map([['a', Uint8Array.of(1)]]));
    expect(transaction.mock.calls).toEqual([
      ['records', 'readwrite', { durability: 'strict' }],
      ['records', 'readwrite', { durability: 'strict' }],
    ]);
  });

  it('answers only when the transaction has completed', async () => {
    const store = await openStore({ name: freshName() });
    const order: string[] = [];
    const original = IDBDatabase.prototype.transaction;
    vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementation(function (this: IDBDatabase, ...args) {
      const transaction = original.apply(this, args);
      transaction.addEventListener('complete', () => order.push('complete'));
      return transaction;
    });
    await store.commit(new Map([['a', Uint8Array.of(1)]]));
    order.push('answered');
    expect(order).toEqual(['complete', 'answered']);
  });

  it('names any other failure StorageFailed', async () => {
    const store = await openStore({ name: freshName() });
    vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
      throw new DOMException('broken', 'UnknownError');
    });
    await expect(store.commit(new Map([['a', Uint8Array.of(1)]]))).rejects.toMatchObject({
      code: 'StorageFailed',
      details: { cause: 'UnknownError: broken' },
    });
  });

  it('is fenced off when the epoch is gone', async () => {
    const name = freshName();
    const store = await openStore({ name });
    const database = await openDB(name, 1);
    await database.delete('records', 'meta/epoch');
    await expect(store.commit(new Map([['a', Uint8Array.of(1)]]))).rejects.toMatchObject({ code: 'StorageFenced' });
    expect(await database.get('records', 'a')).toBeUndefined();
    database.close();
  });

  it('closes when another tab deletes the database', async () => {
    const name = freshName();
    const store = await openStore({ name });
    await new Promise((resolve, reject) => {
      const deletion = indexedDB.deleteDatabase(name);
      deletion.onsuccess = resolve;
      deletion.onerror = reject;
    });
    await expect(store.commit(new Map([['a', Uint8Array.of(1)]]))).rejects.toMatchObject({ code: 'StorageClosed' });
  });

  it('refuses a newer version of the database', async () => {
    const name = freshName();
    (await openDB(name, 2)).close();
    await expect(openStore({ name })).rejects.toMatchObject({ code: 'DatabaseTooNew' });
  });

  it('refuses a newer schema, and leaves the database to its owner', async () => {
    const name = freshName();
    const owner = await openStore({ name });
    await rawWrite(name, 'meta/schema', bytesOf(2n));
    await expect(openStore({ name })).rejects.toMatchObject({ code: 'DatabaseTooNew' });
    await owner.commit(new Map([['a', Uint8Array.of(1)]]));
  });

  it.each([
    ['meta/epoch', Uint8Array.of(1)],
    ['chan/a', 'text'],
  ])('refuses a damaged %s', async (key, value) => {
    const name = freshName();
    (await openStore({ name })).close();
    await rawWrite(name, key, value);
    await expect(openStore({ name })).rejects.toMatchObject({ code: 'StorageFailed' });
  });

  it('says when another tab blocks an upgrade', async () => {
    const name = freshName();
    const other = await openDB(name, 1);
    const opening = openDatabase({ name, version: 2, closed: () => undefined });
    await expect(opening).rejects.toMatchObject({ code: 'StorageBlocked' });
    other.close();
  });
});
