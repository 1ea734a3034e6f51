import { beforeEach, describe, expect, it } from 'vitest';
import { BackgroundProcessor } from '../../worker/client/background-processor.ts';
import type { BackgroundTask, TaskReport } from '../../worker/client/background-task.ts';
import type { Timers } from '../../worker/edges/transport/timers.ts';
import { GlowwormError } from '../../worker/engine/primitives/errors.ts';
import { FakeTimers } from '../edges/transport/fake-timers.ts';

type Name = 'timers' | 'feerates' | 'flush';

let timers: FakeTimers;
/** What the clock shows beside the time of the timers: a device that sleeps stops these, and not the clock. */
let sleptMs: number;
let ran: string[];
let log: string[];
let arrived: (() => void)[];

beforeEach(() => {
  timers = new FakeTimers();
  sleptMs = 0;
  ran = [];
  log = [];
  arrived = [];
});

const clock: Timers = {
  now: () => timers.now() + sleptMs,
  setTimeout: (callback, delayMs) => timers.setTimeout(callback, delayMs),
  clearTimeout: (timer) => timers.clearTimeout(timer),
};

/** A task that notes each of its runs, and does `work`. */
const task = (name: Name, periodMs: number, work: BackgroundTask['run'] = () => undefined): BackgroundTask<Name> => ({
  name,
  periodMs,
  run: () => {
    ran.push(`${name} ${clock.now()}`);
    return work();
  },
});

function started(...tasks: readonly BackgroundTask<Name>[]): BackgroundProcessor<Name> {
  const processor = new BackgroundProcessor({
    tasks,
    timers: clock,
    soon: (callback) => void arrived.push(callback),
    log: (line) => void log.push(line),
  });
  processor.start();
  return processor;
}

/** What has arrived is handled, and what comes soon is. */
async function settle(): Promise<void> {
  for (const callback of arrived.splice(0)) callback();
  await new Promise((resolve) => setImmediate(resolve));
}

/** A task whose runs end when the test says so. */
function slow(): { readonly work: () => Promise<void>; readonly end: (error?: Error) => Promise<void> } {
  let ends: (error?: Error) => void = () => undefined;
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => (ends = (error) => (error === undefined ? resolve() : reject(error))));
  return {
    work,
    end: (error) => {
      ends(error);
      return settle();
    },
  };
}

const reportOf = (processor: BackgroundProcessor<Name>, name: Name): TaskReport | undefined =>
  processor.reports.find((report) => report.name === name);

describe('a task', () => {
  it('runs first after its period, and then again and again', () => {
    started(task('timers', 1_000));
    timers.advance(999);
    expect(ran).toEqual([]);
    timers.advance(2_001);
    expect(ran).toEqual(['timers 1000', 'timers 2000', 'timers 3000']);
  });

  it('runs in the order of the list where several are due, on one timer for all', () => {
    started(task('timers', 2_000), task('feerates', 1_000), task('flush', 1_000));
    expect(timers.pending).toBe(1);
    timers.advance(2_000);
    expect(ran).toEqual(['feerates 1000', 'flush 1000', 'timers 2000', 'feerates 2000', 'flush 2000']);
    expect(timers.pending).toBe(1);
  });

  it('rests for its whole period, also where its runs and those of others take longer than that', () => {
    const took = (): void => void (sleptMs += 1_500);
    started(task('timers', 1_000, took), task('flush', 1_000, took));
    timers.advance(1_000);
    expect([ran, timers.nextDelayMs]).toEqual([['timers 1000', 'flush 2500'], 1_000]);
  });

  it('does not run while it runs, however long that takes, and then rests for its period', async () => {
    const { work, end } = slow();
    started(task('feerates', 1_000, work));
    timers.advance(10_000);
    expect(ran).toEqual(['feerates 1000']);
    await end();
    timers.advance(999);
    expect(ran).toEqual(['feerates 1000']);
    timers.advance(1);
    expect(ran).toEqual(['feerates 1000', 'feerates 11000']);
  });

  it('that takes its time holds up no other', () => {
    started(task('feerates', 1_000, slow().work), task('timers', 1_000));
    timers.advance(3_000);
    expect(ran).toEqual(['feerates 1000', 'timers 1000', 'timers 2000', 'timers 3000']);
  });

  it('runs once after a long sleep of the device, not once for each time that it was due', () => {
    started(task('timers', 1_000), task('feerates', 120_000));
    sleptMs = 8 * 3_600_000;
    timers.advance(1_000);
    const woken = sleptMs + 1_000;
    expect(ran).toEqual([`timers ${woken}`, `feerates ${woken}`]);
    timers.advance(1_000);
    expect(ran.slice(2)).toEqual([`timers ${woken + 1_000}`]);
  });

  it('is not held up by a clock that was put back', () => {
    started(task('timers', 1_000), task('feerates', 120_000));
    timers.advance(1_000);
    sleptMs = -86_400_000;
    timers.advance(1_000);
    const back = 2_000 - 86_400_000;
    expect(ran).toEqual(['timers 1000', `timers ${back}`, `feerates ${back}`]);
    timers.advance(119_999);
    expect(ran.filter((each) => each.startsWith('feerates'))).toHaveLength(1);
    timers.advance(1);
    expect(ran.filter((each) => each.startsWith('feerates'))).toHaveLength(2);
  });
});

describe('a task that is woken', () => {
  it('runs once as soon as what has arrived is handled, and rests for its period from then on', async () => {
    const processor = started(task('timers', 1_000), task('feerates', 120_000));
    timers.advance(60_500);
    ran = [];
    processor.wake('feerates');
    processor.wake('feerates');
    expect(ran).toEqual([]);
    await settle();
    expect([ran, timers.pending]).toEqual([['feerates 60500'], 1]);
    timers.advance(119_999);
    expect(ran.filter((each) => each.startsWith('feerates'))).toHaveLength(1);
    timers.advance(1);
    expect(ran.filter((each) => each.startsWith('feerates'))).toHaveLength(2);
  });

  it('before the loop begins runs when it begins', () => {
    const processor = new BackgroundProcessor({
      tasks: [task('feerates', 120_000)],
      timers: clock,
      soon: (callback) => void arrived.push(callback),
      log: (line) => void log.push(line),
    });
    processor.wake('feerates');
    timers.advance(5_000);
    for (const callback of arrived.splice(0)) callback();
    expect(ran).toEqual([]);
    processor.start();
    timers.advance(0);
    expect(ran).toEqual(['feerates 5000']);
  });

  it('while it runs runs once more when that has ended', async () => {
    const { work, end } = slow();
    const processor = started(task('feerates', 120_000, work));
    processor.wake('feerates');
    await settle();
    processor.wake('feerates');
    await settle();
    expect(ran).toEqual(['feerates 0']);
    await end();
    timers.advance(0);
    expect(ran).toEqual(['feerates 0', 'feerates 0']);
  });

  it('by one that runs before it in the list has its turn with it, and no other beside', async () => {
    let processor: BackgroundProcessor<Name> | undefined = undefined;
    const waking = (): void => processor?.wake('flush');
    processor = started(task('timers', 1_000, waking), task('flush', 60_000));
    timers.advance(1_000);
    await settle();
    expect(ran).toEqual(['timers 1000', 'flush 1000']);
  });
});

describe('a mistake in a task', () => {
  const mistake = (): never => {
    throw new TypeError('a mistake of ours');
  };

  it('is logged by its name, and the others go on', () => {
    const processor = started(task('timers', 1_000, mistake), task('flush', 1_000));
    timers.advance(1_000);
    expect(ran).toEqual(['timers 1000', 'flush 1000']);
    expect(log.join('\n')).toContain('the task timers failed: TypeError: a mistake of ours');
    expect(processor.reports.map(({ outcome }) => outcome)).toEqual(['failed', 'done']);
  });

  it('does not keep it from its next run', () => {
    const mistakes = [mistake];
    const processor = started(task('timers', 1_000, () => mistakes.pop()?.()));
    timers.advance(2_000);
    expect([ran, log.length]).toEqual([['timers 1000', 'timers 2000'], 1]);
    expect(reportOf(processor, 'timers')?.outcome).toBe('done');
  });

  it('is the same where the task takes its time', async () => {
    const { work, end } = slow();
    const processor = started(task('feerates', 1_000, work), task('flush', 1_000));
    timers.advance(1_000);
    await end(new TypeError('a mistake of ours'));
    expect(log.join('\n')).toContain('the task feerates failed: TypeError: a mistake of ours');
    expect(reportOf(processor, 'feerates')?.outcome).toBe('failed');
    timers.advance(1_000);
    expect(ran.slice(2)).toEqual(['feerates 2000', 'flush 2000']);
  });
});

describe('a write that failed', () => {
  const problem = new GlowwormError('StorageFailed', 'The wallet could not be written.');

  it('ends the loop, which says so', () => {
    const processor = started(task('timers', 1_000));
    timers.advance(1_000);
    processor.fail(problem);
    processor.fail(problem);
    timers.advance(60_000);
    expect([ran, timers.pending, log]).toEqual([['timers 1000'], 0, ['background processor stopped: StorageFailed']]);
  });

  it('in the middle of a round keeps those from running that were to come', () => {
    let processor: BackgroundProcessor<Name> | undefined = undefined;
    const failing = (): never => {
      processor?.fail(problem);
      throw problem;
    };
    processor = started(task('timers', 1_000, failing), task('flush', 1_000));
    timers.advance(60_000);
    expect([ran, timers.pending, log.length]).toEqual([['timers 1000'], 0, 1]);
  });
});

describe('a stop', () => {
  it('lets no task begin, woken or due', async () => {
    const processor = started(task('timers', 1_000), task('feerates', 1_000));
    processor.wake('feerates');
    processor.stop();
    expect(timers.pending).toBe(0);
    processor.wake('timers');
    await settle();
    timers.advance(60_000);
    expect([ran, timers.pending]).toEqual([[], 0]);
  });

  it('does not wait for a task that is under way, which does not run again, nor is its failure told', async () => {
    const { work, end } = slow();
    const processor = started(task('feerates', 1_000, work));
    timers.advance(1_000);
    processor.stop();
    await end(new TypeError('aborted'));
    timers.advance(60_000);
    expect([ran, timers.pending, log]).toEqual([['feerates 1000'], 0, []]);
  });

  it('is for good', () => {
    const processor = started(task('timers', 1_000));
    processor.stop();
    processor.start();
    timers.advance(60_000);
    expect(ran).toEqual([]);
  });
});

it('reports the period and the last run of each task', async () => {
  const { work, end } = slow();
  const processor = started(task('timers', 1_000), task('feerates', 1_500, work), task('flush', 60_000));
  timers.advance(2_000);
  const period = { timers: 1_000, feerates: 1_500, flush: 60_000 };
  expect(processor.reports).toEqual([
    { name: 'timers', periodMs: period.timers, lastRunAt: 2_000, outcome: 'done' },
    { name: 'feerates', periodMs: period.feerates, lastRunAt: 1_500, outcome: 'underWay' },
    { name: 'flush', periodMs: period.flush, outcome: 'none' },
  ]);
  await end();
  expect(reportOf(processor, 'feerates')).toMatchObject({ lastRunAt: 1_500, outcome: 'done' });
});
