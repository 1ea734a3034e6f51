import { hasPassed } from '../edges/transport/timers.ts';

/** Something that is done again and again. */
export interface BackgroundTask<Name extends string = string> {
  readonly name: Name;
  /** From the end of one run to the beginning of the next. */
  readonly periodMs: number;
  /** Throws, or rejects, for a mistake of ours only. */
  readonly run: () => void | Promise<void>;
}

/** What the log says of a task. */
export interface TaskReport {
  readonly name: string;
  readonly periodMs: number;
  /** When its last run began, in milliseconds since 1970; absent before the first. */
  readonly lastRunAt?: number;
  /** What became of that run. */
  readonly outcome: 'none' | 'underWay' | 'done' | 'failed';
}

/** A task, and when it is due: never while it runs. */
export class ScheduledTask<Name extends string> {
  readonly task: BackgroundTask<Name>;
  /** Since the end of its last run, or the beginning of the loop; `undefined` while it runs. */
  #restsSince: number | undefined;
  #isWanted = false;
  #lastRunAt: number | undefined;
  #outcome: TaskReport['outcome'] = 'none';

  constructor(task: BackgroundTask<Name>) {
    this.task = task;
  }

  get report(): TaskReport {
    const { name, periodMs } = this.task;
    const lastRunAt = this.#lastRunAt;
    return { name, periodMs, ...(lastRunAt === undefined ? {} : { lastRunAt }), outcome: this.#outcome };
  }

  /** Makes it due once, whatever its period says. */
  want(): void {
    this.#isWanted = true;
  }

  /** However long it was due, one run is enough: so it is after a long sleep of the device. */
  begin(now: number): void {
    this.#restsSince = undefined;
    this.#isWanted = false;
    this.#lastRunAt = now;
    this.#outcome = 'underWay';
  }

  end(outcome: 'done' | 'failed'): void {
    this.#outcome = outcome;
  }

  /** Its period begins. */
  rest(now: number): void {
    this.#restsSince = now;
  }

  /** In so many milliseconds it is due; `Infinity` while it runs. */
  dueInMs(now: number): number {
    const since = this.#restsSince;
    if (since === undefined) return Infinity;
    const { periodMs } = this.task;
    return this.#isWanted || hasPassed(periodMs, since, now) ? 0 : periodMs - (now - since);
  }
}
