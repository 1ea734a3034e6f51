import { describe, expect, it } from 'vitest';
import type { ClosedChannel } from '../../../worker/engine/channel/channel-state.ts';
import { startOf } from '../../simulation/starts.ts';
import type { Side } from '../../simulation/side.ts';
import { World } from '../../simulation/world.ts';

async function connected(): Promise<World> {
  const world = new World(await startOf('wide', 'fake'));
  await world.settle();
  world.connect();
  await world.pump();
  return world;
}

const stateOf = (side: Side) => {
  const state = side.node.manager.channels()[0]?.state;
  if (state === undefined) throw new Error('no channel');
  return state;
};

function closedOf(side: Side): ClosedChannel {
  const state = stateOf(side);
  if (state.kind !== 'closed') throw new Error(`the channel is ${state.kind}`);
  return state;
}

const closeEvents = (side: Side): number =>
  side.node.manager.pendingEvents().filter(({ kind }) => kind === 'channelClosed').length;

/** `a`, the opener, closes; `b` agrees to its fee, and the answer is lost with the connection. */
async function cutBeforeTheAnswer(): Promise<World> {
  const world = await connected();
  const { manager } = world.a.node;
  world.a.node.turn(() => manager.closeChannel(manager.channels()[0]?.key ?? ''));
  for (let round = 0; stateOf(world.b).kind === 'open' && round < 50; round++) {
    await world.settle();
    for (const side of world.sides) world.complete(side);
    await world.settle();
    if (!world.deliver(world.b)) world.deliver(world.a);
  }
  await world.settle();
  world.complete(world.b);
  await world.settle();
  world.disconnect();
  expect([stateOf(world.a).kind, stateOf(world.b).kind]).toEqual(['open', 'closed']);
  return world;
}

describe('a close whose last answer was lost', () => {
  it.each([
    ['at once', () => {}],
    ['after a restart of the side that has agreed', (world: World) => world.crash(world.b, true)],
    ['after a restart of the side that has not', (world: World) => world.crash(world.a, false)],
  ])('is agreed upon on the next connection, %s', async (_name, between) => {
    const world = await cutBeforeTheAnswer();
    const { reason } = closedOf(world.b);
    between(world);
    world.connect();
    await world.pump();
    expect(closedOf(world.a).reason).toEqual(reason);
    expect(closedOf(world.b).reason).toEqual(reason);
    expect(world.sides.map(closeEvents)).toEqual([1, 1]);
    expect(world.problems).toEqual([]);
  });

  it('is forgotten once the closing transaction is in the chain, also in the records', async () => {
    const world = await cutBeforeTheAnswer();
    const hasState = (): boolean => [...world.b.view.records.keys()].some((key) => /^chan\/.*\/state$/.test(key));
    expect([closedOf(world.b).negotiated?.kind, hasState()]).toEqual(['open', true]);
    world.mine();
    await world.pump();
    expect([closedOf(world.b).negotiated, hasState()]).toEqual([undefined, false]);
    expect(closedOf(world.a).reason).toEqual(closedOf(world.b).reason);
    world.crash(world.b, true);
    expect(closedOf(world.b).negotiated).toBeUndefined();
    world.connect();
    await world.pump();
    expect(world.problems).toEqual([]);
  });

  it('is negotiated no more once its owner has replaced it by our commitment', async () => {
    const world = await cutBeforeTheAnswer();
    world.forced = true;
    const { manager } = world.b.node;
    world.b.node.turn(() => manager.forceCloseChannel(manager.channels()[0]?.key ?? ''));
    await world.pump();
    world.connect();
    await world.pump();
    expect(closedOf(world.b).reason).toEqual({ kind: 'holderForceClosed' });
    expect(stateOf(world.a).kind).toBe('open');
  });

  it('says nothing first: a peer that knows of the close hears nothing of it', async () => {
    const world = await cutBeforeTheAnswer();
    world.mine();
    await world.pump();
    world.connect();
    await world.settle();
    expect(world.sides.map((side) => world.underWay(side).length)).toEqual([0, 0]);
  });
});
