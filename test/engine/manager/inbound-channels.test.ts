import { describe, expect, it } from 'vitest';
import type { InboundChannelRule } from '../../../worker/engine/manager/manager-context.ts';
import { toHex } from '../../../worker/engine/primitives/bytes.ts';
import { GlowwormError } from '../../../worker/engine/primitives/errors.ts';
import { Descriptors } from '../../../worker/engine/wallet/descriptors.ts';
import { startOf } from '../../simulation/starts.ts';
import { World } from '../../simulation/world.ts';
import { feeratesOf } from '../channel/feerates.ts';

const FIRST_CHANGE = { branch: 'change', index: 0 } as const;

/** B decides by a rule about the channel that A wants to open. */
async function asked(rule: InboundChannelRule): Promise<World> {
  const world = new World(await startOf('empty', 'fake'));
  world.b.node.inboundRule = rule;
  world.opened = true;
  await world.settle();
  world.connect();
  await world.pump();
  world.a.node.open(world.b.node, 500_000n);
  await world.pump();
  return world;
}

const requestOf = ({ b }: Pick<World, 'b'>): string =>
  b.node.manager.pendingEvents().find(({ kind }) => kind === 'channelRequested')?.subject ?? '';

describe('a channel that a peer wants to open', () => {
  it('is opened where every one is accepted', async () => {
    const world = await asked('accept');
    expect(world.b.node.manager.channels()[0]?.state.kind).toBe('open');
  });

  it('uses up no address as long as it comes to nothing', async () => {
    const world = new World(await startOf('empty', 'fake'));
    world.opened = true;
    await world.settle();
    world.connect();
    await world.pump();
    const { wallet } = world.a.node;
    const { buildFunding } = wallet;
    wallet.buildFunding = () => {
      throw new GlowwormError('InsufficientFunds', 'there is nothing');
    };
    for (let opening = 0; opening < 3; opening++) {
      world.a.node.open(world.b.node, 500_000n);
      await world.pump();
    }
    wallet.buildFunding = buildFunding;
    world.a.node.open(world.b.node, 500_000n);
    await world.pump();
    for (const { node } of [world.a, world.b]) {
      const params = node.manager.chainMonitor.monitors().map(([, monitor]) => monitor.params);
      const script = new Descriptors(new Uint8Array(64).fill(node.name.charCodeAt(0)), 'regtest').script(FIRST_CHANGE);
      expect(params.map(({ holder }) => toHex(holder.upfrontShutdownScript))).toEqual([toHex(script)]);
    }
    expect(world.b.node.wallet.state.cursors.change.next).toBe(1);
  });

  it('is refused where none is wanted', async () => {
    const world = await asked('refuse');
    expect(world.b.node.manager.channels()).toEqual([]);
    expect(world.a.node.manager.pendingEvents().at(-1)).toMatchObject({ kind: 'channelOpenFailed' });
  });

  it('waits for an answer, and is opened with it', async () => {
    const world = await asked('ask');
    expect(world.b.node.manager.channels()).toEqual([]);
    expect(world.b.node.manager.pendingEvents().at(-1)).toMatchObject({
      kind: 'channelRequested',
      amountMsat: 500_000_000n,
      message: world.a.node.nodeId,
    });
    world.b.node.turn(() => world.b.node.manager.acceptInboundChannel(requestOf(world)));
    await world.pump();
    expect(world.b.node.manager.channels()[0]?.state.kind).toBe('open');
  });

  it('waits for an answer, and is refused with it', async () => {
    const world = await asked('ask');
    world.b.node.turn(() => world.b.node.manager.refuseInboundChannel(requestOf(world)));
    await world.pump();
    expect(world.a.node.manager.channels()).toEqual([]);
  });

  it('waits no longer than its connection', async () => {
    const world = await asked('ask');
    world.disconnect();
    await world.pump();
    const accepting = (): void => world.b.node.turn(() => world.b.node.manager.acceptInboundChannel(requestOf(world)));
    expect(accepting).toThrow(expect.objectContaining({ code: 'ChannelRequestGone' }) as Error);
  });

  const answers: readonly (readonly [string, (world: World) => void])[] = [
    ['accepted', ({ b }) => b.node.turn(() => b.node.manager.acceptInboundChannel(requestOf({ b })))],
    ['refused', ({ b }) => b.node.turn(() => b.node.manager.refuseInboundChannel(requestOf({ b })))],
    ['lost with its connection', (world) => world.disconnect()],
    ['lost with a restart', (world) => world.crash(world.b, true)],
  ];

  it.each(answers)('that is %s is not asked about any more, also after a restart', async (_name, answer) => {
    const world = await asked('ask');
    expect(requestOf(world)).not.toBe('');
    answer(world);
    await world.pump();
    expect(requestOf(world)).toBe('');
    expect([...world.b.disk.durable.keys()].filter((key) => key.startsWith('evt/')).length).toBe(
      world.b.node.manager.pendingEvents().length,
    );
  });

  it('is refused in words for a person where fees have risen since, and may be accepted when they are back', async () => {
    const world = await asked('ask');
    const { node } = world.b;
    const { anchors } = feeratesOf(5_000).commitment;
    const minimum = { ...anchors, minimum: anchors.target };
    const feerates = { ...feeratesOf(5_000), commitment: { anchors: minimum, static_remotekey: minimum } };
    node.turn(() => node.manager.updateFeerates(feerates));
    const accept = (): void => node.turn(() => node.manager.acceptInboundChannel(requestOf(world)));
    expect(accept).toThrow(
      expect.objectContaining({
        code: 'ChannelRefused',
        message: expect.stringMatching(/fees have changed/) as string,
        details: { wrong: expect.stringMatching(/feerate_per_kw/) as string },
      }) as Error,
    );
    world.setFeerate(world.b, 1_000, 1_000);
    accept();
    await world.pump();
    expect(node.manager.channels()[0]?.state.kind).toBe('open');
  });

  it('is refused while no block has come for hours, and so is the answer to one that waits', async () => {
    const world = await asked('ask');
    const { node } = world.b;
    node.isTipFresh = false;
    const accept = (): void => node.turn(() => node.manager.acceptInboundChannel(requestOf(world)));
    expect(accept).toThrow(expect.objectContaining({ code: 'ChannelRefused' }) as Error);
    world.a.node.open(node, 500_000n);
    await world.pump();
    expect(world.a.node.manager.pendingEvents().at(-1)).toMatchObject({ kind: 'channelOpenFailed' });
    node.isTipFresh = true;
    accept();
    await world.pump();
    expect(node.manager.channels()).toHaveLength(1);
  });

  it('is not opened by us while no block has come for hours', async () => {
    const world = await asked('refuse');
    world.a.node.isTipFresh = false;
    const before = world.a.node.manager.channels();
    expect(() => world.a.node.open(world.b.node, 500_000n)).toThrow(
      expect.objectContaining({ code: 'ChainStale' }) as Error,
    );
    expect(world.a.node.manager.channels()).toEqual(before);
  });

  it('is one of a few that wait', async () => {
    const world = await asked('ask');
    for (let more = 0; more < 6; more++) world.a.node.open(world.b.node, 500_000n);
    await world.pump();
    const requests = world.b.node.manager.pendingEvents().filter(({ kind }) => kind === 'channelRequested');
    expect(requests).toHaveLength(4);
  });
});
