import { expect, it } from 'vitest';
import { Log } from '../../worker/client/log.ts';

it('the log has its lines with their time, and after them the period and the last run of each task', () => {
  let now = Date.UTC(2026, 0, 2, 3, 4, 5);
  const log = new Log(() => now);
  log.write('one');
  now += 1_000;
  log.write('two');
  const common = { name: 'timers', periodMs: 1_000 };
  const lines = log
    .text([
      { ...common, outcome: 'none' },
      { ...common, outcome: 'done', lastRunAt: now },
      { ...common, outcome: 'failed', lastRunAt: now },
      { name: 'feerates', periodMs: 120_000, outcome: 'underWay', lastRunAt: now },
    ])
    .split('\n');
  expect(lines).toEqual([
    '2026-01-02T03:04:05.000Z one',
    '2026-01-02T03:04:06.000Z two',
    'task timers: every 1 s, no run yet',
    'task timers: every 1 s, last run 2026-01-02T03:04:06.000Z',
    'task timers: every 1 s, last run 2026-01-02T03:04:06.000Z, failed',
    'task feerates: every 120 s, last run 2026-01-02T03:04:06.000Z, under way',
  ]);
});

it('the log keeps the newest lines', () => {
  const log = new Log(() => 0);
  for (let line = 1; line <= 2_001; line++) log.write(`line ${line}`);
  const lines = log.text().split('\n');
  expect([lines.length, lines[0], lines.at(-1)]).toEqual([
    2_000,
    '1970-01-01T00:00:00.000Z line 2',
    '1970-01-01T00:00:00.000Z line 2001',
  ]);
});
