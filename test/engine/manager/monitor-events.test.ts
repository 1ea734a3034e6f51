import { describe, expect, it } from 'vitest';
import type { HtlcEvent } from '../../../worker/engine/monitor/htlc-resolution.ts';
import type { Side } from '../../simulation/side.ts';
import { startOf } from '../../simulation/starts.ts';
import { World } from '../../simulation/world.ts';

const events = (side: Side): readonly HtlcEvent[] =>
  side.node.manager.chainMonitor.monitors().flatMap(([, monitor]) => monitor.events);

/** Each event as its number and what it tells. */
const told = (side: Side): readonly string[] => events(side).map(({ id, resolution }) => `${id} ${resolution.kind}`);

const userEvents = (side: Side): readonly string[] => side.node.manager.pendingEvents().map(({ kind }) => kind);

async function connected(): Promise<World> {
  const world = new World(await startOf('wide', 'fake'));
  await world.settle();
  world.connect();
  await world.pump();
  world.a.node.acknowledgeAll();
  world.b.node.acknowledgeAll();
  return world;
}

async function paid(world: World): Promise<void> {
  world.pay(world.a, 1_000_000n);
  await world.pump();
}

async function restarted(world: World, side: Side): Promise<void> {
  world.crash(side, false);
  world.connect();
  await world.pump();
  world.mine(1);
  await world.pump();
}

describe('what became of an HTLC of ours', () => {
  it('stays in its monitor, under its number, until the user has seen what became of the payment', async () => {
    const world = await connected();
    await paid(world);
    expect([told(world.a), userEvents(world.a)]).toEqual([['0 fulfilled'], ['paymentSent']]);
    await restarted(world, world.a);
    expect([told(world.a), userEvents(world.a)]).toEqual([['0 fulfilled'], ['paymentSent']]);
    world.a.node.acknowledgeAll();
    await paid(world);
    expect([told(world.a), userEvents(world.a)]).toEqual([['1 fulfilled'], ['paymentSent']]);
  });

  it('is told again where the acknowledgement was lost with the program, and changes nothing', async () => {
    const world = await connected();
    await paid(world);
    world.a.node.acknowledgeAll();
    await restarted(world, world.a);
    expect([told(world.a), userEvents(world.a)]).toEqual([['0 fulfilled'], ['paymentSent']]);
    world.a.node.acknowledgeAll();
    world.mine(1);
    await world.pump();
    await restarted(world, world.a);
    expect([told(world.a), userEvents(world.a)]).toEqual([[], []]);
  });

  it('has its reason where the peer failed it, and stays until the user has seen that the payment failed', async () => {
    const world = await connected();
    world.pay(world.a, 1_000_000n);
    const { node } = world.b;
    for (const payment of node.manager.inboundPayments.all())
      node.turn(() => node.manager.addInvoice({ ...payment, expiresAt: 0 }));
    await world.pump();
    expect([told(world.a), userEvents(world.a)]).toEqual([['0 failed'], ['paymentFailed']]);
    expect(events(world.a)).toMatchObject([{ resolution: { removal: { kind: 'fail', htlcId: 0n } } }]);
    world.a.node.acknowledgeAll();
    world.mine(1);
    await world.pump();
    expect(told(world.a)).toEqual([]);
  });

  it('of another part of a payment goes with the first, or at once where that is seen already', async () => {
    const world = await connected();
    await paid(world);
    const resolve = (htlcId: bigint): void => {
      const [[key, monitor] = []] = world.a.node.manager.chainMonitor.monitors();
      const htlc = monitor?.previousHolderCommitment?.spec.htlcs[0];
      if (key === undefined || htlc === undefined) throw new Error('the HTLC is in the commitment before');
      world.a.node.turn(() =>
        world.a.node.manager.chainMonitor.updateChannel(key, [
          { kind: 'htlcResolved', htlc: { ...htlc, id: htlcId }, resolution: { kind: 'timedOut' } },
        ]),
      );
      world.mine(1);
    };
    resolve(7n);
    expect(told(world.a)).toEqual(['0 fulfilled', '1 timedOut']);
    world.a.node.acknowledgeAll();
    world.mine(1);
    expect(told(world.a)).toEqual([]);
    resolve(8n);
    expect(told(world.a)).toEqual(['2 timedOut']);
    world.mine(1);
    expect(told(world.a)).toEqual([]);
  });
});
