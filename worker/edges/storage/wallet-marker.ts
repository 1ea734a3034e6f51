import { StorageProblem } from './storage-error.ts';

/** What is needed of `navigator.storage`; a browser may lack any of it. */
export interface StoragePort {
  getDirectory?(): Promise<MarkerDirectory>;
  persist?(): Promise<boolean>;
}

export interface MarkerDirectory {
  getFileHandle(name: string, options?: { readonly create?: boolean }): Promise<unknown>;
}

/** `unavailable`: the browser has no private file system, or refuses it as some do in private windows. */
export type MarkerState = 'present' | 'absent' | 'unavailable';

/**
 * Whether this origin ever had the wallet of this name. The marker is an empty file outside IndexedDB, whose existence is
 * all that it says.
 */
export async function readMarker(storage: StoragePort, name: string): Promise<MarkerState> {
  try {
    const directory = await storage.getDirectory?.();
    if (directory === undefined) return 'unavailable';
    await directory.getFileHandle(fileName(name));
    return 'present';
  } catch (error) {
    return error instanceof Error && error.name === 'NotFoundError' ? 'absent' : 'unavailable';
  }
}

/** Sets the marker: once the wallet's first records are durable, and again at each start. Gives how it stands then. */
export async function writeMarker(storage: StoragePort, name: string): Promise<MarkerState> {
  try {
    const directory = await storage.getDirectory?.();
    if (directory === undefined) return 'unavailable';
    await directory.getFileHandle(fileName(name), { create: true });
    return 'present';
  } catch {
    return 'unavailable';
  }
}

/**
 * An empty database where a wallet was is not a new wallet: its channels are still open, and a fresh start would let them be
 * closed with nobody watching. `StorageLost` in that case.
 */
export function checkMarker(hasRecords: boolean, hasMarker: boolean): StorageProblem | undefined {
  return hasMarker && !hasRecords ? new StorageProblem('StorageLost') : undefined;
}

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
