import { describe, expect, it } from 'vitest';
import { startOf } from '../../simulation/starts.ts';
import { World } from '../../simulation/world.ts';

async function connected(): Promise<World> {
  const world = new World(await startOf('wide', 'fake'));
  await world.settle();
  world.connect();
  await world.pump();
  return world;
}

const needsPeer = ({ a, b }: World): boolean => a.node.manager.needsPeer(b.node.nodeId);

describe('the peer of a channel', () => {
  it('is needed while the channel is open, and nobody else is', async () => {
    const world = await connected();
    expect([needsPeer(world), world.a.node.manager.needsPeer(world.a.node.nodeId)]).toEqual([true, false]);
  });

  it('is needed after an agreed close until that is in the chain', async () => {
    const world = await connected();
    const { manager } = world.a.node;
    const key = manager.channels()[0]?.key ?? '';
    world.a.node.turn(() => manager.closeChannel(key));
    await world.pump();
    expect([manager.channels()[0]?.state.kind, needsPeer(world)]).toEqual(['closed', true]);
    world.mine();
    expect(needsPeer(world)).toBe(false);
  });

  it('is needed where only it can close the channel', async () => {
    const world = await connected();
    for (const key of world.a.disk.durable.keys())
      if (key.startsWith('mon/')) world.a.disk.apply(new Map([[key, undefined]]));
    world.crash(world.a, false);
    const { manager } = world.a.node;
    expect(manager.channels()[0]?.state).toMatchObject({ kind: 'closed', reason: { kind: 'monitorBehind' } });
    expect(needsPeer(world)).toBe(true);
  });

  it('is nobody to open a channel with once it is not connected', async () => {
    const world = await connected();
    world.disconnect();
    expect(() => world.a.node.open(world.b.node, 500_000n)).toThrow(
      expect.objectContaining({ code: 'PeerNotConnected' }),
    );
  });
});
