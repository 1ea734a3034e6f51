import type { CommitReceipt } from '../primitives/commit-receipt.ts';
import type { StoreWrites } from '../primitives/store.ts';
import type { PendingUpdate } from '../monitor/chain-monitor.ts';
import type { Message } from '../wire/message.ts';
import type { ChannelEntry } from './channel-entry.ts';
import type { EngineEvent } from './engine-event.ts';

/** What leaves the engine. */
export type Effect =
  | {
      readonly kind: 'send';
      readonly nodeId: string;
      /** The connection that the message was made for: it is dropped with it. */
      readonly connectionId: number;
      readonly message: Message;
    }
  | { readonly kind: 'disconnect'; readonly nodeId: string; readonly connectionId: number; readonly reason: string }
  | { readonly kind: 'broadcast'; readonly transaction: Uint8Array }
  | { readonly kind: 'event'; readonly event: EngineEvent };

/**
 * Effects that wait for the commit of all that they depend on. Nobody can reach them without the receipt of a commit that
 * completed: write before send is a matter of types.
 */
export class AfterCommit {
  readonly #effects: readonly Effect[];

  constructor(effects: readonly Effect[]) {
    this.#effects = effects;
  }

  /** `receipt` proves the commit of this turn's writes and of all before it. */
  release(receipt: CommitReceipt): readonly Effect[] {
    void receipt;
    return this.#effects;
  }
}

/** One turn of the engine: what is to be written in one transaction, and what leaves after it. */
export interface TurnResult {
  readonly writes: StoreWrites;
  /** Monitor updates that the commit of `writes` completes. */
  readonly updates: readonly PendingUpdate[];
  readonly after: AfterCommit;
  /** Channels have changed: a commit is due, which `ChannelManager.endCommit` completes. */
  readonly commitDue: boolean;
}

/** Collects one turn. */
export class Turn {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly writes: StoreWrites = new Map();
  /** Channels that it changed, to be settled at its end or frozen by an error. */
  readonly touched: Set<ChannelEntry> = new Set();
  readonly #effects: Effect[] = [];

  constructor(now: number) {
    this.now = now;
  }

  leave(effect: Effect): void {
    this.#effects.push(effect);
  }

  /** Nothing where there is no transaction, as for the side that did not fund. */
  broadcast(transaction: Uint8Array): void {
    if (transaction.length > 0) this.leave({ kind: 'broadcast', transaction });
  }

  /** Ends the turn. */
  finish(updates: readonly PendingUpdate[], commitDue: boolean = false): TurnResult {
    return { writes: this.writes, updates, after: new AfterCommit(this.#effects), commitDue };
  }
}
