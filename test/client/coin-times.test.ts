import { beforeEach, describe, expect, it } from 'vitest';
import { CoinTimes } from '../../worker/client/coin-times.ts';
import { coinTimeKey, decodeCoinTime, encodeCoinTime } from '../../worker/client/wallet-records.ts';
import { recordsBelow } from '../../worker/engine/primitives/store.ts';
import type { Coin } from '../../worker/engine/wallet/coin.ts';

const SEEN = 1_700_000_000_000;
const BLOCK = SEEN - 7_200_000;

let records: Map<string, Uint8Array>;
let writes: number;
let times: CoinTimes;

/** As after a start: what was recorded is all that is known. */
function load(): CoinTimes {
  return new CoinTimes(recordsBelow(records, coinTimeKey('')), (key, value) => {
    writes++;
    if (value === undefined) records.delete(key);
    else records.set(key, value);
  });
}

beforeEach(() => {
  records = new Map();
  writes = 0;
  times = load();
});

function coin(change: Partial<Coin> = {}): Coin {
  const txid = new Uint8Array(32).fill(7);
  return { txid, vout: 0, branch: 'receive', index: 0, amountSat: 5_000n, coinbase: false, own: false, ...change };
}

describe('the time of a coin', () => {
  it('is the moment at which it was first seen, then that of its block', () => {
    times.update([coin()], new Map(), SEEN);
    times.update([coin()], new Map(), SEEN + 60_000);
    expect(times.of(coin())).toBe(SEEN);
    times.update([coin({ height: 9 })], new Map([[9, BLOCK]]), SEEN + 120_000);
    expect(times.of(coin({ height: 9 }))).toBe(BLOCK);
  });

  it('is the same after a start', () => {
    times.update([coin(), coin({ txid: new Uint8Array(32).fill(8), height: 9 })], new Map([[9, BLOCK]]), SEEN);
    const loaded = load();
    expect(loaded.of(coin())).toBe(SEEN);
    expect(loaded.of(coin({ txid: new Uint8Array(32).fill(8), height: 9 }))).toBe(BLOCK);
    loaded.update([coin()], new Map(), SEEN + 60_000);
    expect(loaded.of(coin())).toBe(SEEN);
  });

  it('goes back to the first sight with a reorganisation, and on to the time of the next block', () => {
    times.update([coin()], new Map(), SEEN);
    times.update([coin({ height: 9 })], new Map([[9, BLOCK]]), SEEN);
    times.update([coin()], new Map(), SEEN + 1);
    expect(times.of(coin())).toBe(SEEN);
    times.update([coin({ height: 10 })], new Map([[10, BLOCK + 600_000]]), SEEN + 2);
    expect(times.of(coin({ height: 10 }))).toBe(BLOCK + 600_000);
  });

  it('of an older version is unknown until the chain tells of it again', () => {
    expect(times.of(coin({ height: 9 }))).toBe(0);
    times.update([coin({ height: 9 })], new Map(), SEEN);
    expect(times.of(coin({ height: 9 }))).toBe(0);
    times.update([coin({ height: 9 })], new Map([[9, BLOCK]]), SEEN);
    expect(times.of(coin({ height: 9 }))).toBe(BLOCK);
  });

  it('is written once, not for change, and forgotten with the coin', () => {
    for (let round = 0; round < 3; round++) times.update([coin({ height: 9 })], new Map([[9, BLOCK]]), SEEN + round);
    times.update([coin({ height: 9 }), coin({ txid: new Uint8Array(32).fill(8), own: true })], new Map(), SEEN);
    expect([writes, records.size]).toEqual([1, 1]);
    times.update([], new Map(), SEEN);
    times.update([], new Map(), SEEN);
    expect([writes, records.size]).toEqual([2, 0]);
  });
});

it('a coin time is read back from its record', () => {
  const time = { seenAt: SEEN, blockAt: BLOCK };
  expect(decodeCoinTime(encodeCoinTime(time))).toEqual(time);
});
