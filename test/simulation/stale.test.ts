import { describe, expect, it } from 'vitest';
import { putBack } from './faults.ts';
import { startOf } from './starts.ts';
import { World } from './world.ts';

describe('a node that is started from an old copy of its disk', () => {
  it('never broadcasts, and gets its money from the commitment of the other side', async () => {
    let copy: ReadonlyMap<string, Uint8Array> = new Map();
    const world = new World(await startOf('wide', 'fake'), {
      name: 'an old copy',
      restarting: (disk) => putBack(disk, copy),
    });
    world.connect();
    await world.pump();
    world.pay(world.a, 1_000_000n);
    await world.pump();
    copy = world.a.disk.durable;
    for (const amountMsat of [2_000_000n, 3_000_000n]) {
      world.pay(world.a, amountMsat);
      await world.pump();
    }
    expect(world.problems).toEqual([]);

    world.forced = true;
    world.crash(world.a, false);
    world.connect();
    for (let round = 0; round < 20; round++) {
      await world.settle();
      for (const side of world.sides) {
        world.complete(side);
        world.deliver(side);
      }
    }
    const [entry] = world.a.node.manager.channels();
    expect(entry?.state).toMatchObject({ kind: 'closed', reason: { kind: 'stale' } });
    expect(world.a.node.manager.chainMonitor.monitor(entry?.key ?? '')?.broadcastTransaction).toHaveLength(0);

    world.mine();
    await world.pump();
    const [spent] = world.b.node.manager.chainMonitor.monitors();
    expect(spent?.[1].confirmedSpend?.spend.kind).toBe('holderCommitment');
    const [watched] = world.a.node.manager.chainMonitor.monitors();
    expect(watched?.[1].confirmedSpend?.spend.kind).toBe('unknownCommitment');
    expect(world.a.node.manager.sweepingSat()).toBeGreaterThan(590_000n);
  });
});
