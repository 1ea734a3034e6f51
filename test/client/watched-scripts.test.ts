import { beforeEach, expect, it } from 'vitest';
import { WatchedScripts } from '../../worker/client/watched-scripts.ts';
import { WatchList } from '../../worker/edges/chain/watch-list.ts';
import { mnemonicSeed } from '../../worker/engine/keys/mnemonic.ts';
import { nobleSecp256k1 as secp } from '../../worker/engine/primitives/secp256k1.ts';
import { transactionId, type Transaction } from '../../worker/engine/transactions/transaction.ts';
import { toHex } from '../../worker/engine/primitives/bytes.ts';
import { Descriptors } from '../../worker/engine/wallet/descriptors.ts';
import { GAP_LIMIT } from '../../worker/engine/wallet/wallet-scripts.ts';
import { OnchainWallet } from '../../worker/engine/wallet/wallet.ts';
import { paidFrom } from '../engine/wallet/paid.ts';

const OTHER = new Uint8Array(22).fill(7);
const descriptors = (): Descriptors => new Descriptors(mnemonicSeed('abandon '.repeat(11) + 'about'), 'regtest');
let wallet: OnchainWallet;
let watchList: WatchList;
let payments = 0;
let isHeardOut = true;

beforeEach(() => {
  wallet = new OnchainWallet(secp, descriptors());
  watchList = new WatchList();
});

const scripts = (isSearching: boolean = false): WatchedScripts =>
  new WatchedScripts({
    wallet,
    watchList,
    entropy: { getSecureRandomBytes: () => crypto.getRandomValues(new Uint8Array(32)) },
    others: [OTHER],
    contested: () => [],
    isHeardOut: () => isHeardOut,
    isSearching,
  });
const nameOf = (script: Uint8Array): string => `script:${toHex(script)}`;
const asked = (): string[] => [...watchList.items.keys()].toSorted();
const namesOf = (list: readonly Uint8Array[]): string[] => list.map(nameOf).toSorted();

/** What a completed look at the chain leaves. */
function synced(watched: WatchedScripts): boolean {
  watchList.update(new Map(), [...watchList.fresh], 1000);
  return watched.synced();
}

function paid(script: Uint8Array): Transaction {
  const input = { txid: new Uint8Array(32).fill(++payments), vout: 0, sequence: 0, scriptSig: OTHER, witness: [] };
  return { version: 2, locktime: 0, inputs: [input], outputs: [{ amountSat: 10_000n, script }] };
}

const use = (count: number): Uint8Array[] =>
  Array.from({ length: count }, () => {
    const script = wallet.newScript('receive');
    wallet.transactionConfirmed(paid(script), 900);
    return script;
  });

it('are all asked for while a search lasts, and then the awaited ones; the others rest, the gap too', () => {
  const watched = scripts(true);
  watched.start();
  expect(asked()).toEqual(namesOf([...wallet.scripts.watched(), OTHER]));
  const [script] = use(1);
  watched.changed();
  expect(watchList.items.size).toBe(8 * GAP_LIMIT + 2);
  const handedOut = wallet.newScript('receive');
  expect(synced(watched)).toBe(true);
  expect(asked()).toEqual(namesOf([handedOut]));
  expect(watchList.restingCount).toBe(4 * GAP_LIMIT + 1);
  expect(watchList.nextResting(100).has(nameOf(script ?? OTHER))).toBe(true);
  expect(synced(watched)).toBe(false);
});

it('are searched until every server has said all, not only the one that answers first', () => {
  isHeardOut = false;
  const watched = scripts(true);
  watched.start();
  const before = asked();
  expect([synced(watched), asked()]).toEqual([false, before]);
  isHeardOut = true;
  expect(synced(watched)).toBe(true);
});

it('rest as the gap moves on, in the run of the search too', () => {
  const watched = scripts(true);
  watched.start();
  synced(watched);
  use(1);
  watched.changed();
  const turn = watchList.nextResting(10_000);
  expect([...turn.keys()]).toEqual(expect.arrayContaining(namesOf(wallet.scripts.expected())));
});

it('are a few at a start, the newest among them; each gets its turn after that', () => {
  const used = use(200);
  const watched = scripts();
  watched.start();
  expect(asked()).toEqual(expect.arrayContaining(namesOf(used.slice(-12))));
  expect(watchList.items.size).toBeLessThanOrEqual(24);
  synced(watched);
  expect(watchList.items.size).toBe(0);
  const turn = watchList.nextResting(10_000);
  expect([...turn.keys()].toSorted()).toEqual(namesOf([...wallet.scripts.expected(), OTHER]));
});

it('are not the same at each start', () => {
  use(200);
  const starts = Array.from({ length: 20 }, () => {
    watchList = new WatchList();
    scripts().start();
    return asked().join();
  });
  expect(new Set(starts).size).toBeGreaterThan(1);
});

it('are asked for once handed out, and no more when two newer ones are', () => {
  const watched = scripts();
  watched.start();
  synced(watched);
  const [first, second, third] = [1, 2, 3].map(() => {
    const script = wallet.newScript('receive');
    watched.changed();
    synced(watched);
    return script;
  });
  expect(asked()).toEqual(namesOf([second ?? OTHER, third ?? OTHER]));
  expect([...watchList.nextResting(1000).keys()]).toContain(nameOf(first ?? OTHER));
});

it('know what the wallet was told of elsewhere', () => {
  const [script = OTHER] = use(1);
  const watched = scripts();
  watched.start();
  synced(watched);
  const { tx, txid } = paidFrom(wallet, 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080', 'all', {
    feeratePerKw: 1000,
    reserveSat: 0n,
  });
  wallet.transactionConfirmed(tx, 950);
  watched.confirmed([txid]);
  expect(watchList.restingAbove(949).has(nameOf(script))).toBe(true);
  expect(watchList.restingAbove(950).size).toBe(0);
});

it('a transaction that was told of is not asked for again, and is where a reorganisation could have taken it', () => {
  const txid = transactionId(paid(OTHER));
  watchList.knowTx(txid, 900);
  expect(watchList.items.size).toBe(0);
  watchList.registerTx(txid);
  watchList.knowTx(txid, 900);
  expect(watchList.fresh.size).toBe(0);
  expect([...watchList.items.values()]).toMatchObject([{ kind: 'tx', seen: { height: 900 } }]);
});
