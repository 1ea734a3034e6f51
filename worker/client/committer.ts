import type { CommitReceipt } from '../engine/primitives/commit-receipt.ts';
import { GlowwormError } from '../engine/primitives/errors.ts';
import type { StoreWrites } from '../engine/primitives/store.ts';
import type { AfterCommit, Effect, TurnResult } from '../engine/manager/turn.ts';
import type { PendingUpdate } from '../engine/monitor/chain-monitor.ts';

/** Writes a group of turns in one transaction. */
export interface CommitTarget {
  commit(writes: StoreWrites): Promise<CommitReceipt>;
}

export interface CommitterParts {
  readonly target: CommitTarget;
  /** Effects whose turns are durable, in the order in which they were made. */
  readonly release: (effects: readonly Effect[]) => void;
  /** Ends the group of turns that is about to be committed: what it answers joins them. `updates` are theirs. */
  readonly endCommit: (updates: readonly PendingUpdate[]) => TurnResult;
  /** Updates that a commit has completed, after the effects of its turns have left. */
  readonly completed: (updates: readonly PendingUpdate[]) => void;
  /** A commit failed: nothing leaves any more. Called once. */
  readonly failed: (error: GlowwormError) => void;
  /** `release` or `completed` threw, a mistake of ours: what else is durable leaves all the same. */
  readonly threw: (error: unknown) => void;
  /** Calls back soon, after what has arrived already: turns of one delivery share a commit. */
  readonly soon: (callback: () => void) => void;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: GlowwormError) => void;
}

interface Batch {
  readonly writes: StoreWrites;
  readonly afters: AfterCommit[];
  readonly updates: PendingUpdate[];
  readonly waiters: Waiter[];
}

/**
 * Group commit: one transaction at a time; turns that end meanwhile share the next. Effects leave in the order of their
 * turns, and none before the writes of its own turn and of all turns before it are durable.
 */
export class Committer {
  readonly #parts: CommitterParts;
  #open: Batch | undefined;
  #inFlight: Batch | undefined;
  #lazy: StoreWrites = new Map();
  #scheduled = false;
  #receipt: CommitReceipt | undefined;
  #stopped = false;
  #failure: GlowwormError | undefined;

  constructor(parts: CommitterParts) {
    this.#parts = parts;
  }

  submit(turn: TurnResult): void {
    const { writes, after, commitDue } = turn;
    if (this.#stopped) return;
    if (writes.size === 0 && !commitDue && this.#open === undefined) {
      // Nothing of its own to wait for, but what it says may build on turns that are not durable yet.
      if (this.#inFlight !== undefined) this.#inFlight.afters.push(after);
      else if (this.#receipt !== undefined) this.#release(after, this.#receipt);
      else this.#openBatch().afters.push(after);
      return;
    }
    join(this.#openBatch(), turn);
  }

  /**
   * Takes writes that nothing depends on and that may be lost, such as acknowledgements: they go with the next commit, and
   * get none of their own before `flush`.
   */
  submitLazily({ writes }: TurnResult): void {
    for (const [key, value] of writes) this.#lazy.set(key, value);
  }

  /** Commits what was submitted lazily, if nothing else has taken it along. */
  flush(): void {
    if (this.#lazy.size > 0 && !this.#stopped) this.#openBatch();
  }

  /**
   * Resolves when everything submitted so far is durable and has left, whatever is submitted after it; rejects when a
   * commit failed.
   */
  settled(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const newest = this.#open ?? this.#inFlight;
    if (newest === undefined) return Promise.resolve();
    return new Promise((resolve, reject) => newest.waiters.push({ resolve, reject }));
  }

  /** Nothing leaves after this, whatever completes. */
  stop(): void {
    this.#stopped = true;
  }

  #openBatch(): Batch {
    this.#open ??= { writes: new Map(), afters: [], updates: [], waiters: [] };
    this.#schedule();
    return this.#open;
  }

  #schedule(): void {
    if (this.#scheduled || this.#inFlight !== undefined) return;
    this.#scheduled = true;
    this.#parts.soon(() => {
      this.#scheduled = false;
      void this.#commit();
    });
  }

  async #commit(): Promise<void> {
    const batch = this.#open;
    if (batch === undefined || this.#inFlight !== undefined || this.#stopped) return;
    try {
      join(batch, this.#parts.endCommit(batch.updates));
    } catch (error) {
      // Without its end the group is not whole: nothing of it may be written.
      return this.#fail(
        asGlowwormError(error, 'InvariantBroken', 'The wallet stopped itself: it could not be written.'),
      );
    }
    this.#open = undefined;
    this.#inFlight = batch;
    for (const [key, value] of this.#lazy) if (!batch.writes.has(key)) batch.writes.set(key, value);
    this.#lazy = new Map();
    try {
      if (batch.writes.size > 0 || this.#receipt === undefined)
        this.#receipt = await this.#parts.target.commit(batch.writes);
    } catch (error) {
      return this.#fail(asGlowwormError(error, 'StorageFailed', 'The wallet could not be written.'));
    }
    this.#inFlight = undefined;
    if (this.#stopped) return;
    for (const after of batch.afters) this.#release(after, this.#receipt);
    this.#guarded(() => this.#parts.completed(batch.updates));
    for (const { resolve } of batch.waiters) resolve();
    if (this.#open !== undefined) this.#schedule();
  }

  #release(after: AfterCommit, receipt: CommitReceipt): void {
    this.#guarded(() => this.#parts.release(after.release(receipt)));
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#parts.threw(error);
    }
  }

  #fail(error: GlowwormError): void {
    this.#stopped = true;
    this.#failure = error;
    for (const batch of [this.#inFlight, this.#open]) for (const { reject } of batch?.waiters ?? []) reject(error);
    this.#parts.failed(error);
  }
}

function join(batch: Batch, { writes, after, updates }: TurnResult): void {
  for (const [key, value] of writes) batch.writes.set(key, value);
  batch.afters.push(after);
  batch.updates.push(...updates);
}

const asGlowwormError = (error: unknown, code: string, message: string): GlowwormError =>
  error instanceof GlowwormError ? error : new GlowwormError(code, message);
