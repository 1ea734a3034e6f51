import { reversed, toHex } from '../engine/primitives/bytes.ts';
import type { Coin } from '../engine/wallet/coin.ts';
import { coinTimeKey, decodeCoinTime, encodeCoinTime, type CoinTime } from './wallet-records.ts';

/** When coins came: of a coin in the chain the time of its block, of another the moment at which the wallet first saw it. */
export class CoinTimes {
  readonly #times = new Map<string, CoinTime>();
  readonly #record: (key: string, value: Uint8Array | undefined) => void;

  /** `stored` are the records below `coinTimeKey('')`; `record` puts one into the running turn's write. */
  constructor(
    stored: Iterable<readonly [txid: string, bytes: Uint8Array]>,
    record: (key: string, value: Uint8Array | undefined) => void,
  ) {
    for (const [txid, bytes] of stored) this.#times.set(txid, decodeCoinTime(bytes));
    this.#record = record;
  }

  /** Milliseconds since 1970; 0 where it is not known: the coins of an older version, until the chain tells of them again. */
  of({ txid, height }: Coin): number {
    const time = this.#times.get(displayed(txid));
    return (height === undefined ? time?.seenAt : time?.blockAt) ?? 0;
  }

  /** Notes what a look at the chain brought, within a turn: the coins as they are now, and the times of blocks by height. */
  update(coins: readonly Coin[], blockTimes: ReadonlyMap<number, number>, now: number): void {
    const kept = new Set<string>();
    for (const coin of coins) {
      if (coin.own) continue;
      const txid = displayed(coin.txid);
      kept.add(txid);
      const before = this.#times.get(txid);
      const seenAt = before?.seenAt ?? now;
      const blockAt = coin.height === undefined ? 0 : (blockTimes.get(coin.height) ?? before?.blockAt ?? 0);
      if (before?.blockAt !== blockAt) this.#set(txid, { seenAt, blockAt });
    }
    for (const txid of this.#times.keys()) if (!kept.has(txid)) this.#set(txid, undefined);
  }

  #set(txid: string, time: CoinTime | undefined): void {
    if (time === undefined) this.#times.delete(txid);
    else this.#times.set(txid, time);
    this.#record(coinTimeKey(txid), time && encodeCoinTime(time));
  }
}

const displayed = (txid: Uint8Array): string => toHex(reversed(txid));
