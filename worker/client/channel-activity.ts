import { UndoableMap } from '../engine/primitives/undo-log.ts';
import { readable } from '../engine/wire/stored-record.ts';
import { channelRows, type ChannelRow, type RowParts } from './channel-rows.ts';
import type { BlockNews } from './received-payments.ts';
import type { PaymentRows } from './sent-payments.ts';
import { channelRowKey, decodeChannelRow, encodeChannelRow, type NotedRow } from './wallet-records.ts';

/** What opening and closing channels moved and cost: a row in a block stays, whatever becomes of its channel's records. */
export class ChannelActivity {
  readonly #noted: UndoableMap<string, NotedRow>;
  readonly #rows: PaymentRows;
  readonly #parts: RowParts;

  /** `stored` are the records below `channelRowKey('')`. */
  constructor(stored: Iterable<readonly [id: string, bytes: Uint8Array]>, parts: RowParts, rows: PaymentRows) {
    this.#rows = rows;
    this.#parts = parts;
    this.#noted = new UndoableMap(rows.undo);
    for (const [id, bytes] of stored) {
      const row = readable(() => decodeChannelRow(id, bytes));
      if (row === undefined) rows.log(`the record of what ${id} cost is damaged`);
      else this.#noted.set(id, row);
    }
  }

  /** As it is now, in no order; `now` is for what is new. */
  list(now: number): readonly NotedRow[] {
    return [...this.#current(now, NO_NEWS).values()];
  }

  /** Notes what has changed, within a turn. */
  update(news: BlockNews, now: number): void {
    const current = this.#current(now, news);
    for (const [id, row] of current) if (!isSame(this.#noted.get(id), row)) this.#set(id, row);
    for (const id of this.#noted.keys()) if (!current.has(id)) this.#set(id, undefined);
  }

  /** Every row there is, and of those whose channel is not there any more what is in a block. */
  #current(now: number, news: BlockNews): ReadonlyMap<string, NotedRow> {
    const blockTimes = new Map(news.confirmed.map(({ height, header }) => [height, header.time * 1000]));
    const timeOf = (row: ChannelRow): number => {
      const time = row.height === undefined ? undefined : blockTimes.get(row.height);
      // One in a block that nobody tells the time of is an old one.
      return time ?? this.#noted.get(row.id)?.at ?? (row.height === undefined ? now : 0);
    };
    const there = channelRows(this.#parts, (id) => this.#noted.get(id)).map((row) => ({ ...row, at: timeOf(row) }));
    const kept = [...this.#noted.values()].filter((row) => isInChain(row, news));
    return new Map([...kept, ...there].map((row) => [row.id, row]));
  }

  #set(id: string, row: NotedRow | undefined): void {
    if (row === undefined) this.#noted.delete(id);
    else this.#noted.set(id, row);
    this.#rows.record(channelRowKey(id), row && encodeChannelRow(row));
  }
}

export const NO_NEWS: BlockNews = { confirmed: [] };

const isInChain = ({ height }: ChannelRow, { disconnectedTo }: BlockNews): boolean =>
  height !== undefined && (disconnectedTo === undefined || height <= disconnectedTo);

const isSame = (a: NotedRow | undefined, b: NotedRow): boolean =>
  a?.amountMsat === b.amountMsat &&
  a.feeMsat === b.feeMsat &&
  a.height === b.height &&
  a.at === b.at &&
  a.kind === b.kind;
