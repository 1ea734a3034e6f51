import { expect, it } from 'vitest';
import { Rotation } from '../../../worker/edges/chain/rotation.ts';

const MINUTE_MS = 60_000;

/** How many of 900 are due in each of some intervals of ten minutes, asked once in so many minutes. */
function dueIn(rotation: Rotation, tens: number, minutes: number): number[] {
  const due = Array.from({ length: tens }, () => 0);
  rotation.due(900, 0);
  for (let minute = minutes; minute <= tens * 10; minute += minutes) {
    const ten = Math.ceil(minute / 10) - 1;
    due[ten] = (due[ten] ?? 0) + rotation.due(900, minute * MINUTE_MS);
  }
  return due;
}

it.each([0.5, 1, 5, 10])('all have their turn within 45 minutes, asked once in %d minutes', (minutes) => {
  expect(dueIn(new Rotation(), 5, minutes)).toEqual([200, 200, 200, 200, 200]);
});

it('all have a quick turn after a start, however seldom one asks', () => {
  for (const minutes of [0.5, 1, 5, 10]) {
    const rotation = new Rotation();
    rotation.hurry(0);
    expect(dueIn(rotation, 1, minutes)[0]).toBeGreaterThanOrEqual(900);
  }
});

it('a quick turn is none again a short while later, and one after half an hour, or once the clock was put back', () => {
  const rotation = new Rotation();
  rotation.hurry(1000 * MINUTE_MS);
  rotation.due(900, 1005 * MINUTE_MS);
  rotation.hurry(1006 * MINUTE_MS);
  expect(rotation.due(900, 1010 * MINUTE_MS)).toBe(100);
  rotation.hurry(1030 * MINUTE_MS);
  rotation.due(900, 1030 * MINUTE_MS);
  expect(rotation.due(900, 1035 * MINUTE_MS)).toBe(900);
  rotation.hurry(500 * MINUTE_MS);
  rotation.due(900, 500 * MINUTE_MS);
  expect(rotation.due(900, 505 * MINUTE_MS)).toBe(900);
});

it('after a sleep all are due, once', () => {
  const rotation = new Rotation();
  rotation.due(900, 0);
  expect(rotation.due(900, 600 * MINUTE_MS)).toBe(900);
  expect(rotation.due(900, 600 * MINUTE_MS)).toBe(0);
});
