import { describe, expect, it } from 'vitest';
import {
  checkMarker,
  type MarkerDirectory,
  readMarker,
  requestPersistence,
  writeMarker,
} from '../../../worker/edges/storage/wallet-marker.ts';

const fakeDirectory = (): MarkerDirectory => {
  const files = new Set<string>();
  return {
    getFileHandle: (name, options) => {
      if (options?.create === true) files.add(name);
      return files.has(name) ? Promise.resolve({}) : Promise.reject(new DOMException('none', 'NotFoundError'));
    },
  };
};

describe('wallet marker', () => {
  it('is there for the wallet that set it, and for no other', async () => {
    const directory = fakeDirectory();
    const storage = { getDirectory: () => Promise.resolve(directory) };
    expect(await readMarker(storage, 'a/b')).toBe('absent');
    expect(await writeMarker(storage, 'a/b')).toBe('present');
    expect(await readMarker(storage, 'a/b')).toBe('present');
    expect(await readMarker(storage, 'a')).toBe('absent');
  });

  it('is unavailable where the browser has no private file system', async () => {
    const refusing = { getDirectory: () => Promise.reject(new DOMException('private', 'SecurityError')) };
    for (const storage of [{}, refusing]) {
      expect(await readMarker(storage, 'a')).toBe('unavailable');
      expect(await writeMarker(storage, 'a')).toBe('unavailable');
    }
  });

  it('tells a lost database from a new wallet', () => {
    expect(checkMarker(false, true)).toMatchObject({ code: 'StorageLost' });
    expect(checkMarker(false, false)).toBeUndefined();
    expect(checkMarker(true, true)).toBeUndefined();
    expect(checkMarker(true, false)).toBeUndefined();
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
