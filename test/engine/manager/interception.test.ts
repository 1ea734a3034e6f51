import { describe, expect, it } from 'vitest';
import { allHtlcs } from '../../../worker/engine/channel/commitments.ts';
import { InterceptScids } from '../../../worker/engine/manager/intercept-scids.ts';
import type { InterceptionRules } from '../../../worker/engine/manager/intercepted-htlcs.ts';
import { lastHeight } from '../../../worker/engine/manager/relayed-htlc.ts';
import type { HintHop } from '../../../worker/engine/routing/route.ts';
import { sha256 } from '../../../worker/engine/primitives/hash.ts';
import { FORWARDING } from '../../simulation/node.ts';
import type { Side } from '../../simulation/side.ts';
import { startOf } from '../../simulation/starts.ts';
import { World } from '../../simulation/world.ts';

const AMOUNT = 1_000_000n;
const FEE = BigInt(FORWARDING.feeBaseMsat) + (AMOUNT * BigInt(FORWARDING.feeProportionalMillionths)) / 1_000_000n;

/** The node in the middle asks its app about some payments. */
async function line(interception: InterceptionRules = {}): Promise<World> {
  const world = new World({ ...(await startOf('chain', 'fake')), interception });
  await world.settle();
  world.connect();
  await world.pump();
  for (const { node } of world.sides) node.acknowledgeAll();
  return world;
}

async function passOn(world: World): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await world.pump();
    world.tick(1_000);
  }
  await world.pump();
}

const c = (world: World): Side => world.side('c');

/** Pays the last node over a channel of the name. */
async function payOver(world: World, shortChannelId: bigint, over: Partial<HintHop> = {}): Promise<void> {
  const hint = { nodeId: world.b.node.keys.nodeId, shortChannelId, ...FORWARDING, ...over };
  world.a.node.payParsed(c(world).node.parse(c(world).node.invoice(AMOUNT, [[hint]])));
  await passOn(world);
}

const namedBy = (world: World): bigint => {
  const entry = world.b.node.manager.channels().find(({ nodeId }) => nodeId === c(world).node.nodeId);
  if (entry?.state.kind !== 'open') throw new Error('the channel is open');
  return entry.state.holderAlias;
};

const keyOf = (world: World): string =>
  world.b.node.manager.channels().find(({ nodeId }) => nodeId === c(world).node.nodeId)?.key ?? '';

const held = ({ b }: World): readonly string[] =>
  b.node.manager.forwards.intercepted.all().map(({ interceptId }) => interceptId);

const told = ({ b }: World): readonly string[] =>
  b.node.manager.pendingEvents().flatMap(({ kind, subject }) => (kind === 'htlcIntercepted' ? [subject] : []));

const outcome = ({ node }: Side): readonly string[] =>
  node.manager.outboundPayments.all().map(({ state }) => (state.kind === 'failed' ? state.failure.code : state.kind));

const isQuiet = (world: World): boolean =>
  world.sides.every(({ node }) =>
    node.manager.channels().every(({ state }) => state.kind !== 'open' || allHtlcs(state.commitments).size === 0),
  );

function forward(world: World, amountMsat?: bigint): void {
  const { node } = world.b;
  for (const id of held(world)) node.turn(() => node.manager.forwards.forwardIntercepted(id, keyOf(world), amountMsat));
}

describe('a payment of others over a name that was made for it', () => {
  it('is held, told by an event, and goes on over the channel that the app chooses', async () => {
    const world = await line();
    const before = world.b.inChannelsMsat;
    await payOver(world, world.b.node.manager.forwards.intercepted.newScid());
    expect([held(world).length, told(world), outcome(world.a)]).toEqual([1, held(world), ['pending']]);
    forward(world);
    await passOn(world);
    expect([outcome(world.a), held(world), told(world), isQuiet(world)]).toEqual([['succeeded'], [], [], true]);
    expect([world.b.inChannelsMsat - before, world.problems]).toEqual([FEE, []]);
  });

  it('arrives with less where the app keeps a part of it, and says how much', async () => {
    const world = await line();
    await payOver(world, world.b.node.manager.forwards.intercepted.newScid());
    forward(world, AMOUNT - 7_000n);
    await world.settle();
    await world.write();
    const htlcs = world.b.node.manager
      .channels()
      .flatMap(({ state }) => (state.kind === 'open' ? [...allHtlcs(state.commitments).values()] : []));
    const out = htlcs.find(({ direction }) => direction === 'outbound');
    expect([out?.amountMsat, out?.source?.skimmedFeeMsat]).toEqual([AMOUNT - 7_000n, 7_000n]);
    await passOn(world);
    // Its payee has agreed to nothing.
    expect([outcome(world.a), isQuiet(world), world.problems]).toEqual([['PaymentRejected'], true, []]);
  });

  it('comes back at once without the blocks that are needed, whatever the app would say', async () => {
    const world = await line();
    const { intercepted } = world.b.node.manager.forwards;
    await payOver(world, intercepted.newScid(), { cltvExpiryDelta: FORWARDING.cltvExpiryDelta - 1 });
    expect([held(world), told(world), outcome(world.a)]).toEqual([[], [], ['PaymentTermsChanged']]);
  });

  it('may bring no fee, for that is for the app to say', async () => {
    const world = await line();
    const { intercepted } = world.b.node.manager.forwards;
    await payOver(world, intercepted.newScid(), { feeBaseMsat: 0, feeProportionalMillionths: 0 });
    forward(world);
    await passOn(world);
    expect([outcome(world.a), world.problems]).toEqual([['succeeded'], []]);
  });

  it('waits for a block where the newest is too old', async () => {
    const world = await line();
    await payOver(world, world.b.node.manager.forwards.intercepted.newScid());
    world.b.node.isTipFresh = false;
    expect(() => forward(world)).toThrow(expect.objectContaining({ code: 'ChainStale' }));
    world.b.node.isTipFresh = true;
    forward(world);
    await passOn(world);
    expect(outcome(world.a)).toEqual(['succeeded']);
  });

  it('comes back where the app says so', async () => {
    const world = await line();
    await payOver(world, world.b.node.manager.forwards.intercepted.newScid());
    const { node } = world.b;
    for (const id of held(world)) node.turn(() => node.manager.forwards.failIntercepted(id));
    await passOn(world);
    expect([outcome(world.a), held(world), told(world), isQuiet(world)]).toEqual([['PaymentRouteGone'], [], [], true]);
  });

  it('is offered again after a restart, under its id, and told again where that was acknowledged', async () => {
    const world = await line();
    await payOver(world, world.b.node.manager.forwards.intercepted.newScid());
    const ids = held(world);
    for (const acknowledges of [false, true]) {
      if (acknowledges) world.b.node.acknowledgeAll();
      world.mine(1);
      await world.pump();
      world.crash(world.b, false);
      world.connect();
      await passOn(world);
      expect([held(world), told(world)]).toEqual([ids, ids]);
    }
    forward(world);
    await passOn(world);
    expect([outcome(world.a), world.problems]).toEqual([['succeeded'], []]);
  });

  it('comes back by itself before it would cost a channel', async () => {
    const world = await line();
    await payOver(world, world.b.node.manager.forwards.intercepted.newScid());
    const [waiting] = world.b.node.manager.forwards.intercepted.all();
    if (waiting === undefined) throw new Error('it is held');
    world.mine(lastHeight(waiting.relayed) - world.chain.height - 1);
    await passOn(world);
    expect([held(world).length, outcome(world.a)]).toEqual([1, ['pending']]);
    world.mine(1);
    await passOn(world);
    expect([held(world), told(world), outcome(world.a)]).toEqual([[], [], ['PaymentExpiryRefused']]);
    expect([isQuiet(world), world.problems]).toEqual([true, []]);
  });

  it('stays where the chosen channel cannot take it, or more would go on than came in', async () => {
    const world = await line();
    await payOver(world, world.b.node.manager.forwards.intercepted.newScid());
    const forwardOver = (channelKey: string, amountMsat: bigint): (() => void) => {
      const { node } = world.b;
      return () =>
        void node.turn(() => node.manager.forwards.forwardIntercepted(held(world)[0] ?? '', channelKey, amountMsat));
    };
    expect(forwardOver('00'.repeat(32), AMOUNT)).toThrow(
      expect.objectContaining({ code: 'InsufficientChannelBalance' }),
    );
    for (const amountMsat of [0n, AMOUNT + FEE + 1n])
      expect(forwardOver(keyOf(world), amountMsat)).toThrow(expect.objectContaining({ code: 'AmountOutOfRange' }));
    expect([held(world), told(world)]).toEqual([held(world), held(world)]);
    forward(world);
    expect(() => world.b.node.manager.forwards.failIntercepted('00'.repeat(32))).toThrow(
      expect.objectContaining({ code: 'InterceptGone' }),
    );
  });
});

describe('by rule a payment of others is held', () => {
  it.each<[string, InterceptionRules, 'named' | 'unknown', number]>([
    ['over a channel that there is not', { unknownScids: true }, 'unknown', 1],
    ['over a channel that there is not, only if that is asked for', { offlinePeers: true }, 'unknown', 0],
    ['to a peer that is away', { offlinePeers: true }, 'named', 1],
    ['to a peer that is away, only if that is asked for', { unknownScids: true }, 'named', 0],
  ])('%s', async (_, rules, name, count) => {
    const world = await line(rules);
    if (name === 'named') world.crash(c(world), false);
    await payOver(world, name === 'named' ? namedBy(world) : 77n);
    expect([held(world).length, told(world).length]).toEqual([count, count]);
  });

  it('to a peer that the app has named', async () => {
    const plain = await line();
    const world = await line({ peers: [c(plain).node.nodeId] });
    await payOver(world, namedBy(world));
    expect(held(world)).toHaveLength(1);
    forward(world);
    await passOn(world);
    expect(outcome(world.a)).toEqual(['succeeded']);
  });

  it('also where its peer goes away before the next tick', async () => {
    const world = await line({ offlinePeers: true });
    const hint = { nodeId: world.b.node.keys.nodeId, shortChannelId: namedBy(world), ...FORWARDING };
    world.a.node.payParsed(c(world).node.parse(c(world).node.invoice(AMOUNT, [[hint]])));
    await world.pump();
    world.crash(c(world), false);
    world.tick(1_000);
    expect(held(world)).toHaveLength(1);
  });
});

describe('names of channels that there are not', () => {
  it('are known by their key, and by no other', () => {
    const [ours, others] = [1, 2].map((fill) => new InterceptScids(new Uint8Array(32).fill(fill)));
    const scids = Array.from({ length: 100 }, (_, index) => ours?.make(sha256(Uint8Array.of(index))) ?? 0n);
    expect(new Set(scids).size).toBe(100);
    expect(scids.every((scid) => ours?.has(scid))).toBe(true);
    expect(scids.filter((scid) => others?.has(scid))).toEqual([]);
  });
});
