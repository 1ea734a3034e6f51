import { describe, expect, it } from 'vitest';
import { UndoableMap, UndoLog } from '../../../worker/engine/primitives/undo-log.ts';

describe('an undo log', () => {
  it('takes back the newest change first, as far as a mark', () => {
    const log = new UndoLog();
    const taken: string[] = [];
    log.push(() => taken.push('first'));
    const { mark } = log;
    log.push(() => taken.push('second'));
    log.push(() => taken.push('third'));
    log.rollBack(mark);
    expect(taken).toEqual(['third', 'second']);
    log.rollBack();
    log.rollBack();
    expect(taken).toEqual(['third', 'second', 'first']);
  });
});

describe('a map that can be taken back', () => {
  it('has again what was set, changed and deleted', () => {
    let log: UndoLog | undefined;
    const map = new UndoableMap<string, number | undefined>(() => log);
    map.set('kept', 1).set('changed', 2).set('deleted', 3).set('without', undefined);
    log = new UndoLog();
    map.set('changed', 20).set('new', 4).set('changed', 21).set('without', 5);
    map.delete('deleted');
    map.delete('never there');
    expect(Object.fromEntries(map)).toEqual({ kept: 1, changed: 21, new: 4, without: 5 });
    log.rollBack();
    expect(Object.fromEntries(map)).toEqual({ kept: 1, changed: 2, deleted: 3, without: undefined });
    expect(map.has('without')).toBe(true);
  });
});
