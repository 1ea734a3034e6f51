import 'fake-indexeddb/auto';
import { openDB } from 'idb';
import { expect, it } from 'vitest';
import { openWalletOn } from '../../worker/client/wallet.ts';
import type { ServedWallet } from '../../worker/client/endpoint.ts';
import { platformTimers } from '../../worker/edges/transport/timers.ts';
import { markerDirectory } from '../edges/storage/marker-directory.ts';
import { FakePlatform } from '../edges/chain/fake-platform.ts';

const directory = markerDirectory();

const open = (name: string): Promise<ServedWallet> =>
  openWalletOn(
    { network: 'regtest', esploraUrls: ['http://esplora.test'], name },
    {
      fetch: new FakePlatform(() => 'drop').fetch,
      connectWebSocket: () => {
        throw new Error('no network');
      },
      entropy: { getSecureRandomBytes: () => crypto.getRandomValues(new Uint8Array(32)) },
      timers: platformTimers,
      storage: { getDirectory: () => Promise.resolve(directory) },
      soon: (callback) => void setImmediate(callback),
    },
  );

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

it('a database that was put back is known for a copy, and one that was only closed is not', async () => {
  const first = await open('a');
  await first.createWallet();
  await first.close();
  const copy = await recordsOf('a');
  for (let start = 0; start < 3; start++) {
    const again = await open('a');
    expect(isOld(again)).toBe(false);
    await again.close();
  }
  await putBack('a', copy);
  const old = await open('a');
  expect(isOld(old)).toBe(true);
  await old.close();
  // Its channels are marked: it is not said again, until another copy is put back.
  const next = await open('a');
  expect(isOld(next)).toBe(false);
  await next.close();
  await putBack('a', copy);
  const third = await open('a');
  expect(isOld(third)).toBe(true);
  await third.close();
});

it('a database that was known for a copy once is as any other from then on', async () => {
  const first = await open('b');
  await first.createWallet();
  await first.close();
  const copy = await recordsOf('b');
  for (let start = 0; start < 9; start++) await (await open('b')).close();
  await putBack('b', copy);
  await (await open('b')).close();
  const later = await recordsOf('b');
  for (let start = 0; start < 2; start++) {
    const again = await open('b');
    expect(isOld(again)).toBe(false);
    await again.close();
  }
  await putBack('b', later);
  const old = await open('b');
  expect(isOld(old)).toBe(true);
  await old.close();
});
