import { expect, it } from 'vitest';
import type { StoreWrites } from '../../../worker/engine/primitives/store.ts';
import { toHex } from '../../../worker/engine/primitives/bytes.ts';
import type { Store } from '../../../worker/edges/storage/store.ts';

/** One database, as the suite needs it of every implementation. */
export interface StoreUnderTest {
  /** Opens the same database each time. */
  open(): Promise<Store>;
  /** Lets everything in flight end. */
  finish(store: Store): void;
  /** Makes the commit that is called inside fail for want of room. */
  withoutRoom(store: Store, commit: () => Promise<unknown>): Promise<unknown>;
}

/** What every store promises. */
export function testStoreCompliance(create: () => StoreUnderTest): void {
  const opened = async () => {
    const database = create();
    const store = await database.open();
    const commit = (target: Store, entries: Readonly<Record<string, Uint8Array | undefined>>) => {
      const writes: StoreWrites = new Map(Object.entries(entries));
      const receipt = target.commit(writes);
      database.finish(target);
      return receipt.then((proof) =>
        expect([proof.isFor(writes), proof.isFor(new Map(writes))]).toEqual([true, false]),
      );
    };
    return { database, store, commit };
  };

  it('starts empty', async () => {
    const { store } = await opened();
    expect(store.records.size).toBe(0);
    expect(await store.readBelow('')).toEqual(new Map());
  });

  it('gives back what was committed, sorted by key', async () => {
    const { database, store, commit } = await opened();
    await commit(store, { 'pay/b': bytes(2), 'chan/a': bytes(1), mon: bytes(3), mon0: bytes(4) });
    store.close();
    expect(shown((await database.open()).records)).toEqual(['chan/a=01', 'mon=03', 'mon0=04', 'pay/b=02']);
  });

  it('overwrites and deletes', async () => {
    const { database, store, commit } = await opened();
    await commit(store, { a: bytes(1), b: bytes(2) });
    await commit(store, { a: undefined, b: bytes(3), c: undefined });
    expect(shown((await database.open()).records)).toEqual(['b=03']);
  });

  it('keeps its first records as they were at the opening', async () => {
    const { store, commit } = await opened();
    await commit(store, { a: bytes(1) });
    expect(store.records.size).toBe(0);
    expect(shown(await store.readBelow('a'))).toEqual(['a=01']);
  });

  it('leaves revoked commitments on disk until they are asked for', async () => {
    const { database, store, commit } = await opened();
    await commit(store, {
      'mon/m1/old/000000000001': bytes(1),
      'mon/m1/old/000000000002': bytes(2),
      'mon/m1/snap': bytes(3),
      'mon/m1/upd/000000000009': bytes(4),
      'mon/m2/a': bytes(5),
      'mon/m2/old/000000000001': bytes(6),
      'mon/m3/snap': bytes(7),
      'pay/x/old/1': bytes(8),
    });
    const again = await database.open();
    expect([...again.records.keys()]).toEqual([
      'mon/m1/snap',
      'mon/m1/upd/000000000009',
      'mon/m2/a',
      'mon/m3/snap',
      'pay/x/old/1',
    ]);
    expect(shown(await again.readBelow('mon/m1/old/'))).toEqual([
      'mon/m1/old/000000000001=01',
      'mon/m1/old/000000000002=02',
    ]);
    expect(shown(await again.readBelow('mon/m2/'))).toEqual(['mon/m2/a=05', 'mon/m2/old/000000000001=06']);
  });

  it('takes the writes as they are when commit is called', async () => {
    const { database, store } = await opened();
    const writes: StoreWrites = new Map([['a', bytes(1)]]);
    const receipt = store.commit(writes);
    writes.set('b', bytes(2));
    database.finish(store);
    await receipt;
    expect(shown(await store.readBelow(''))).toEqual(['a=01']);
  });

  it('commits an empty turn', async () => {
    const { store, commit } = await opened();
    await commit(store, {});
    expect((await store.readBelow('')).size).toBe(0);
  });

  it('stores only the bytes of a view', async () => {
    const { database, store, commit } = await opened();
    await commit(store, { a: Uint8Array.of(1, 2, 3, 4).subarray(1, 3) });
    const value = (await database.open()).records.get('a');
    expect(value).toEqual(Uint8Array.of(2, 3));
    expect(value?.buffer.byteLength).toBe(2);
  });

  it('completes commits in their order', async () => {
    const { database, store } = await opened();
    const ended: number[] = [];
    const commits = [1, 2, 3].map((n) => store.commit(new Map([['n', bytes(n)]])).then(() => ended.push(n)));
    database.finish(store);
    await Promise.all(commits);
    expect(ended).toEqual([1, 2, 3]);
    expect(shown(await store.readBelow(''))).toEqual(['n=03']);
  });

  it('writes nothing of a commit that fails, and refuses every later one', async () => {
    const { database, store, commit } = await opened();
    await commit(store, { a: bytes(1) });
    const failing = database.withoutRoom(store, () =>
      store.commit(
        new Map([
          ['a', bytes(2)],
          ['b', bytes(2)],
        ]),
      ),
    );
    await expect(failing).rejects.toMatchObject({ code: 'StorageFull' });
    await expect(commit(store, { c: bytes(3) })).rejects.toMatchObject({ code: 'StorageFull' });
    expect(shown((await database.open()).records)).toEqual(['a=01']);
  });

  it('refuses what was queued behind a commit that fails', async () => {
    const { database, store } = await opened();
    const codes: unknown[] = [];
    await database.withoutRoom(store, () => {
      const both = [store.commit(new Map([['a', bytes(1)]])), store.commit(new Map([['b', bytes(2)]]))];
      return Promise.all(both.map((one) => one.catch((error: { code?: unknown }) => codes.push(error.code))));
    });
    expect(codes).toEqual(['StorageFull', 'StorageFull']);
    expect((await database.open()).records.size).toBe(0);
  });

  it('is fenced off by the next opening', async () => {
    const { database, store, commit } = await opened();
    const second = await database.open();
    await expect(commit(store, { a: bytes(1), b: bytes(1) })).rejects.toMatchObject({ code: 'StorageFenced' });
    await expect(commit(store, { c: bytes(1) })).rejects.toMatchObject({ code: 'StorageFenced' });
    await commit(second, { a: bytes(2) });
    expect(shown((await database.open()).records)).toEqual(['a=02']);
  });

  it('counts its openings, on from where it is told to', async () => {
    const { database, store, commit } = await opened();
    expect(store.epoch).toBe(1);
    const raised = store.raiseEpoch(9);
    database.finish(store);
    await raised;
    expect(store.epoch).toBe(9);
    await commit(store, { a: bytes(1) });
    const second = await database.open();
    expect(second.epoch).toBe(10);
    await expect(commit(store, { a: bytes(2) })).rejects.toMatchObject({ code: 'StorageFenced' });
    const late = expect(store.raiseEpoch(20)).rejects.toMatchObject({ code: 'StorageFenced' });
    database.finish(store);
    await late;
    expect((await database.open()).epoch).toBe(11);
  });

  it('refuses commits once it is closed', async () => {
    const { store, commit } = await opened();
    store.close();
    await expect(commit(store, { a: bytes(1) })).rejects.toMatchObject({ code: 'StorageClosed' });
    await expect(store.readBelow('')).rejects.toMatchObject({ code: 'StorageClosed' });
  });

  it.each(['meta/epoch', 'meta/schema'])('refuses to write %s, which is its own', async (key) => {
    const { database, store, commit } = await opened();
    await expect(commit(store, { [key]: bytes(1) })).rejects.toMatchObject({ code: 'InvariantBroken' });
    await commit(await database.open(), { a: bytes(1) });
  });
}

const bytes = (value: number): Uint8Array => Uint8Array.of(value);

const shown = (records: ReadonlyMap<string, Uint8Array>): readonly string[] =>
  [...records].map(([key, value]) => `${key}=${toHex(value)}`);
