import type { MarkerDirectory } from '../../../worker/edges/storage/wallet-marker.ts';

/** A browser's private file system, as far as markers need it. */
export function markerDirectory(): MarkerDirectory {
  const files = new Set<string>();
  return {
    getFileHandle: (name, options) => {
      if (options?.create === true) files.add(name);
      return files.has(name) ? Promise.resolve({}) : Promise.reject(new DOMException('none', 'NotFoundError'));
    },
    async *keys() {
      yield* files;
    },
    removeEntry: (name) => {
      files.delete(name);
      return Promise.resolve();
    },
  };
}
