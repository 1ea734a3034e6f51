import { describe, expect, it } from 'vitest';
import type { ChainSyncOptions } from '../../../../worker/edges/chain/chain-sync.ts';
import { concat } from '../../../../worker/engine/primitives/bytes.ts';
import {
  sized,
  transactionId,
  type Outpoint,
  type Transaction,
} from '../../../../worker/engine/transactions/transaction.ts';
import { toHex } from '../../../../worker/engine/primitives/bytes.ts';
import { scripthash } from '../../../../worker/engine/wallet/address.ts';
import { SimulatedClock } from '../simulated-clock.ts';
import {
  confirmedOf,
  type FakeChain,
  followerOf,
  fundings,
  isNamed,
  json,
  nameOfTx,
  paying,
  scriptOf,
  serverOf,
  settled,
  still,
  type Lie,
} from './fake-chain.ts';

/** A chain with a spent output, which is watched. */
function spent(): {
  readonly chain: FakeChain;
  readonly outpoint: Outpoint;
  readonly spending: Transaction;
} {
  const {
    chain,
    outpoints: [outpoint],
  } = fundings(1);
  const spending = paying(scriptOf(4), [outpoint]);
  chain.mine(spending);
  return { chain, outpoint, spending };
}

/** A transaction with more outputs than a call has arguments. */
const manyOutputs = (): string =>
  toHex(
    concat(
      Uint8Array.of(2, 0, 0, 0, 1),
      new Uint8Array(36),
      sized(new Uint8Array(0)),
      new Uint8Array(4),
      Uint8Array.of(0xfe, 0x40, 0x0d, 0x03, 0),
      new Uint8Array(200_000 * 9),
      new Uint8Array(4),
    ),
  );

describe('one of two servers', () => {
  it.each([
    ['more hex than a check can take', () => 'ab'.repeat(4_200_000)],
    ['a transaction of 200,000 outputs', manyOutputs],
  ])('that says %s does not keep the wallet from what the other shows', async (_name, bytes) => {
    const { chain, outpoint, spending } = spent();
    const lie: Lie = (path) => (path.endsWith('/hex') ? new Response(bytes()) : undefined);
    const { sync, watchList, updates } = followerOf([serverOf('liar', chain, lie), serverOf('honest', chain)]);
    watchList.registerOutput(outpoint);
    await sync.poll();
    expect(confirmedOf(updates)).toContain(nameOfTx(spending));
  });

  it('that is silent about the coinbase of a block does not keep the other from proving it', async () => {
    const { chain, outpoint, spending } = spent();
    const timers: { readonly delayMs: number; readonly callback: () => void }[] = [];
    const platform = {
      ...still,
      after: (delayMs: number, callback: () => void) => (timers.push({ delayMs, callback }), () => undefined),
    };
    const never = new Promise<Response>(() => undefined);
    const lie: Lie = (path) => (path.endsWith('/txid/0') ? never : undefined);
    const { sync, watchList, updates } = followerOf([serverOf('silent', chain, lie), serverOf('honest', chain)], {
      platform: { ...platform, fetch: () => never },
    });
    watchList.registerOutput(outpoint);
    void sync.poll().catch(() => undefined);
    await settled();
    // The silent one's time is over: from now on the other is asked.
    for (const { callback } of timers) callback();
    await settled();
    expect(confirmedOf(updates)).toContain(nameOfTx(spending));
  });
});

describe('a script whose history does not end', () => {
  it('does not keep the wallet from what becomes of its channels', async () => {
    const { chain, outpoint, spending } = spent();
    const dusted = scriptOf(7);
    const route = `/scripthash/${scripthash(dusted)}`;
    let entries = 0;
    const page = (): object[] =>
      Array.from({ length: 25 }, () => ({
        txid: (++entries).toString(16).padStart(64, '0'),
        status: { confirmed: true, block_height: 1, block_hash: 'ab'.repeat(32) },
      }));
    const dust: Lie = (path) => {
      if (path === route) return json({ chain_stats: { tx_count: 20_000 }, mempool_stats: { tx_count: 0 } });
      return path.startsWith(route) ? json(page()) : undefined;
    };
    const { sync, watchList, updates } = followerOf([serverOf('honest', chain, dust)]);
    watchList.registerOutput(outpoint);
    watchList.registerScript(dusted);
    for (let poll = 0; poll < 3; poll++) await sync.poll().catch(() => undefined);
    expect(confirmedOf(updates)).toContain(nameOfTx(spending));
  });
});

describe('a script that no server has an answer for, because others have paid to it too often', () => {
  const dusted = scriptOf(7);
  const refuses: Lie = (path) =>
    path.startsWith(`/scripthash/${scripthash(dusted)}`)
      ? new Response('too many entries', { status: 413 })
      : undefined;

  it('does not keep the wallet from what becomes of its channels, and is asked for again', async () => {
    const { chain, outpoint, spending } = spent();
    let lie: Lie = () => undefined;
    const { sync, watchList, updates } = followerOf([serverOf('honest', chain, (path) => lie(path))]);
    watchList.registerScript(dusted);
    await sync.poll();
    watchList.registerOutput(outpoint);
    lie = refuses;
    const paid = paying(dusted);
    chain.mine(paid);
    await expect(sync.poll()).rejects.toMatchObject({ code: 'ChainSourceBadReply' });
    await expect(sync.poll()).rejects.toMatchObject({ code: 'ChainSourceBadReply' });
    expect(confirmedOf(updates)).toEqual([nameOfTx(spending)]);
    expect(updates.at(-1)?.best.height).toBe(chain.height);
    lie = () => undefined;
    await sync.poll();
    expect(confirmedOf(updates)).toEqual([nameOfTx(spending), nameOfTx(paid)]);
  });

  /** A wallet that looks every second, how its polls went, and what its server lies. */
  function started(chain: FakeChain, outpoint: Outpoint, options: Partial<ChainSyncOptions> = {}) {
    const clock = new SimulatedClock(0);
    const kinds: string[] = [];
    const told: { lie: Lie } = { lie: refuses };
    const server = serverOf('honest', chain, (path) => told.lie(path), clock);
    const platform = clock.platform(() => Promise.reject(new Error('not asked')));
    const onPolled: ChainSyncOptions['onPolled'] = ({ kind }) => void kinds.push(kind);
    const { sync, watchList, updates } = followerOf([server], { platform, onPolled, ...options });
    watchList.registerScript(dusted);
    watchList.registerOutput(outpoint);
    sync.start();
    return { clock, kinds, told, sync, watchList, updates };
  }
  /** So long a server is left alone at most that has failed. */
  const A_WHILE_MS = 130_000;
  const fails = (path: string): Response | undefined =>
    path.startsWith('/blocks/tip') ? undefined : new Response('', { status: 503 });

  it('is told apart from a chain that is not known', async () => {
    const { chain, outpoint } = spent();
    const { clock, kinds, told, sync, updates } = started(chain, outpoint);
    await clock.run(A_WHILE_MS);
    expect(kinds.at(-1)).toBe('withoutScripts');
    for (const [lie, kind] of [
      [fails, 'failed'],
      [refuses, 'withoutScripts'],
      [() => new Response('', { status: 503 }), 'failed'],
      [() => undefined, 'complete'],
    ] as const) {
      told.lie = lie;
      chain.mine();
      await clock.run(A_WHILE_MS);
      expect([kinds.at(-1), updates.at(-1)?.best.height === chain.height]).toEqual([kind, kind !== 'failed']);
    }
    sync.stop();
  });

  it('is not all that is missing while nobody tells of an output that was found to be a channel’s only now', async () => {
    const { chain, outpoint, spending } = spent();
    const next = { txid: transactionId(spending), vout: 0 };
    const onUpdate = (): void => found.watchList.registerOutput(next);
    const found = started(chain, outpoint, { onUpdate });
    const { clock, kinds, told, sync } = found;
    const ofNext = `/tx/${nameOfTx(spending)}/outspend/`;
    told.lie = (path) => (path.startsWith(ofNext) ? new Response('', { status: 503 }) : refuses(path));
    await clock.run(A_WHILE_MS);
    expect(new Set(kinds)).toEqual(new Set(['failed']));
    told.lie = refuses;
    await clock.run(A_WHILE_MS);
    expect(kinds.at(-1)).toBe('withoutScripts');
    sync.stop();
  });

  it('keeps nobody from hearing of a reorganisation', async () => {
    const { chain, outpoint, spending } = spent();
    const { clock, kinds, sync, updates } = started(chain, outpoint);
    await clock.run(A_WHILE_MS);
    const gone = chain.height;
    chain.blocks.pop();
    chain.mine();
    chain.mine(spending);
    await clock.run(A_WHILE_MS);
    expect([kinds.at(-1), updates.at(-1)?.best.height]).toEqual(['withoutScripts', chain.height]);
    expect(updates.flatMap(({ disconnectedTo }) => disconnectedTo ?? [])).toEqual([gone - 1]);
    expect(confirmedOf(updates)).toEqual([nameOfTx(spending), nameOfTx(spending)]);
    sync.stop();
  });

  it('keeps nobody from hearing of a reorganisation that takes payments out of their blocks', async () => {
    const { chain, outpoint, spending } = spent();
    const paid = paying(dusted);
    chain.mine(paid);
    const { clock, kinds, told, sync, watchList, updates } = started(chain, outpoint);
    const resting = scriptOf(8);
    const moved = paying(resting);
    chain.mine(moved);
    watchList.restScript(resting, [{ txid: transactionId(moved), height: chain.height }]);
    told.lie = () => undefined;
    await clock.run(A_WHILE_MS);
    expect(kinds.at(-1)).toBe('complete');
    const gone = chain.height;
    chain.blocks.splice(-2);
    for (let block = 0; block < 3; block++) chain.mine();
    const ofResting = `/scripthash/${scripthash(resting)}`;
    told.lie = (path) => (path.startsWith(ofResting) ? new Response('', { status: 413 }) : refuses(path));
    await clock.run(A_WHILE_MS);
    expect([kinds.at(-1), updates.at(-1)?.best.height]).toEqual(['withoutScripts', chain.height]);
    expect(updates.flatMap(({ disconnectedTo }) => disconnectedTo ?? [])).toEqual([gone - 2]);
    const unconfirmed = updates.flatMap((update) => update.unconfirmed);
    expect([paid, moved, spending].map((tx) => isNamed(unconfirmed, tx))).toEqual([true, true, false]);
    chain.mine(paid);
    told.lie = () => undefined;
    await clock.run(A_WHILE_MS);
    expect(confirmedOf(updates)).toEqual([spending, paid, paid].map(nameOfTx));
    sync.stop();
  });

  it('keeps no other script from having its turn', async () => {
    const { chain, outpoint } = spent();
    const { clock, sync, watchList, updates } = started(chain, outpoint);
    const resting = scriptOf(8);
    watchList.restScript(resting);
    await clock.run(A_WHILE_MS);
    const paid = paying(resting);
    chain.mine(paid);
    await clock.run(60 * 60_000);
    expect(confirmedOf(updates)).toContain(nameOfTx(paid));
    sync.stop();
  });
});

describe('a server that answers, and never in time', () => {
  it('does not keep scripts that are seldom asked for from having their turn with the other', async () => {
    const { chain } = fundings(1);
    const clock = new SimulatedClock(0);
    const slow: Lie = (path) =>
      path.startsWith('/scripthash/')
        ? new Promise((resolve) => clock.after(14_000, () => resolve(chain.answer(path))))
        : undefined;
    const platform = clock.platform(() => Promise.reject(new Error('not asked')));
    const servers = [serverOf('honest', chain, undefined, clock), serverOf('slow', chain, slow, clock)];
    const { sync, watchList, updates } = followerOf(servers, { platform });
    for (let byte = 20; byte < 250; byte++) watchList.registerScript(scriptOf(byte));
    const resting = scriptOf(8);
    watchList.restScript(resting);
    const paid = paying(resting);
    chain.mine(paid);
    sync.start();
    for (let block = 0; block < 6; block++) {
      await clock.run(10 * 60_000);
      chain.mine();
    }
    expect(confirmedOf(updates)).toContain(nameOfTx(paid));
    sync.stop();
  });
});
