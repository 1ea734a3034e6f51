import { describe, expect, it } from 'vitest';
import { allHtlcs } from '../../../worker/engine/channel/commitments.ts';
import type { InboundPayments } from '../../../worker/engine/manager/inbound-payments.ts';
import type { HtlcEvent } from '../../../worker/engine/monitor/htlc-resolution.ts';
import type { HintHop } from '../../../worker/engine/routing/route.ts';
import type { ChannelHtlc } from '../../../worker/engine/transactions/channel-htlc.ts';
import { decodeMessage, encodeMessage, type Message } from '../../../worker/engine/wire/message.ts';
import { FORWARDING } from '../../simulation/node.ts';
import type { Side } from '../../simulation/side.ts';
import { startOf } from '../../simulation/starts.ts';
import { hintsThrough, World } from '../../simulation/world.ts';

const AMOUNT = 1_000_000n;
/** Worth taking out of the chain. */
const LARGE = 50_000_000n;
const feeOf = (amountMsat: bigint): bigint =>
  BigInt(FORWARDING.feeBaseMsat) + (amountMsat * BigInt(FORWARDING.feeProportionalMillionths)) / 1_000_000n;
const FEE = feeOf(AMOUNT);

async function line(): Promise<World> {
  const world = new World(await startOf('chain', 'fake'));
  await world.settle();
  world.connect();
  await world.pump();
  for (const { node } of world.sides) node.acknowledgeAll();
  return world;
}

/** Everything happens that can happen now, and what waits goes on. */
async function passOn(world: World): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await world.pump();
    world.tick(1_000);
  }
  await world.pump();
}

const c = (world: World): Side => world.side('c');
const pay = (world: World, amountMsat = AMOUNT): void => world.payThrough(world.a, world.b, c(world), amountMsat);
const eventsOf = ({ node }: Side): number =>
  node.manager.chainMonitor.monitors().reduce((sum, [, { events }]) => sum + events.length, 0);

/** How each payment of a side ended, with the reason for which one failed. */
const outcome = ({ node }: Side): readonly string[] =>
  node.manager.outboundPayments.all().map(({ state }) => (state.kind === 'failed' ? state.failure.code : state.kind));

const htlcsOf = ({ node }: Side): number =>
  node.manager
    .channels()
    .reduce((sum, { state }) => sum + (state.kind === 'open' ? allHtlcs(state.commitments).size : 0), 0);

/** Pays with hints that are not those of the node in the middle. */
function payWith(world: World, over: Partial<HintHop>): void {
  const [hint = []] = hintsThrough(world.b, c(world));
  const { text, invoice } = c(world).node.parse(
    c(world).node.invoice(AMOUNT, [hint.map((hop) => ({ ...hop, ...over }))]),
  );
  world.a.node.payParsed({ text, invoice });
}

/** An HTLC as it would arrive with an onion that nobody made. */
function withOtherOnion(bytes: Uint8Array): Uint8Array {
  const message = decodeMessage(bytes) as Message;
  if (message.kind !== 'update_add_htlc') return bytes;
  const onionRoutingPacket = message.onionRoutingPacket.slice();
  onionRoutingPacket[1365] = (onionRoutingPacket[1365] ?? 0) ^ 1;
  return encodeMessage({ ...message, onionRoutingPacket });
}

/** How many HTLCs a side has ever offered. */
const offeredBy = ({ node }: Side): bigint =>
  node.manager
    .channels()
    .reduce((sum, { state }) => sum + (state.kind === 'open' ? state.commitments.nextHolderHtlcId : 0n), 0n);

/** Whether the two channels of the node in the middle are as before. */
const isQuiet = (world: World): boolean => world.sides.every((side) => htlcsOf(side) === 0);

describe('a payment of others', () => {
  it('passes through, for the fee', async () => {
    const world = await line();
    const before = world.b.inChannelsMsat;
    pay(world);
    await passOn(world);
    expect(outcome(world.a)).toEqual(['succeeded']);
    expect(world.b.inChannelsMsat - before).toBe(FEE);
    expect([eventsOf(world.b), world.problems]).toEqual([0, []]);
  });

  it('is remembered with its preimage until the inbound channel has that for good', async () => {
    const world = await line();
    pay(world);
    await world.pump();
    world.tick(1_000);
    const { forwards, chainMonitor } = world.b.node.manager;
    const fulfilled = (): readonly HtlcEvent[] => chainMonitor.monitors().flatMap(([, { events }]) => events);
    for (let step = 0; step < 500 && fulfilled().length === 0; step++) {
      await world.settle();
      for (const side of world.sides) if (!world.deliver(side)) world.complete(side);
    }
    const name = { channelKey: world.b.node.manager.channels()[0]?.key ?? '', htlcId: 0n };
    expect(fulfilled()).toMatchObject([{ resolution: { kind: 'fulfilled', preimage: forwards.preimageOf(name) } }]);
    await passOn(world);
    expect([fulfilled(), forwards.preimageOf(name)]).toEqual([[], undefined]);
  });

  it('leaves nothing behind that grows with the payments between two blocks', async () => {
    const world = await line();
    for (let count = 0; count < 6; count++) {
      pay(world);
      await passOn(world);
      expect(eventsOf(world.b)).toBe(0);
    }
    expect(outcome(world.a)).toEqual(Array.from({ length: 6 }, () => 'succeeded'));
  });

  it('waits for the next tick, with all others that came before it', async () => {
    const world = await line();
    for (let count = 0; count < 3; count++) pay(world);
    await world.pump();
    expect(htlcsOf(c(world))).toBe(0);
    world.tick(1_000);
    await world.pump();
    expect(outcome(world.a)).toEqual(['succeeded', 'succeeded', 'succeeded']);
  });

  it.each<[string, Partial<HintHop>, string]>([
    ['for less than our fee', { feeBaseMsat: 999 }, 'PaymentTermsChanged'],
    ['without the blocks that we need', { cltvExpiryDelta: 71 }, 'PaymentTermsChanged'],
    ['over a channel that there is not', { shortChannelId: 77n }, 'PaymentRouteGone'],
  ])('%s comes back with the reason', async (_, over, code) => {
    const world = await line();
    const before = world.b.inChannelsMsat;
    payWith(world, over);
    await passOn(world);
    expect(outcome(world.a)).toEqual([code]);
    expect([world.b.inChannelsMsat - before, isQuiet(world), world.problems]).toEqual([0n, true, []]);
  });

  it('comes back from the payee with a reason that the payer can read', async () => {
    const world = await line();
    pay(world);
    const { node } = c(world);
    for (const payment of node.manager.inboundPayments.all())
      node.turn(() => node.manager.addInvoice({ ...payment, expiresAt: 0 }));
    await passOn(world);
    expect(outcome(world.a)).toEqual(['PaymentRejected']);
    expect([isQuiet(world), world.problems]).toEqual([true, []]);
    expect(eventsOf(world.b)).toBe(1);
    world.mine(1);
    world.mine(1);
    expect(eventsOf(world.b)).toBe(0);
  });

  it('comes back where the payee cannot read its onion', async () => {
    const world = await line();
    pay(world);
    await world.pump();
    world.tick(1_000);
    await world.write();
    c(world).inbox = c(world).inbox.map(({ connectionId, bytes }) => ({ connectionId, bytes: withOtherOnion(bytes) }));
    await passOn(world);
    expect([outcome(world.a), isQuiet(world), world.problems]).toEqual([['PaymentFailedOnTheWay'], true, []]);
  });

  it('comes back where the next peer is away', async () => {
    const world = await line();
    pay(world);
    await world.pump();
    world.crash(c(world), false);
    await passOn(world);
    expect([outcome(world.a), isQuiet(world), world.problems]).toEqual([['PaymentNoLiquidity'], true, []]);
  });
});

describe('a node that dies with a payment of others', () => {
  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])('after %i of its commits goes on, once', async (commits) => {
    const world = await line();
    const before = world.b.inChannelsMsat;
    pay(world);
    for (let left = commits; left > 0;) {
      await world.settle();
      for (const side of world.sides) {
        world.deliver(side);
        if (side === world.b && left > 0 && world.complete(side)) left -= 1;
        else if (side !== world.b) world.complete(side);
      }
      world.tick(10);
      if (outcome(world.a)[0] === 'succeeded') break;
    }
    world.crash(world.b, false);
    world.connect();
    await passOn(world);
    await passOn(world);
    expect([outcome(world.a), isQuiet(world), world.problems]).toEqual([['succeeded'], true, []]);
    expect([world.b.inChannelsMsat - before, offeredBy(world.b)]).toEqual([FEE, 1n]);
  });
});

/** With a payment of others that has gone on to the payee, who decides upon it when `release` is called. */
async function underWay(): Promise<{ readonly world: World; readonly release: () => void }> {
  const world = await line();
  world.forced = true;
  const { node } = c(world);
  const { inboundPayments } = node.manager;
  const held: Parameters<InboundPayments['accepted']>[] = [];
  inboundPayments.accepted = (...accepted) => void held.push(accepted);
  pay(world, LARGE);
  await passOn(world);
  const release = (): void => {
    Reflect.deleteProperty(inboundPayments, 'accepted');
    node.turn(() => {
      for (const [key, htlc] of held) inboundPayments.accepted(key, htlc, node.manager.blockHeight);
    });
  };
  return { world, release };
}

/** The HTLC of ours that a side has in a channel. */
function htlcFrom({ node }: Side): ChannelHtlc {
  const specs = node.manager.chainMonitor.monitors().map(([, { holderCommitment }]) => holderCommitment.spec);
  const found = specs.flatMap(({ htlcs }) => htlcs).find(({ direction }) => direction === 'outbound');
  if (found === undefined) throw new Error('an HTLC of ours is under way');
  return found;
}

function forceClose(side: Side, peer: Side): void {
  const entry = side.node.manager.channels().find(({ nodeId }) => nodeId === peer.node.nodeId);
  if (entry !== undefined)
    side.node.turn(() => side.node.manager.forceCloseChannel(entry.key, { unconfirmedState: true }));
}

async function mine(world: World, blocks: number): Promise<void> {
  for (let block = 0; block < blocks; block++) {
    await world.pump();
    world.mine(1);
    world.tick(1_000);
  }
  await world.pump();
}

const kindsOf = ({ node }: Side): readonly string[] => node.manager.channels().map(({ state }) => state.kind);

describe('a payment of others whose way is closed', () => {
  it('behind us is claimed before us with the preimage that the chain shows', async () => {
    const { world, release } = await underWay();
    const before = world.b.inChannelsMsat;
    world.disconnect();
    release();
    forceClose(c(world), world.b);
    await mine(world, 1);
    world.connect();
    await mine(world, 3);
    expect([outcome(world.a), kindsOf(world.b), world.problems]).toEqual([['succeeded'], ['open', 'closed'], []]);
    expect(world.b.inChannelsMsat - before).toBe(LARGE + feeOf(LARGE));
  });

  it('behind us comes back six blocks after it timed out in the chain, and not before', async () => {
    const { world } = await underWay();
    forceClose(world.b, c(world));
    await mine(world, 1);
    const { cltvExpiry } = htlcFrom(world.b);
    await mine(world, cltvExpiry - world.chain.height);
    expect(outcome(world.a)).toEqual(['pending']);
    await mine(world, 5);
    expect(outcome(world.a)).toEqual(['pending']);
    await mine(world, 3);
    expect([outcome(world.a), kindsOf(world.b), world.problems]).toEqual([
      ['PaymentRouteGone'],
      ['open', 'closed'],
      [],
    ]);
  });

  it('before us is claimed in the chain, with the preimage that comes from behind', async () => {
    const { world, release } = await underWay();
    forceClose(world.a, world.b);
    await mine(world, 1);
    release();
    await mine(world, 4);
    expect([outcome(world.a), kindsOf(world.b), world.problems]).toEqual([['succeeded'], ['closed', 'open'], []]);
  });

  it('behind us comes back before its payer would close, though nothing is decided', async () => {
    const { world } = await underWay();
    const { cltvExpiry } = htlcFrom(world.a);
    // Nothing of it gets into a block.
    for (const { node } of [world.b, c(world)]) node.manager.chainMonitor.makeHolderBroadcast = () => undefined;
    forceClose(world.b, c(world));
    while (world.chain.height < cltvExpiry - 4) await mine(world, 1);
    expect(outcome(world.a)).toEqual(['pending']);
    await mine(world, 2);
    expect([outcome(world.a), kindsOf(world.a)]).toEqual([['PaymentRouteGone'], ['open']]);
  });
});
