import { beforeEach, describe, expect, it } from 'vitest';
import { CHAIN_PARAMETERS } from '../../worker/edges/chain/chain-parameters.ts';
import { TipAge, type Staleness } from '../../worker/client/tip-age.ts';

const MINUTE = 60_000;
const START = 1_700_000_000_000;
let tip: TipAge;

beforeEach(() => {
  tip = new TipAge(CHAIN_PARAMETERS.bitcoin.rules);
});

/** After so many minutes. */
const after = (minutes: number): Staleness | undefined => tip.staleness(START + minutes * MINUTE);

/** A block is heard of so many minutes after the start, by whose end it was made as many minutes before. */
const hear = (hash: string, minutes: number, oldMinutes: number = 0): void =>
  tip.heard(hash, START + (minutes - oldMinutes) * MINUTE, START + minutes * MINUTE);

describe('the newest block', () => {
  it('is not missed before one is known', () => {
    expect(after(1_000_000)).toBeUndefined();
  });

  it('warns after an hour without another, and stops after two, however often it is told', () => {
    for (let minute = 0; minute < 60; minute += 10) hear('a', minute, minute);
    expect(after(59)).toBeUndefined();
    expect(after(60)).toEqual({ minutes: 60, stopped: false });
    hear('a', 90, 90);
    expect(after(119)).toEqual({ minutes: 119, stopped: false });
    expect(after(120)).toEqual({ minutes: 120, stopped: true });
    hear('b', 121);
    expect(after(122)).toBeUndefined();
  });

  it('that is old at the start stops at once, as its server stands still, and every start again', () => {
    hear('a', 0, 119);
    expect(after(0)).toEqual({ minutes: 119, stopped: false });
    expect(after(1)).toEqual({ minutes: 120, stopped: true });
  });

  it('stops nothing by a clock that is wrong while the tip moves, and warns of it', () => {
    hear('a', 0, 300);
    expect(after(0)).toEqual({ minutes: 300, stopped: true });
    hear('b', 5, 295);
    expect(after(5)).toEqual({ minutes: 295, stopped: false });
    expect(after(5 + 119)).toMatchObject({ stopped: false });
    expect(after(5 + 120)).toMatchObject({ stopped: true });
  });

  it('stops where a server shows the blocks of long ago, one every two hours', () => {
    hear('0', 0);
    // Made every ten minutes.
    for (let block = 1; block <= 20; block++) {
      hear(String(block), block * 119, block * 109);
      expect(after(block * 119)?.stopped).toBe(block > 1);
      expect(after(block * 119 + 11)?.stopped).toBe(true);
    }
  });

  it('stops where it is told later and later, also by a clock that is wrong', () => {
    for (let block = 0; block <= 20; block++) hear(String(block), block * 30, 300 + block * 20);
    expect(after(600)).toMatchObject({ stopped: true });
  });

  it.each([15, 20, 40])(
    'stops in the end where a server shows a block every %i minutes of those made every ten',
    (minutes) => {
      const stops = Array.from({ length: 150 }, (_, block) => {
        hear(String(block), block * minutes, block * (minutes - 10));
        return after(block * minutes)?.stopped ?? false;
      });
      expect(stops.slice(40)).toEqual(stops.slice(40).map(() => true));
    },
  );

  it('is missed by no block whose time is wrong', () => {
    for (let block = 0; block <= 40; block++) {
      // A miner may give a time of two hours ahead, and of about one ago.
      hear(String(block), block * 10, { 10: -120, 20: 60 }[block] ?? 0);
      expect(after(block * 10 + 10)?.stopped ?? false).toBe(false);
    }
  });

  it('is not missed for good where the clock is put forward', () => {
    for (let block = 0; block <= 45; block++)
      hear(String(block), block * 10 + (block > 5 ? 300 : 0), block > 5 ? 300 : 0);
    expect(after(750)).toMatchObject({ stopped: false });
  });

  it('is missed by a clock that is behind too, which takes its header for one of the future', () => {
    hear('a', 0, -300);
    expect(after(59)).toBeUndefined();
    expect(after(120)).toEqual({ minutes: 120, stopped: true });
  });

  it('begins anew where the clock is put back', () => {
    hear('a', 0);
    hear('a', -600, -600);
    expect(after(-541)).toBeUndefined();
    expect(after(-540)).toEqual({ minutes: 60, stopped: false });
  });

  it('of a chain of short blocks is missed sooner', () => {
    tip = new TipAge(CHAIN_PARAMETERS.mutinynet.rules);
    hear('a', 0);
    expect([4, 5, 9, 10].map((minutes) => after(minutes)?.stopped)).toEqual([undefined, false, false, true]);
  });

  it('of regtest may be of any age', () => {
    tip = new TipAge(CHAIN_PARAMETERS.regtest.rules);
    hear('a', 0, 1_000_000);
    expect(after(1_000_000)).toBeUndefined();
  });
});
