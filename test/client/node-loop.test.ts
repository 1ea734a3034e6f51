import { afterEach, describe, expect, it } from 'vitest';
import { MemoryDisk } from '../simulation/memory-store.ts';
import { FakeNode, peerOf } from './fake-node.ts';

let fake: FakeNode;

afterEach(() => fake.stop());

const MINUTE_S = 60;
const SECOND = [1_000, 'done'];

/** What the log says of each task at a moment: its period, and what became of its last run. */
const tasks = (): Readonly<Record<string, readonly unknown[]>> =>
  Object.fromEntries(fake.node.background.reports.map(({ name, periodMs, outcome }) => [name, [periodMs, outcome]]));

describe('the loop of a node', () => {
  it('runs every task that the log names, each at the latest when its period is over', async () => {
    fake = new FakeNode([peerOf(2)]);
    await fake.pass(5 * MINUTE_S);
    expect(tasks()).toEqual({
      stalePeers: SECOND,
      timers: SECOND,
      channelRows: SECOND,
      tipAge: SECOND,
      eventDelivery: SECOND,
      feerates: [120_000, 'done'],
      rebroadcast: SECOND,
      claimBumping: [30_000, 'done'],
      lazyPersistence: SECOND,
    });
    const now = fake.timers.now();
    for (const { lastRunAt = -Infinity, periodMs } of fake.node.background.reports)
      expect(now - lastRunAt).toBeLessThanOrEqual(periodMs + 5_000);
  });

  it('goes on with the others where one has a mistake of ours, which is logged', async () => {
    fake = new FakeNode([]);
    fake.node.manager.timerTick = () => {
      throw new TypeError('a mistake of ours');
    };
    await fake.pass(MINUTE_S);
    expect(fake.log.join('\n')).toContain('the task timers failed: TypeError: a mistake of ours');
    expect(tasks()).toMatchObject({ timers: [1_000, 'failed'], lazyPersistence: SECOND });
  });

  it('ends when the store fails, and says so beside the status', async () => {
    fake = new FakeNode([peerOf(2)]);
    await fake.pass(MINUTE_S);
    const before = fake.changes;
    fake.node.turns.turn(() => fake.node.manager.record('meta/peer/x', new Uint8Array(1)));
    fake.store.fail('StorageFailed');
    await fake.pass(5);
    const runs = fake.node.background.reports;
    await fake.pass(10 * MINUTE_S);
    expect(fake.node.background.reports).toEqual(runs);
    expect(fake.log.filter((line) => line.startsWith('background processor stopped'))).toEqual([
      'background processor stopped: StorageFailed',
    ]);
    expect([fake.node.problem?.code, fake.changes > before, fake.peers]).toEqual(['StorageFailed', true, []]);
  });

  it('leaves a peer that has fallen silent, and meets it anew', async () => {
    fake = new FakeNode([peerOf(2)]);
    await fake.pass(5 * MINUTE_S);
    expect([fake.peers, fake.sockets.length]).toEqual([['connected'], 1]);
    for (const socket of fake.sockets) socket.isSilent = true;
    await fake.pass(2 * MINUTE_S);
    expect([fake.peers, fake.sockets.map(({ readyState }) => readyState)]).toEqual([['connected'], [3, 1]]);
  });

  it('asks for feerates at the start, every two minutes, and after a sleep in which nobody did', async () => {
    fake = new FakeNode([]);
    fake.replies.set('/fee-estimates', { 12: 5 });
    const asked = (): number => fake.asked.filter((path) => path === '/fee-estimates').length;
    await fake.pass(5);
    expect(asked()).toBe(1);
    await fake.pass(4 * MINUTE_S);
    expect(asked()).toBe(3);
    fake.node.wake();
    await fake.pass(5);
    expect(asked()).toBe(3);
    fake.isChainThere = false;
    await fake.pass(70 * MINUTE_S);
    const missed = asked();
    fake.isChainThere = true;
    fake.node.wake();
    await fake.pass(5);
    expect(asked()).toBe(missed + 1);
  });
});

describe('what is done lazily', () => {
  it('is written within a second, though nothing else is', async () => {
    const disk = new MemoryDisk();
    fake = new FakeNode([], disk);
    await fake.pass(MINUTE_S);
    fake.node.turns.lazily(() => fake.node.manager.record('meta/lazy', Uint8Array.of(7)));
    expect(disk.durable.has('meta/lazy')).toBe(false);
    await fake.pass(5);
    expect(disk.durable.get('meta/lazy')).toEqual(Uint8Array.of(7));
  });

  it('is written by a stop, which waits for that', async () => {
    const disk = new MemoryDisk();
    fake = new FakeNode([], disk);
    await fake.pass(MINUTE_S);
    fake.node.turns.lazily(() => fake.node.manager.record('meta/lazy', Uint8Array.of(7)));
    await fake.stop();
    expect([disk.durable.get('meta/lazy'), fake.timers.pending]).toEqual([Uint8Array.of(7), 0]);
  });
});

describe('a stop', () => {
  it('does not wait for a server that does not answer', async () => {
    fake = new FakeNode([], new MemoryDisk(), { fetch: () => new Promise(() => undefined) });
    await fake.pass(5);
    expect(tasks()).toMatchObject({ feerates: [120_000, 'underWay'] });
    await fake.stop();
    const runs = fake.node.background.reports;
    await fake.pass(10 * MINUTE_S);
    expect(fake.node.background.reports).toEqual(runs);
  });
});
