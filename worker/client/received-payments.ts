import type { ChainUpdate } from '../edges/chain/chain-update.ts';
import { reversed, toHex } from '../engine/primitives/bytes.ts';
import { UndoableMap } from '../engine/primitives/undo-log.ts';
import type { Coin } from '../engine/wallet/coin.ts';
import { readable } from '../engine/wire/stored-record.ts';
import type { PaymentRows } from './sent-payments.ts';
import { decodeReceived, encodeReceived, receivedKey, type OnchainReceived } from './wallet-records.ts';

/** The part of a look at the chain that tells of blocks. */
export type BlockNews = Pick<ChainUpdate, 'confirmed' | 'disconnectedTo'>;

/** Payments that came to the on-chain wallet. One in a block stays, whether its coins are known or not. */
export class ReceivedPayments {
  readonly #payments: UndoableMap<string, OnchainReceived>;
  readonly #rows: PaymentRows;

  /** `stored` are the records below `receivedKey('')`. */
  constructor(stored: Iterable<readonly [txid: string, bytes: Uint8Array]>, rows: PaymentRows) {
    this.#rows = rows;
    this.#payments = new UndoableMap(rows.undo);
    for (const [txid, bytes] of stored) {
      const payment = readable(() => decodeReceived(txid, bytes));
      if (payment === undefined) rows.log(`the record of the payment received in ${txid} is damaged`);
      else this.#payments.set(txid, payment);
    }
  }

  /** In no order. */
  list(): readonly OnchainReceived[] {
    return [...this.#payments.values()];
  }

  /** Notes what a look at the chain brought, within a turn: all coins of the wallet as they are now. */
  update(coins: readonly Coin[], news: BlockNews, now: number): void {
    const blockTimes = new Map(news.confirmed.map(({ height, header }) => [height, header.time * 1000]));
    const coinsOf = new Map<string, Coin[]>();
    for (const coin of coins) {
      const txid = toHex(reversed(coin.txid));
      const others = coinsOf.get(txid);
      if (others === undefined) coinsOf.set(txid, [coin]);
      else others.push(coin);
    }
    for (const [txid, made] of coinsOf)
      this.#set(txid, paymentOf(txid, made, this.#payments.get(txid), blockTimes, now));
    for (const [txid, payment] of this.#payments)
      if (!coinsOf.has(txid) && !isInChain(payment, news)) this.#set(txid, undefined);
  }

  #set(txid: string, payment: OnchainReceived | undefined): void {
    if (isSame(this.#payments.get(txid), payment)) return;
    if (payment === undefined) this.#payments.delete(txid);
    else this.#payments.set(txid, payment);
    this.#rows.record(receivedKey(txid), payment && encodeReceived(payment));
  }
}

/** What the coins that a transaction made say of it, and what was known before; `undefined` for change. */
function paymentOf(
  txid: string,
  coins: readonly Coin[],
  before: OnchainReceived | undefined,
  blockTimes: ReadonlyMap<number, number>,
  now: number,
): OnchainReceived | undefined {
  const [coin] = coins;
  if (coin === undefined || coin.own) return undefined;
  const sumSat = coins.reduce((sum, { amountSat }) => sum + amountSat, 0n);
  // One of its coins may be unknown while another is there.
  const amountSat = before !== undefined && before.amountSat > sumSat ? before.amountSat : sumSat;
  const seenAt = before?.seenAt ?? now;
  const { height } = coin;
  if (height === undefined) return { txid, amountSat, seenAt };
  return { txid, amountSat, seenAt, block: { height, at: blockTimes.get(height) ?? before?.block?.at ?? seenAt } };
}

/** Tells a payment whose coins are not known from one that was dropped or replaced, if need be after a reorganisation. */
const isInChain = ({ block }: OnchainReceived, { disconnectedTo }: BlockNews): boolean =>
  block !== undefined && (disconnectedTo === undefined || block.height <= disconnectedTo);

const isSame = (a: OnchainReceived | undefined, b: OnchainReceived | undefined): boolean =>
  a?.amountSat === b?.amountSat &&
  a?.seenAt === b?.seenAt &&
  a?.block?.height === b?.block?.height &&
  a?.block?.at === b?.block?.at;
