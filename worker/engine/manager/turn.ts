import type { CommitReceipt } from '../primitives/commit-receipt.ts';
import type { StoreWrites } from '../primitives/store.ts';
import { UndoableMap, UndoLog } from '../primitives/undo-log.ts';
import type { PendingUpdate } from '../monitor/chain-monitor.ts';
import type { TransactionPackage } from '../transactions/transaction-package.ts';
import type { Message } from '../wire/message.ts';
import type { ChannelEntry, TouchedEntry } from './channel-entry.ts';
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
  | { readonly kind: 'broadcast'; readonly transactions: TransactionPackage }
  /** The record of a revoked commitment is needed: `ChannelManager.revokedRead` takes it. */
  | { readonly kind: 'readRevoked'; readonly channelKey: string; readonly recordKey: string }
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
  /** Takes back what the turn has changed in memory: where it fails, memory is what it was before. */
  readonly undo: UndoLog = new UndoLog();
  readonly writes: StoreWrites = new UndoableMap(() => this.undo);
  #touched: ReadonlySet<ChannelEntry> = new Set();
  /** Of those, the ones that the running `attempt` can take back. */
  #undoable = new Set<ChannelEntry>();
  readonly #effects: Effect[] = [];

  constructor(now: number) {
    this.now = now;
  }

  /** Channels that it changed, to be settled at its end or frozen by an error. */
  get touched(): ReadonlySet<ChannelEntry> {
    return this.#touched;
  }

  /** The same entry, for changing it: with the turn its fields, and what its signer remembers, are taken back. */
  touch(entry: ChannelEntry): TouchedEntry {
    if (!this.#undoable.has(entry)) {
      const [before, signerState] = [{ ...entry }, entry.signer.state];
      this.undo.push(() => {
        Object.assign(entry, before);
        entry.signer.rollBack(signerState);
      });
      this.#undoable.add(entry);
      this.#touched = new Set([...this.#touched, entry]);
    }
    return entry;
  }

  /** A part of the turn that can fail alone: then it alone is taken back, and its error is the answer. */
  attempt(work: () => void): { readonly error: unknown } | undefined {
    const [mark, effects, touched, undoable] = [this.undo.mark, this.#effects.length, this.#touched, this.#undoable];
    this.#undoable = new Set();
    try {
      work();
      for (const entry of undoable) this.#undoable.add(entry);
      return undefined;
    } catch (error) {
      this.undo.rollBack(mark);
      this.#effects.length = effects;
      this.#touched = touched;
      this.#undoable = undoable;
      return { error };
    }
  }

  leave(effect: Effect): void {
    this.#effects.push(effect);
  }

  /** Nothing where the first is empty, as for the side that did not fund. */
  broadcast(...transactions: TransactionPackage): void {
    if (transactions[0].length > 0) this.leave({ kind: 'broadcast', transactions });
  }

  /** Ends the turn. */
  finish(updates: readonly PendingUpdate[], commitDue: boolean = false): TurnResult {
    return { writes: this.writes, updates, after: new AfterCommit(this.#effects), commitDue };
  }
}
