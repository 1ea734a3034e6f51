import type { TaskReport } from './background-task.ts';

/** Lines kept; older ones are dropped. */
const MOST_LINES = 2000;

/** Recent history for a person who reports a problem. Nothing secret is ever put in: no keys, words, preimages. */
export class Log {
  readonly #lines: string[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  readonly write = (line: string): void => {
    this.#lines.push(`${new Date(this.#now()).toISOString()} ${line}`);
    if (this.#lines.length > MOST_LINES) this.#lines.shift();
  };

  /** The lines, oldest first, and after them how each task of the background processor has run. */
  text(tasks: readonly TaskReport[] = []): string {
    return [...this.#lines, ...tasks.map(taskLine)].join('\n');
  }
}

const OUTCOMES: Readonly<Record<TaskReport['outcome'], string>> = {
  none: '',
  underWay: ', under way',
  done: '',
  failed: ', failed',
};

function taskLine({ name, periodMs, lastRunAt, outcome }: TaskReport): string {
  const lastRun = lastRunAt === undefined ? 'no run yet' : `last run ${new Date(lastRunAt).toISOString()}`;
  return `task ${name}: every ${periodMs / 1_000} s, ${lastRun}${OUTCOMES[outcome]}`;
}
