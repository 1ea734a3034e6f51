import { describe, expect, it } from 'vitest';
import { testStoreCompliance } from '../edges/storage/store-compliance.ts';
import { MemoryDisk, MemoryStore } from './memory-store.ts';

describe('memory store', () => {
  testStoreCompliance(() => {
    const disk = new MemoryDisk();
    const stores = new WeakMap<object, MemoryStore>();
    return {
      open: () => {
        const store = disk.open();
        stores.set(store, store);
        return Promise.resolve(store);
      },
      finish: (store) => stores.get(store)?.completeAll(),
      withoutRoom: (store, commit) => {
        const ended = commit();
        stores.get(store)?.fail('StorageFull');
        return ended;
      },
    };
  });

  const inFlight = () => {
    const disk = new MemoryDisk();
    const store = disk.open();
    const answers: string[] = [];
    const commit = (key: string) =>
      void store.commit(new Map([[key, Uint8Array.of(1)]])).then(
        () => answers.push(key),
        (error: { code?: unknown }) => answers.push(String(error.code)),
      );
    commit('a');
    commit('b');
    return { disk, store, answers };
  };
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  it('keeps a commit in flight until it is told', async () => {
    const { disk, store, answers } = inFlight();
    await turn();
    expect([store.inFlight, disk.durable.size, answers]).toEqual([2, 0, []]);
    store.complete();
    await turn();
    expect([store.inFlight, [...disk.durable.keys()], answers]).toEqual([1, ['a'], ['a']]);
  });

  it('loses what is in flight in a crash', async () => {
    const { disk, store, answers } = inFlight();
    store.crash();
    await turn();
    expect([disk.durable.size, answers]).toEqual([0, []]);
    expect(disk.open().records.size).toBe(0);
  });

  it('can be durable without anybody having learned of it', async () => {
    const { disk, store, answers } = inFlight();
    store.crashAfterWrite();
    await turn();
    expect([[...disk.open().records.keys()], answers]).toEqual([['a'], []]);
  });
});
