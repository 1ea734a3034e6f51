import { describe, expect, it } from 'vitest';
import { feeratePerKw, msat, sat } from '../../../worker/engine/primitives/units.ts';
import { startOf } from '../../simulation/starts.ts';
import type { Side } from '../../simulation/side.ts';
import { World } from '../../simulation/world.ts';
import { feeratesOf } from '../channel/feerates.ts';

/** Two nodes with a channel of `a` at 1000 sat per kw, not connected. */
async function setUp(): Promise<World> {
  const world = new World(await startOf('wide', 'fake'));
  await world.settle();
  return world;
}

const feeratesIn = ({ node }: Side): readonly number[] =>
  node.manager
    .channels()
    .flatMap(({ state }) => (state.kind === 'open' ? [state.commitments.holderCommit.spec.feeratePerKw] : []));

/** Takes only feerates from `minimum` on from now on. */
function asks(side: Side, minimum: number): void {
  const feerates = feeratesOf(1000);
  const rates = { ...feerates.commitment.anchors, minimum: feeratePerKw(minimum) };
  const commitment = { anchors: rates, static_remotekey: rates };
  side.node.turn(() => side.node.manager.updateFeerates({ ...feerates, commitment }));
}

async function reconnect(world: World): Promise<void> {
  world.disconnect();
  world.connect();
  await world.pump();
}

describe('the feerate of our channels', () => {
  it('is raised as soon as a channel is re-established, not only when estimates come', async () => {
    const world = await setUp();
    world.setFeerate(world.a, 5000, 1000);
    world.connect();
    await world.pump();
    expect([feeratesIn(world.a), feeratesIn(world.b)]).toEqual([[5000], [5000]]);
    expect(world.problems).toEqual([]);
  });

  it('is raised as soon as a channel is ready', async () => {
    const world = await setUp();
    world.connect();
    await world.pump();
    world.attempt(world.a, () => void world.a.node.open(world.b.node, sat(1_000_000n), msat(0n)));
    await world.pump();
    world.setFeerate(world.a, 5000, 1000);
    await world.pump();
    expect(feeratesIn(world.b)).toEqual([5000, 1000]);
    for (let block = 0; block < 8; block++) world.mine();
    await world.pump();
    expect(feeratesIn(world.b)).toEqual([5000, 5000]);
    expect(world.problems).toEqual([]);
  });

  it('is lowered with the signature after the proposal', async () => {
    const world = await setUp();
    world.connect();
    await world.pump();
    world.setFeerate(world.a, 500, 500);
    await world.pump();
    expect(feeratesIn(world.b)).toEqual([1000]);
    world.setFeerate(world.a, 500, 500);
    await world.pump();
    expect([feeratesIn(world.a), feeratesIn(world.b)]).toEqual([[500], [500]]);
    expect(world.problems).toEqual([]);
  });

  it('is not lowered again once the peer has refused it: one connection is lost, and payments go on', async () => {
    const world = await setUp();
    world.connect();
    await world.pump();
    asks(world.b, 600);
    world.setFeerate(world.a, 500, 500);
    await world.pump();
    expect(world.problems.splice(0).join()).toMatch(/b: .* warn: 500 sat per kw is below 600/);
    await world.pump();
    expect(world.problems.splice(0).join()).toMatch(/a: warning from/);

    for (let connection = 0; connection < 3; connection++) {
      await reconnect(world);
      world.setFeerate(world.a, 500, 500);
      world.pay(world.a, 1_000_000n);
      await world.pump();
    }
    expect(world.a.node.manager.outboundPayments.all().map(({ state }) => state.kind)).toEqual(
      Array.from({ length: 3 }, () => 'succeeded'),
    );
    expect([feeratesIn(world.a), feeratesIn(world.b)]).toEqual([[1000], [1000]]);
    expect(world.problems).toEqual([]);
  });
});

describe('an opening that is refused over its feerate', () => {
  async function opening(minimum: number): Promise<{ readonly world: World; readonly events: readonly string[] }> {
    const world = await setUp();
    world.connect();
    await world.pump();
    world.opened = true;
    asks(world.b, minimum);
    world.attempt(world.a, () => void world.a.node.open(world.b.node, sat(1_000_000n), msat(0n)));
    await world.pump();
    const events = world.a.node.manager.pendingEvents().map(({ kind }) => kind);
    return { world, events };
  }

  it('is tried once more at twice as much', async () => {
    const { world, events } = await opening(2000);
    expect([feeratesIn(world.a), feeratesIn(world.b)]).toEqual([
      [1000, 2000],
      [1000, 2000],
    ]);
    expect(events).not.toContain('channelOpenFailed');
  });

  it('is not tried a third time', async () => {
    const { world, events } = await opening(2001);
    expect([feeratesIn(world.a), feeratesIn(world.b)]).toEqual([[1000], [1000]]);
    expect(events).toContain('channelOpenFailed');
  });
});
