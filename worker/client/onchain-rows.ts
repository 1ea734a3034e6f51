import { recordsBelow, type StoredRecords } from '../engine/primitives/store.ts';
import { AddressLabels } from './address-labels.ts';
import { ChannelActivity, NO_NEWS } from './channel-activity.ts';
import type { RowParts } from './channel-rows.ts';
import type { NodeTurns } from './node-turns.ts';
import { sentKey } from './onchain-send.ts';
import { ReceivedPayments, type BlockNews } from './received-payments.ts';
import { SentPayments, type PaymentRows } from './sent-payments.ts';
import { channelRowKey, labelKey, receivedKey, type NotedRow } from './wallet-records.ts';

export interface OnchainRowsParts {
  /** What the rows of channels are made from. */
  readonly channels: RowParts;
  /** Where rows are kept. */
  readonly rows: PaymentRows;
  readonly turns: Pick<NodeTurns, 'guarded' | 'lazily'>;
  /** All that are stored. */
  readonly records: StoredRecords;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The rows that the chain makes in the list of activities. */
export class OnchainRows {
  readonly sent: SentPayments;
  readonly received: ReceivedPayments;
  readonly labels: AddressLabels;
  readonly #channels: ChannelActivity;
  readonly #parts: OnchainRowsParts;
  /** Something was written since the rows of channels were last looked at. */
  #areDue = true;

  constructor(parts: OnchainRowsParts) {
    const { records, rows, channels } = parts;
    this.#parts = parts;
    this.sent = new SentPayments(recordsBelow(records, sentKey('')), rows);
    this.received = new ReceivedPayments(recordsBelow(records, receivedKey('')), rows);
    this.labels = new AddressLabels(recordsBelow(records, labelKey('')), rows);
    this.#channels = new ChannelActivity(recordsBelow(records, channelRowKey('')), channels, rows);
  }

  /** What opening and closing channels moved and cost, in no order. */
  ofChannels(): readonly NotedRow[] {
    return this.#channels.list(this.#parts.now());
  }

  /** A turn has written something: what channels moved and cost may have changed. */
  wrote(): void {
    this.#areDue = true;
  }

  /** Notes what channels moved and cost, if that may have changed. */
  noteIfDue(): void {
    if (this.#areDue) this.noteChannels(NO_NEWS);
  }

  /** Apart from the turn that they are of: what is only shown takes nothing back that a block brought. */
  noteChannels(news: BlockNews): void {
    const { turns, now } = this.#parts;
    this.#areDue = false;
    turns.guarded(() => turns.lazily(() => this.#channels.update(news, now())));
  }
}
