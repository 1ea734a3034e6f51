import type { Store } from '../edges/storage/store.ts';
import type { ChannelManager } from '../engine/manager/channel-manager.ts';
import type { Effect, TurnResult } from '../engine/manager/turn.ts';
import type { GlowwormError } from '../engine/primitives/errors.ts';
import { Committer } from './committer.ts';

export interface NodeTurnsParts {
  readonly manager: ChannelManager;
  readonly store: Store;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Calls back after what has arrived already was handled. */
  readonly soon: (callback: () => void) => void;
  /** Lets an effect leave whose turn is durable. */
  readonly leave: (effect: Effect) => void;
  /** A turn that is not lazy has written something. */
  readonly wrote: () => void;
  /** Something that a snapshot shows has changed. */
  readonly changed: () => void;
  readonly log: (line: string) => void;
  /** Called once: nothing leaves and nothing is run any more. */
  readonly frozen: (problem: GlowwormError) => void;
}

/** How everything that happens to a node comes in: one turn after the other, until a write fails. */
export class NodeTurns {
  readonly #parts: NodeTurnsParts;
  readonly #committer: Committer;
  #problem: GlowwormError | undefined;

  constructor(parts: NodeTurnsParts) {
    const { manager, store, now, soon, leave } = parts;
    this.#parts = parts;
    this.#committer = new Committer({
      target: store,
      soon,
      release: (effects) => effects.forEach((effect) => this.guarded(() => leave(effect))),
      endCommit: (updates) => manager.endCommit(now(), updates),
      completed: (updates) => {
        if (updates.length === 0) return;
        const complete = (): void =>
          updates.forEach((done) => manager.channelMonitorUpdated(done.channelKey, done.updateId));
        this.guarded(() => this.turn(complete));
      },
      failed: (error) => this.freeze(error),
      threw: (error) => this.report(error),
    });
  }

  /** The failure that stopped everything. */
  get problem(): GlowwormError | undefined {
    return this.#problem;
  }

  /** Runs one input; what it changes is written, and what it sends leaves after that. Throws what `work` throws. */
  turn<T>(work: () => T): T {
    const { value, result } = this.#run(work);
    this.#committer.submit(result);
    if (result.writes.size > 0) this.#parts.wrote();
    if (result.commitDue || result.writes.size > 0) this.#parts.changed();
    return value;
  }

  /** As `turn`, and resolves when the outcome is durable. Rejects with the error of the store when it can't be. */
  async durably<T>(work: () => T): Promise<T> {
    const value = this.turn(work);
    await this.#committer.settled();
    return value;
  }

  /** As `turn`, for what may be lost without harm: it is written with the next thing that is, or by `flush`. */
  lazily(work: () => void): void {
    this.#committer.submitLazily(this.#run(work).result);
  }

  /** Writes what was done lazily and nothing else has taken along. */
  flush(): void {
    this.#committer.flush();
  }

  /** Resolves when what was done so far is durable, or is not going to be: see `problem`. */
  async settled(): Promise<void> {
    await this.#committer.settled().catch(() => undefined);
  }

  /** For inputs that nobody waits for: an error of ours has frozen its channel already, and here it goes to the log. */
  guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.report(error);
    }
  }

  report(error: unknown): void {
    if (error === this.#problem) return;
    this.#parts.log(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }

  /** What is in memory may be ahead of the store, so nothing of it may leave, ever. */
  freeze(problem: GlowwormError): void {
    this.#problem = problem;
    this.#parts.log(`frozen: ${problem.code} ${problem.message}`);
    this.#parts.frozen(problem);
    this.#parts.changed();
  }

  /** What is under way may still become durable; after that nothing leaves any more. */
  async stop(): Promise<void> {
    this.flush();
    await this.settled();
    this.#committer.stop();
  }

  /** What a turn threw may have frozen channels, which is shown. */
  #run<T>(work: () => T): { readonly value: T; readonly result: TurnResult } {
    if (this.#problem !== undefined) throw this.#problem;
    try {
      return this.#parts.manager.run(this.#parts.now(), work);
    } catch (error) {
      this.#parts.changed();
      throw error;
    }
  }
}
