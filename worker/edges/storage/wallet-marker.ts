import { StorageProblem } from './storage-error.ts';

/** What is needed of `navigator.storage`; a browser may lack any of it. */
export interface StoragePort {
  getDirectory?(): Promise<MarkerDirectory>;
  persist?(): Promise<boolean>;
}

export interface MarkerDirectory {
  getFileHandle(name: string, options?: { readonly create?: boolean }): Promise<unknown>;
  keys(): AsyncIterable<string>;
  removeEntry(name: string): Promise<void>;
}

/**
 * What an origin knows of a wallet beside its database: that there was one, and at which of the database's openings (`epoch`, 0
 * where nobody noted it). `unavailable`: the browser has no private file system, or refuses it as some do in private windows.
 */
export type Marker = { readonly kind: 'absent' | 'unavailable' } | { readonly kind: 'present'; readonly epoch: number };

/**
 * Whether this origin ever had the wallet of this name. The marker is a few empty files outside IndexedDB, whose names are all
 * that they say.
 */
export async function readMarker(storage: StoragePort, name: string): Promise<Marker> {
  try {
    const directory = await storage.getDirectory?.();
    if (directory === undefined) return { kind: 'unavailable' };
    const files = await markerFiles(directory, name);
    return files.size === 0 ? { kind: 'absent' } : { kind: 'present', epoch: Math.max(...files.values()) };
  } catch {
    return { kind: 'unavailable' };
  }
}

/** Sets the marker, once what the wallet has at an opening of its database is durable. Says whether it is there then. */
export async function writeMarker(storage: StoragePort, name: string, epoch: number): Promise<boolean> {
  try {
    const directory = await storage.getDirectory?.();
    if (directory === undefined) return false;
    // A program that knows no epochs looks for the first.
    for (const file of [fileName(name), epochName(name, epoch)]) await directory.getFileHandle(file, { create: true });
    for (const [file, noted] of await markerFiles(directory, name))
      if (noted > 0 && noted < epoch) await directory.removeEntry(file);
    return true;
  } catch {
    return false;
  }
}

/**
 * An empty database where a wallet was is not a new wallet: its channels are still open, and a fresh start would let them be
 * closed with nobody watching. `StorageLost` in that case.
 */
export function checkMarker(hasRecords: boolean, marker: Marker): StorageProblem | undefined {
  return marker.kind === 'present' && !hasRecords ? new StorageProblem('StorageLost') : undefined;
}

/**
 * The number that a database's opening is to have. Another than it has, `epoch`, is the tell that this origin had a newer one:
 * somebody has put it back. It goes on above all that were here, so that no other copy is taken for its successor. What was copied
 * in the last opening, and put back before the next, is not known for a copy, nor a whole profile that brings its marker with it.
 */
export const nextEpoch = (marker: Marker, epoch: number): number =>
  marker.kind === 'present' ? Math.max(epoch, marker.epoch + 1) : epoch;

export type Persistence = 'granted' | 'denied' | 'unavailable';

/** Asks the browser not to evict this origin under storage pressure. Never rejects: without it the wallet still works. */
export async function requestPersistence(storage: StoragePort): Promise<Persistence> {
  try {
    const granted = await storage.persist?.();
    return granted === undefined ? 'unavailable' : granted ? 'granted' : 'denied';
  } catch {
    return 'unavailable';
  }
}

const fileName = (name: string): string => `glowworm-wallet-${encodeURIComponent(name)}`;

/** `encodeURIComponent` leaves no `@` in a name. */
const epochName = (name: string, epoch: number): string => `${fileName(name)}@${epoch}`;

/** The files that mark a wallet, with the epoch that each notes; 0 of the one that notes none. */
async function markerFiles(directory: MarkerDirectory, name: string): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  for await (const file of directory.keys()) {
    const [wallet, epoch = '0'] = file.split('@');
    if (wallet === fileName(name) && /^[0-9]{1,15}$/.test(epoch)) found.set(file, Number(epoch));
  }
  return found;
}
