import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { feeratesOf } from '../engine/channel/feerates.ts';
import { RegtestChain } from '../world/chain.ts';
import { CASES } from './cases.ts';
import { Scene } from './scene.ts';

let chain: RegtestChain;
beforeAll(async () => {
  chain = await RegtestChain.start();
});
afterAll(() => chain.stop());

const QUIET_BLOCKS = 4032;

/** Tells `us`, whose user has seen what there was to see, of blocks with nothing in them, as far as a height. */
const skipTo = ({ us }: Scene, height: number): void => {
  us.node.acknowledgeAll();
  us.hear((node) => node.confirm(height, []));
};

const namesBelow = ({ us }: Scene, room: string): string[] =>
  [...us.disk.durable.keys()].filter((key) => key.startsWith(room) && !key.includes('/old/'));

it('a channel is archived 4,032 blocks after the last that happened in it, and what it gave stays', async () => {
  const scene = await Scene.begin(chain, 'anchors');
  await scene.offer({ outboundSat: [50_000n], inboundSat: [30_000n] });
  await scene.forceClose(scene.us);
  await scene.mine(30);
  const { outputSpends } = scene.us.monitor;
  const last = Math.max(...outputSpends.map(({ height }) => height));
  expect(scene.us.monitor.packages).toEqual([]);
  const coinsSat = scene.coinsOf(scene.us);
  skipTo(scene, last + QUIET_BLOCKS - 1);
  await scene.settle();
  expect(scene.us.node.manager.channels()).toHaveLength(1);
  skipTo(scene, last + QUIET_BLOCKS);
  await scene.settle();
  expect(scene.us.node.manager.channels()).toEqual([]);
  expect([...namesBelow(scene, 'chan/'), ...namesBelow(scene, 'mon/')]).toEqual([]);
  expect(namesBelow(scene, 'arch/')).toHaveLength(3);
  scene.us.restart();
  await scene.settle();
  expect([scene.us.node.manager.channels(), scene.coinsOf(scene.us)]).toEqual([[], coinsSat]);
  expect(scene.outcomesOf(scene.us)).toEqual(['succeeded']);
});

it('a channel is not archived while something in it is still ours', async () => {
  const scene = await Scene.begin(chain, 'anchors');
  await scene.offer({ outboundSat: [50_000n] });
  // They never take the HTLC that they have the preimage of, and ours back does not get into a block.
  scene.theirsAreLost = true;
  await scene.forceClose(scene.us);
  scene.oursAreLost = true;
  await scene.mine(3);
  skipTo(scene, scene.chain.height + 2 * QUIET_BLOCKS);
  await scene.settle();
  expect(scene.us.node.manager.channels()).toHaveLength(1);
});

it('a channel whose close had a child is archived too, and what the child left stays', async () => {
  const scene = await Scene.begin(chain, 'anchors');
  scene.us.node.turn(() => scene.us.node.manager.updateFeerates(feeratesOf(1_000, 3_000)));
  await scene.forceClose(scene.us);
  expect(scene.us.monitor.anchorChild).toBeDefined();
  await scene.mine(30);
  expect(scene.us.monitor.anchorChild).toBeUndefined();
  const coinsSat = scene.coinsOf(scene.us);
  skipTo(scene, scene.chain.height + QUIET_BLOCKS);
  await scene.settle();
  expect([scene.us.node.manager.channels(), scene.coinsOf(scene.us)]).toEqual([[], coinsSat]);
});

it.each([400n, 1_000n])(
  'a channel in which a stranger has given us %i sat is archived, paid for or not',
  async (sat) => {
    const scene = await Scene.begin(chain, 'anchors');
    scene.book = undefined;
    const { manager } = scene.us.node;
    scene.them.node.open(scene.us.node, 100_000n, sat * 1000n);
    await scene.settle();
    await scene.mine(6);
    await scene.disconnect();
    const key = manager.channels().find((entry) => entry.key !== scene.us.channelKey)?.key ?? '';
    scene.them.node.turn(() => scene.them.node.manager.forceCloseChannel(key, { unconfirmedState: true }));
    await scene.settle();
    await scene.mine(30);
    // What would cost more than it brings is not due.
    expect(manager.sweepingSat()).toBe(0n);
    expect(manager.chainMonitor.claims(key).map(({ amountSat }) => amountSat)).toEqual(sat === 400n ? [400n] : []);
    skipTo(scene, scene.chain.height + QUIET_BLOCKS);
    await scene.settle();
    expect(manager.channels().map((entry) => entry.key)).toEqual([scene.us.channelKey]);
  },
);

it('a channel that was closed by agreement is archived too', async () => {
  const scene = await Scene.begin(chain, 'anchors');
  scene.us.node.turn(() => scene.us.node.manager.closeChannel(scene.us.channelKey));
  await scene.settle();
  await scene.mine(1);
  expect(scene.us.monitor.confirmedSpend?.spend.kind).toBe('cooperative');
  skipTo(scene, scene.chain.height + QUIET_BLOCKS);
  await scene.settle();
  expect(scene.us.node.manager.channels()).toEqual([]);
});

describe.each(CASES)('a channel with an event that nobody has taken, with $name,', ({ format, restarts }) => {
  it('is archived only after that was delivered, and its user has seen what came of it (S22)', async () => {
    const scene = await Scene.begin(chain, format);
    scene.restarts = restarts;
    await scene.offer({ outboundSat: [50_000n] });
    await scene.forceClose(scene.us, { thenTheirsAreLost: true });
    await scene.wait(scene.expiry + 2 - scene.chain.height);
    scene.restarts = false;
    const { chainMonitor } = scene.us.node.manager;
    const release = chainMonitor.releasePendingMonitorEvents.bind(chainMonitor);
    chainMonitor.releasePendingMonitorEvents = (key) => release(key).filter(({ kind }) => kind !== 'htlcResolved');
    await scene.mine(30);
    const { events, outputSpends, packages } = scene.us.monitor;
    expect([events.map(({ resolution }) => resolution.kind), packages]).toEqual([['timedOut'], []]);
    skipTo(scene, Math.max(...outputSpends.map(({ height }) => height)) + QUIET_BLOCKS);
    await scene.settle();
    expect(scene.us.node.manager.channels()).toHaveLength(1);
    expect(scene.outcomesOf(scene.us)).toEqual(['pending']);
    scene.us.restart();
    await scene.settle();
    expect(scene.outcomesOf(scene.us)).toEqual(['failed']);
    expect(scene.us.node.manager.channels()).toHaveLength(1);
    skipTo(scene, scene.us.node.manager.blockHeight + 1);
    await scene.settle();
    expect(scene.us.node.manager.channels()).toEqual([]);
  });
});
