import { describe, expect, it } from 'vitest';
import { Wakefulness } from '../../worker/client/wakefulness.ts';

const START = 1_700_000_000_000;

/** One that has ticked once a second from the start until so many seconds after it. */
function awakeFor(seconds: number): Wakefulness {
  const awake = new Wakefulness();
  for (let second = 0; second <= seconds; second++) awake.note(START + second * 1_000);
  return awake;
}

describe('peers have had a while to come back', () => {
  it('half a minute after a start', () => {
    expect(awakeFor(29).isLong(START + 29_999)).toBe(false);
    expect(awakeFor(30).isLong(START + 30_000)).toBe(true);
  });

  it('ten seconds after they are met, however long the chain was not known', () => {
    const awake = awakeFor(60);
    awake.met(START + 60_000);
    expect(awake.isLong(START + 69_999)).toBe(false);
    expect(awake.isLong(START + 70_000)).toBe(true);
  });

  it('half a minute after a sleep, and not because the clock went on in it', () => {
    const awake = awakeFor(60);
    const woken = START + 60_000 + 3_600_000;
    awake.note(woken);
    expect(awake.isLong(woken)).toBe(false);
    expect(awake.isLong(woken + 29_999)).toBe(false);
    expect(awake.isLong(woken + 30_000)).toBe(true);
  });

  it('half a minute after the clock was put back, and not a day', () => {
    const awake = awakeFor(60);
    awake.met(START + 60_000);
    const back = START - 86_400_000;
    for (let second = 0; second <= 30; second++) awake.note(back + second * 1_000);
    expect(awake.isLong(back + 29_999)).toBe(false);
    expect(awake.isLong(back + 30_000)).toBe(true);
  });

  it('also where ticks come once a minute, as in a tab in the background', () => {
    const awake = awakeFor(60);
    for (let minute = 2; minute < 10; minute++) {
      awake.note(START + minute * 60_000);
      expect(awake.isLong(START + minute * 60_000)).toBe(true);
    }
  });
});
