import type { Timers } from '../edges/transport/timers.ts';
import type { GlowwormError } from '../engine/primitives/errors.ts';
import { ScheduledTask, type BackgroundTask, type TaskReport } from './background-task.ts';

export interface BackgroundProcessorParts<Name extends string> {
  /** Those that are due at the same time run in this order. */
  readonly tasks: readonly BackgroundTask<Name>[];
  readonly timers: Timers;
  /** Calls back after what has arrived already was handled. */
  readonly soon: (callback: () => void) => void;
  readonly log: (line: string) => void;
}

/**
 * LDK's `BackgroundProcessor`: one loop for what has to be done now and then, each by its name and period. What a task throws goes to
 * the log and holds up no other; a write that fails ends the loop, for what is in memory may then be ahead of the store.
 */
export class BackgroundProcessor<Name extends string> {
  readonly #parts: BackgroundProcessorParts<Name>;
  readonly #tasks: readonly ScheduledTask<Name>[];
  #state: 'idle' | 'running' | 'stopped' = 'idle';
  #timer: unknown;

  constructor(parts: BackgroundProcessorParts<Name>) {
    this.#parts = parts;
    this.#tasks = parts.tasks.map((task) => new ScheduledTask(task));
  }

  /** How each task has run so far, in their order. */
  get reports(): readonly TaskReport[] {
    return this.#tasks.map(({ report }) => report);
  }

  /** Every task has its first run after its period, or soon where it was woken. */
  start(): void {
    if (this.#state !== 'idle') return;
    this.#state = 'running';
    for (const task of this.#tasks) task.rest(this.#now());
    this.#arm();
  }

  /** Runs a task soon; one that is under way, once more when that has ended. */
  wake(name: Name): void {
    for (const scheduled of this.#tasks) if (scheduled.task.name === name) scheduled.want();
    this.#parts.soon(() => this.#runDue());
  }

  /**
   * No task begins after this. One that is under way is not waited for: what may take long is a question to a server, whose answer
   * nobody wants any more.
   */
  stop(): void {
    this.#state = 'stopped';
    this.#parts.timers.clearTimeout(this.#timer);
  }

  /** A write has failed, or what else nobody may build on: as `stop`, and says so. */
  fail({ code }: GlowwormError): void {
    if (this.#state === 'stopped') return;
    this.stop();
    this.#parts.log(`background processor stopped: ${code}`);
  }

  #runDue(): void {
    if (!this.#isRunning()) return;
    const ended: ScheduledTask<Name>[] = [];
    for (const scheduled of this.#tasks) {
      if (!this.#isRunning()) return;
      if (scheduled.dueInMs(this.#now()) === 0 && this.#run(scheduled) === 'ended') ended.push(scheduled);
    }
    // Together, so that those of one period stay together, and the loop sleeps in between.
    for (const scheduled of ended) scheduled.rest(this.#now());
    this.#arm();
  }

  #run(scheduled: ScheduledTask<Name>): 'ended' | 'underWay' {
    scheduled.begin(this.#now());
    try {
      const run = scheduled.task.run();
      if (run === undefined) {
        scheduled.end('done');
        return 'ended';
      }
      void this.#follow(scheduled, run);
      return 'underWay';
    } catch (error) {
      this.#failed(scheduled, error);
      return 'ended';
    }
  }

  async #follow(scheduled: ScheduledTask<Name>, run: Promise<void>): Promise<void> {
    try {
      await run;
      scheduled.end('done');
    } catch (error) {
      this.#failed(scheduled, error);
    }
    scheduled.rest(this.#now());
    this.#arm();
  }

  #failed(scheduled: ScheduledTask<Name>, error: unknown): void {
    scheduled.end('failed');
    // What fails for the end of the loop is known already.
    if (!this.#isRunning()) return;
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#parts.log(`the task ${scheduled.task.name} failed: ${what}`);
  }

  /** One timer for all: for what is due first. */
  #arm(): void {
    const { timers } = this.#parts;
    timers.clearTimeout(this.#timer);
    if (!this.#isRunning()) return;
    const inMs = Math.min(...this.#tasks.map((scheduled) => scheduled.dueInMs(this.#now())));
    if (inMs < Infinity) this.#timer = timers.setTimeout(() => this.#runDue(), inMs);
  }

  /** A method, because a task may have stopped the loop since the last look. */
  #isRunning(): boolean {
    return this.#state === 'running';
  }

  #now(): number {
    return this.#parts.timers.now();
  }
}
