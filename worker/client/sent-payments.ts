import { reversed, toHex } from '../engine/primitives/bytes.ts';
import { UndoableMap, type UndoLog } from '../engine/primitives/undo-log.ts';
import { readable } from '../engine/wire/stored-record.ts';
import { decodeSend, encodeSend, sentKey, type OnchainSend } from './wallet-records.ts';

/** What payments need of the node around them. */
export interface PaymentRows {
  /** Takes back the running turn. */
  readonly undo: () => UndoLog | undefined;
  /** Puts a record into the running turn's write. */
  readonly record: (key: string, value: Uint8Array | undefined) => void;
  readonly log: (line: string) => void;
}

/** Payments out of the on-chain wallet: each is broadcast with every block until it is in one. */
export class SentPayments {
  readonly #payments: UndoableMap<string, OnchainSend>;
  readonly #rows: PaymentRows;

  /** `stored` are the records below `sentKey('')`. */
  constructor(stored: Iterable<readonly [txid: string, bytes: Uint8Array]>, rows: PaymentRows) {
    this.#rows = rows;
    this.#payments = new UndoableMap(rows.undo);
    for (const [txid, bytes] of stored) {
      const send = readable(() => decodeSend(txid, bytes));
      if (send === undefined) rows.log(`the record of the on-chain payment ${txid} is damaged`);
      else this.#payments.set(txid, send);
    }
  }

  /** In no order. */
  list(): readonly OnchainSend[] {
    return [...this.#payments.values()];
  }

  /** `txid` is in internal byte order. */
  has(txid: Uint8Array): boolean {
    return this.#payments.has(toHex(reversed(txid)));
  }

  /** Within a turn. */
  save(send: OnchainSend): void {
    this.#payments.set(send.txid, send);
    this.#rows.record(sentKey(send.txid), encodeSend(send));
  }

  /** The chain has a transaction in a block, or has it no more; within a turn. */
  mark(txid: Uint8Array, confirmed: boolean): void {
    const send = this.#payments.get(toHex(reversed(txid)));
    if (send !== undefined && send.confirmed !== confirmed) this.save({ ...send, confirmed });
  }
}
