import { describe, expect, it } from 'vitest';
import { Committer } from '../../worker/client/committer.ts';
import { CommitReceipt } from '../../worker/engine/primitives/commit-receipt.ts';
import { GlowwormError } from '../../worker/engine/primitives/errors.ts';
import type { StoreWrites } from '../../worker/engine/primitives/store.ts';
import { Turn, type Effect, type TurnResult } from '../../worker/engine/manager/turn.ts';

/** A store whose commits end when the test says so. */
class Held {
  readonly batches: {
    readonly writes: StoreWrites;
    readonly done: () => void;
    readonly fail: (error: Error) => void;
  }[] = [];

  commit(writes: StoreWrites): Promise<CommitReceipt> {
    const copy: StoreWrites = new Map(writes);
    const completed = new Promise<void>((resolve, reject) => {
      this.batches.push({ writes: copy, done: resolve, fail: reject });
    });
    return CommitReceipt.after(completed, writes);
  }
}

/** What cannot leave. */
const BROKEN = 'broken';

function setUp() {
  const store = new Held();
  const left: string[] = [];
  const completed: number[] = [];
  const failures: string[] = [];
  const tasks: (() => void)[] = [];
  let toSign: TurnResult | undefined;
  let fails = false;
  const committer = new Committer({
    target: store,
    soon: (callback) => void tasks.push(callback),
    release: (effects: readonly Effect[]) => {
      const names = effects.map((effect) => ('reason' in effect ? effect.reason : effect.kind));
      if (names.includes(BROKEN)) throw new TypeError('a mistake of ours');
      left.push(...names);
    },
    endCommit: (updates) => {
      if (fails) throw new TypeError('a mistake of ours');
      if (toSign !== undefined) left.push(`signing after ${updates.length}`);
      return toSign ?? new Turn(0).finish([]);
    },
    completed: (updates) => completed.push(...updates.map(({ updateId }) => updateId)),
    failed: (error) => failures.push(error.code),
    threw: (error) => failures.push(String(error)),
  });
  const submit = (name: string, key?: string): void => {
    const turn = new Turn(0);
    if (key !== undefined) turn.writes.set(key, Uint8Array.of(1));
    turn.leave({ kind: 'disconnect', nodeId: '', connectionId: 0, reason: name });
    committer.submit(
      turn.finish(key === undefined ? [] : [{ channelKey: 'c', updateId: left.length + completed.length }]),
    );
  };
  /** The next commits end with a turn that signs. */
  const signing = (key?: string): void => {
    const turn = new Turn(0);
    if (key !== undefined) turn.writes.set(key, Uint8Array.of(2));
    turn.leave({ kind: 'disconnect', nodeId: '', connectionId: 0, reason: 'signature' });
    toSign = turn.finish([]);
  };
  const failing = (): void => void (fails = true);
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 10; i++) {
      tasks.splice(0).forEach((task) => task());
      await Promise.resolve();
    }
  };
  return { store, left, completed, failures, committer, submit, signing, failing, settle };
}

describe('the committer', () => {
  it('lets nothing leave before its writes are durable', async () => {
    const { store, left, submit, settle } = setUp();
    submit('first', 'a');
    await settle();
    expect(left).toEqual([]);
    store.batches[0]?.done();
    await settle();
    expect(left).toEqual(['first']);
  });

  it('keeps the order of turns, also of those that wrote nothing', async () => {
    const { store, left, submit, settle } = setUp();
    submit('first', 'a');
    await settle();
    submit('says something about the first');
    submit('second', 'b');
    submit('third', 'c');
    await settle();
    expect(store.batches).toHaveLength(1);
    store.batches[0]?.done();
    await settle();
    expect(left).toEqual(['first', 'says something about the first']);
    expect([...(store.batches[1]?.writes.keys() ?? [])]).toEqual(['b', 'c']);
    store.batches[1]?.done();
    await settle();
    expect(left).toEqual(['first', 'says something about the first', 'second', 'third']);
  });

  it('completes monitor updates after the effects of their turns have left', async () => {
    const { store, left, completed, submit, settle } = setUp();
    submit('first', 'a');
    await settle();
    expect(completed).toEqual([]);
    store.batches[0]?.done();
    await settle();
    expect([left, completed]).toEqual([['first'], [0]]);
  });

  it('writes nothing for a turn that changed nothing once something is durable', async () => {
    const { store, left, submit, settle } = setUp();
    submit('first', 'a');
    await settle();
    store.batches[0]?.done();
    await settle();
    submit('second');
    expect(left).toEqual(['first', 'second']);
    expect(store.batches).toHaveLength(1);
  });

  it('signs once for all turns of a commit, in the same commit', async () => {
    const { store, left, submit, signing, settle } = setUp();
    signing('state');
    submit('first', 'a');
    submit('second', 'b');
    await settle();
    expect(left).toEqual(['signing after 2']);
    expect([...(store.batches[0]?.writes.keys() ?? [])]).toEqual(['a', 'b', 'state']);
    submit('third', 'c');
    await settle();
    expect(left).toEqual(['signing after 2']);
    store.batches[0]?.done();
    await settle();
    expect(left).toEqual(['signing after 2', 'first', 'second', 'signature', 'signing after 1']);
  });

  it('writes nothing of a group that cannot be ended, and nothing after it', async () => {
    const { store, left, failures, submit, failing, settle } = setUp();
    failing();
    submit('first', 'a');
    await settle();
    submit('second', 'b');
    await settle();
    expect([left, failures, store.batches]).toEqual([[], ['InvariantBroken'], []]);
  });

  it('signs for a turn that wrote nothing, without a transaction for nothing', async () => {
    const { store, left, submit, committer, signing, settle } = setUp();
    submit('first', 'a');
    await settle();
    store.batches[0]?.done();
    await settle();
    signing();
    committer.submit(new Turn(0).finish([], true));
    await settle();
    expect(left).toEqual(['first', 'signing after 0', 'signature']);
    signing('state');
    committer.submit(new Turn(0).finish([], true));
    await settle();
    expect([...(store.batches[1]?.writes.keys() ?? [])]).toEqual(['state']);
    expect(store.batches).toHaveLength(2);
  });

  it('takes lazy writes along with the next commit, which they never replace', async () => {
    const { store, committer, submit, settle } = setUp();
    const turn = new Turn(0);
    turn.writes.set('lazy', undefined).set('a', Uint8Array.of(9));
    committer.submitLazily(turn.finish([]));
    await settle();
    expect(store.batches).toHaveLength(0);
    submit('first', 'a');
    await settle();
    expect(store.batches[0]?.writes).toEqual(
      new Map([
        ['a', Uint8Array.of(1)],
        ['lazy', undefined],
      ]),
    );
  });

  it('lets everything else leave when something cannot, and completes its updates', async () => {
    const { store, left, completed, failures, committer, submit, settle } = setUp();
    submit('first', 'a');
    submit(BROKEN, 'b');
    submit('third', 'c');
    const settled = committer.settled();
    await settle();
    store.batches[0]?.done();
    await settle();
    await settled;
    expect([left, completed.length]).toEqual([['first', 'third'], 3]);
    expect(failures).toEqual(['TypeError: a mistake of ours']);
    submit(BROKEN);
    submit('fifth', 'd');
    await settle();
    store.batches[1]?.done();
    await settle();
    expect(left).toEqual(['first', 'third', 'fifth']);
  });

  it('settles with the commit of what was submitted, whatever is submitted after it', async () => {
    const { store, committer, submit, settle } = setUp();
    const settled: string[] = [];
    const wait = (name: string) => void committer.settled().then(() => settled.push(name));
    submit('first', 'a');
    wait('first');
    await settle();
    submit('says something about the first');
    wait('in flight');
    submit('second', 'b');
    wait('second');
    store.batches[0]?.done();
    await settle();
    expect([settled, store.batches.length]).toEqual([['first', 'in flight'], 2]);
    store.batches[1]?.done();
    await settle();
    expect(settled).toEqual(['first', 'in flight', 'second']);
    await committer.settled();
  });

  it('settles nobody before the failure that concerns all', async () => {
    const { store, committer, submit, settle } = setUp();
    submit('first', 'a');
    await settle();
    const inFlight = committer.settled();
    submit('second', 'b');
    const open = committer.settled();
    store.batches[0]?.fail(new GlowwormError('StorageFull', 'full'));
    await settle();
    await expect(inFlight).rejects.toMatchObject({ code: 'StorageFull' });
    await expect(open).rejects.toMatchObject({ code: 'StorageFull' });
  });

  it('lets nothing leave any more after a failed commit, and says so', async () => {
    const { store, left, failures, committer, submit, settle } = setUp();
    submit('first', 'a');
    await settle();
    submit('second', 'b');
    const settled = committer.settled();
    store.batches[0]?.fail(new GlowwormError('StorageFull', 'full'));
    await settle();
    submit('third', 'c');
    submit('fourth');
    await settle();
    expect([left, failures, store.batches.length]).toEqual([[], ['StorageFull'], 1]);
    await expect(settled).rejects.toMatchObject({ code: 'StorageFull' });
    await expect(committer.settled()).rejects.toMatchObject({ code: 'StorageFull' });
  });
});
