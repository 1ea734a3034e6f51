import { describe, expect, it } from 'vitest';
import {
  checkMarker,
  nextEpoch,
  readMarker,
  requestPersistence,
  writeMarker,
} from '../../../worker/edges/storage/wallet-marker.ts';
import { markerDirectory } from './marker-directory.ts';

describe('wallet marker', () => {
  it('is there for the wallet that set it, and for no other, with the newest opening', async () => {
    const directory = markerDirectory();
    const storage = { getDirectory: () => Promise.resolve(directory) };
    expect(await readMarker(storage, 'a/b')).toEqual({ kind: 'absent' });
    for (const epoch of [1, 2, 11]) expect(await writeMarker(storage, 'a/b', epoch)).toBe(true);
    expect(await readMarker(storage, 'a/b')).toEqual({ kind: 'present', epoch: 11 });
    for (const other of ['a', 'a/b@1', 'a/']) expect(await readMarker(storage, other)).toEqual({ kind: 'absent' });
  });

  it('is a few files, however often the wallet is opened', async () => {
    const directory = markerDirectory();
    const storage = { getDirectory: () => Promise.resolve(directory) };
    for (let epoch = 1; epoch <= 50; epoch++) await writeMarker(storage, 'a', epoch);
    const names: string[] = [];
    for await (const name of directory.keys()) names.push(name);
    expect(names).toHaveLength(2);
  });

  it('of a program that noted no openings is read', async () => {
    const directory = markerDirectory();
    await directory.getFileHandle('glowworm-wallet-a', { create: true });
    const marker = await readMarker({ getDirectory: () => Promise.resolve(directory) }, 'a');
    expect(marker).toEqual({ kind: 'present', epoch: 0 });
    expect(nextEpoch(marker, 1)).toBe(1);
  });

  it('is unavailable where the browser has no private file system', async () => {
    const refusing = { getDirectory: () => Promise.reject(new DOMException('private', 'SecurityError')) };
    for (const storage of [{}, refusing]) {
      expect(await readMarker(storage, 'a')).toEqual({ kind: 'unavailable' });
      expect(await writeMarker(storage, 'a', 1)).toBe(false);
    }
  });

  it('tells a lost database from a new wallet', () => {
    const present = { kind: 'present', epoch: 3 } as const;
    expect(checkMarker(false, present)).toMatchObject({ code: 'StorageLost' });
    expect(checkMarker(false, { kind: 'absent' })).toBeUndefined();
    expect(checkMarker(true, present)).toBeUndefined();
    expect(checkMarker(true, { kind: 'absent' })).toBeUndefined();
  });

  it('tells a database that was put back from the one that was here last', () => {
    const noted = { kind: 'present', epoch: 3 } as const;
    expect(nextEpoch(noted, 4)).toBe(4);
    // A start that ended before it noted itself.
    expect(nextEpoch(noted, 9)).toBe(9);
    for (const epoch of [2, 3]) expect(nextEpoch(noted, epoch)).toBe(4);
    for (const kind of ['absent', 'unavailable'] as const) expect(nextEpoch({ kind }, 2)).toBe(2);
  });
});

describe('requestPersistence', () => {
  it('reports what the browser answers, and never rejects', async () => {
    expect(await requestPersistence({ persist: () => Promise.resolve(true) })).toBe('granted');
    expect(await requestPersistence({ persist: () => Promise.resolve(false) })).toBe('denied');
    expect(await requestPersistence({ persist: () => Promise.reject(new Error('no')) })).toBe('unavailable');
    expect(await requestPersistence({})).toBe('unavailable');
  });
});
