import { describe, expect, it } from 'vitest';
import { startOf } from '../../simulation/starts.ts';
import { World } from '../../simulation/world.ts';

/** B has an HTLC that it has not decided upon, as one that waits for the other parts of its payment, and blocks come. */
async function undecided(blocks: number): Promise<World> {
  const world = new World(await startOf('wide', 'fake'));
  await world.settle();
  world.connect();
  await world.pump();
  world.b.node.manager.inboundPayments.accepted = () => undefined;
  world.pay(world.a, 1_000_000n);
  await world.pump();
  world.mine(blocks);
  await world.pump();
  world.crash(world.b, false);
  return world;
}

const outcome = async (world: World): Promise<readonly [string | undefined, boolean]> => {
  world.connect();
  await world.pump();
  const [sent] = world.a.node.manager.outboundPayments.all();
  const [asked] = world.b.node.manager.inboundPayments.all();
  return [sent?.state.kind, asked?.received !== undefined];
};

describe('an HTLC that nothing was decided upon before a restart', () => {
  it('is claimed after it', async () => {
    expect(await outcome(await undecided(0))).toEqual(['succeeded', true]);
  });

  it('is given back where it came too close to its expiry meanwhile', async () => {
    expect(await outcome(await undecided(120))).toEqual(['failed', false]);
  });
});
