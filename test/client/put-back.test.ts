import 'fake-indexeddb/auto';
import { openDB } from 'idb';
import { expect, it } from 'vitest';
import type { ServedWallet } from '../../worker/client/endpoint.ts';
import type { MarkerDirectory } from '../../worker/edges/storage/wallet-marker.ts';
import { markerDirectory } from '../edges/storage/marker-directory.ts';
import { openOffline } from './offline-wallet.ts';

const files = markerDirectory();
let canWrite = true;
const directory: MarkerDirectory = {
  ...files,
  getFileHandle: (name, options) =>
    canWrite ? files.getFileHandle(name, options) : Promise.reject(new DOMException('full', 'QuotaExceededError')),
};

const open = (name: string): Promise<ServedWallet> =>
  openOffline(name, { getDirectory: () => Promise.resolve(directory) });

/** Every record of a wallet's database. */
async function recordsOf(name: string): Promise<readonly (readonly [IDBValidKey, unknown])[]> {
  const database = await openDB(`glowworm-${name}`);
  const [keys, values] = [await database.getAllKeys('records'), await database.getAll('records')];
  database.close();
  return keys.map((key, index) => [key, values[index]] as const);
}

async function putBack(name: string, records: Awaited<ReturnType<typeof recordsOf>>): Promise<void> {
  const database = await openDB(`glowworm-${name}`);
  await database.clear('records');
  for (const [key, value] of records) await database.put('records', value, key);
  database.close();
}

const isOld = (wallet: ServedWallet): boolean => wallet.exportLog().includes('older than the one that was here before');

/** Opens a wallet that is no copy so many times. */
async function reopen(name: string, count: number): Promise<void> {
  for (let start = 0; start < count; start++) {
    const wallet = await open(name);
    expect(isOld(wallet)).toBe(false);
    await wallet.close();
  }
}

async function expectCopy(name: string, records: Awaited<ReturnType<typeof recordsOf>>): Promise<void> {
  await putBack(name, records);
  const old = await open(name);
  expect(isOld(old)).toBe(true);
  await old.close();
}

it('a database that was put back is known for a copy, and one that was only closed is not', async () => {
  const first = await open('a');
  await first.createWallet();
  await first.close();
  const copy = await recordsOf('a');
  await reopen('a', 3);
  await expectCopy('a', copy);
  // Its channels are marked: it is not said again, until another copy is put back.
  await reopen('a', 1);
  await expectCopy('a', copy);
});

it('a copy is known for one however many were put back before it, of whichever it is a copy', async () => {
  const first = await open('b');
  await first.createWallet();
  await first.close();
  const oldest = await recordsOf('b');
  await reopen('b', 20);
  const replaced = await recordsOf('b');
  await expectCopy('b', oldest);
  await reopen('b', 3);
  const copy = await recordsOf('b');
  await reopen('b', 10);
  for (const each of [copy, replaced, oldest, copy]) await expectCopy('b', each);
  await reopen('b', 1);
});

it('a copy is said to be one again where its start did not come to note it, and never less', async () => {
  const first = await open('c');
  await first.createWallet();
  await first.close();
  await reopen('c', 5);
  const copy = await recordsOf('c');
  await reopen('c', 5);
  await putBack('c', copy);
  canWrite = false;
  for (let start = 0; start < 2; start++) {
    const old = await open('c');
    expect(isOld(old)).toBe(true);
    await old.close();
  }
  canWrite = true;
  const unnoted = await recordsOf('c');
  await expectCopy('c', unnoted);
  // Ended after its marker was set, before its database says so.
  await expectCopy('c', unnoted);
  await reopen('c', 1);
});
