import { describe, expect, it } from 'vitest';
import type { ChannelEntry } from '../../../worker/engine/manager/channel-entry.ts';
import { decodeTransaction, transactionId, type Transaction } from '../../../worker/engine/transactions/transaction.ts';
import type { Side } from '../../simulation/side.ts';
import { startOf } from '../../simulation/starts.ts';
import { World } from '../../simulation/world.ts';

const KNOWS = { unconfirmedState: true };

async function connected(): Promise<World> {
  const world = new World(await startOf('wide', 'fake'));
  await world.settle();
  world.connect();
  await world.pump();
  world.pay(world.a, 1_000_000n);
  await world.pump();
  world.forced = true;
  return world;
}

const channelOf = ({ node }: Side): ChannelEntry => {
  const [entry] = node.manager.channels();
  if (entry === undefined) throw new Error('there is no channel');
  return entry;
};

/** As an error of ours does. */
async function freeze(world: World, side: Side): Promise<void> {
  const failing = (): unknown =>
    side.node.manager.run(0, () => {
      side.node.manager.closeChannel(channelOf(side).key);
      throw new TypeError('a mistake of ours');
    });
  expect(failing).toThrow('a mistake of ours');
  await world.settle();
  world.problems.length = 0;
  expect(channelOf(side).frozen).toBe('a mistake of ours');
}

const forceClose = (side: Side, consent = {}): void =>
  side.node.turn(() => side.node.manager.forceCloseChannel(channelOf(side).key, consent));

const spendOf = (world: World, side: Side): Transaction | undefined => {
  const { state } = channelOf(side);
  return 'params' in state ? world.chain.spendOf(state.params.fundingTxid, state.params.fundingOutputIndex) : undefined;
};

/** What has left a side for the chain, without the simulation's chain taking it. */
async function leaving(side: Side): Promise<readonly Transaction[]> {
  do {
    await new Promise((resolve) => setImmediate(resolve));
    side.store.completeAll();
    await new Promise((resolve) => setImmediate(resolve));
  } while (side.store.inFlight > 0);
  return side.node.broadcasts.splice(0).map(decodeTransaction);
}

const spendsFunding = (side: Side, { inputs }: Transaction): boolean => {
  const { state } = channelOf(side);
  return 'params' in state && inputs.some(({ txid }) => txid.join() === state.params.fundingTxid.join());
};

describe('a frozen channel', () => {
  it('says and signs nothing, and closes alone on request', async () => {
    const world = await connected();
    await freeze(world, world.a);
    world.pay(world.b, 500_000n);
    // Each message that it ignores is in the log.
    for (let round = 0; round < 3; round++) {
      await world.pump();
      expect(world.problems.splice(0).join()).not.toContain('threw');
    }
    expect(channelOf(world.a).state.kind).toBe('open');
    const closing = (): void => world.a.node.turn(() => world.a.node.manager.closeChannel(channelOf(world.a).key));
    expect(closing).toThrow(expect.objectContaining({ code: 'ChannelFrozen' }) as Error);

    forceClose(world.a);
    await world.pump();
    world.mine();
    await world.pump();
    expect(channelOf(world.a).state).toMatchObject({ kind: 'closed', reason: { kind: 'holderForceClosed' } });
    expect(spendOf(world, world.a)).toBeDefined();
  });

  it('hears what the chain says: its peer’s close, and pays us from it', async () => {
    const world = await connected();
    await freeze(world, world.a);
    forceClose(world.b);
    await world.pump();
    for (let block = 0; block < 4; block++) {
      world.mine();
      await world.pump();
    }
    expect(channelOf(world.a).state).toMatchObject({ kind: 'closed', reason: { kind: 'counterpartyForceClosed' } });
    const commitment = spendOf(world, world.a);
    const sweep = commitment?.outputs.map((_, vout) => world.chain.spendOf(transactionId(commitment), vout));
    expect(sweep?.some((each) => each !== undefined)).toBe(true);
  });

  it('is written on, so that a restart finds it as the chain left it', async () => {
    const world = await connected();
    await freeze(world, world.a);
    forceClose(world.a);
    await world.pump();
    world.crash(world.a, true);
    expect(channelOf(world.a).state).toMatchObject({ kind: 'closed', reason: { kind: 'holderForceClosed' } });
  });
});

describe('a channel that there is not', () => {
  it('is answered with an error that says so', async () => {
    const world = await connected();
    const { manager } = world.a.node;
    const unknown = expect.objectContaining({ code: 'ChannelUnknown' }) as Error;
    expect(() => manager.run(0, () => manager.closeChannel('00'.repeat(32)))).toThrow(unknown);
    expect(() => manager.run(0, () => manager.forceCloseChannel('00'.repeat(32)))).toThrow(unknown);
  });
});

describe('a force close', () => {
  it('asks for a second yes until the peer has confirmed the state in this run', async () => {
    const world = await connected();
    world.crash(world.a, true);
    await world.settle();
    expect(channelOf(world.a).isConfirmed).toBe(false);
    expect(() => forceClose(world.a)).toThrow(expect.objectContaining({ code: 'StateUnconfirmed' }) as Error);
    expect(channelOf(world.a)).toMatchObject({ frozen: undefined, state: { kind: 'open' } });

    world.connect();
    await world.pump();
    expect(channelOf(world.a).isConfirmed).toBe(true);
    world.disconnect();
    forceClose(world.a);
    expect(channelOf(world.a).state.kind).toBe('closed');
  });

  it('is done before that with the second yes', async () => {
    const world = await connected();
    world.crash(world.a, true);
    forceClose(world.a, KNOWS);
    await world.pump();
    world.mine();
    expect(spendOf(world, world.a)).toBeDefined();
  });

  it('replaces a close that was agreed on and does not confirm, also after a restart', async () => {
    const world = await connected();
    world.a.node.turn(() => world.a.node.manager.closeChannel(channelOf(world.a).key));
    for (let round = 0; round < 40 && channelOf(world.a).state.kind !== 'closed'; round++) {
      await world.settle();
      for (const side of world.sides) {
        side.node.broadcasts.length = 0;
        world.complete(side);
        world.deliver(side);
      }
    }
    await leaving(world.a);
    expect(channelOf(world.a).state).toMatchObject({ kind: 'closed', reason: { kind: 'cooperative' } });
    world.crash(world.a, true);
    expect(world.a.node.manager.mayForceClose(channelOf(world.a))).toBe(true);
    await leaving(world.a);

    forceClose(world.a, KNOWS);
    const [commitment] = (await leaving(world.a)).filter((each) => spendsFunding(world.a, each));
    expect(commitment?.locktime ?? 0).toBeGreaterThan(0x2000_0000);
    expect(() => forceClose(world.a, KNOWS)).toThrow(expect.objectContaining({ code: 'ChannelNotOpen' }) as Error);
  });

  it('follows when a reorganisation takes the commitment of the peer out of the chain', async () => {
    const world = await connected();
    world.disconnect();
    forceClose(world.b);
    await world.pump();
    world.mine();
    await world.pump();
    expect(channelOf(world.a).state).toMatchObject({ kind: 'closed', reason: { kind: 'counterpartyForceClosed' } });
    const theirs = spendOf(world, world.a);
    if (theirs === undefined) throw new Error('the peer did not close');
    await leaving(world.a);

    world.a.node.turn(() => world.a.node.manager.transactionUnconfirmed(transactionId(theirs)));
    const [ours] = (await leaving(world.a)).filter((each) => spendsFunding(world.a, each));
    expect(ours === undefined ? 'none' : transactionId(ours).join()).not.toBe(transactionId(theirs).join());
    expect(ours).toBeDefined();
  });
});

describe('an HTLC of ours that was never signed', () => {
  it('has failed when its channel closes, and the invoice can be paid again', async () => {
    const world = await connected();
    const text = world.b.node.invoice(2_000_000n);
    world.a.node.pay(text);
    forceClose(world.a);
    await world.pump();
    expect(world.a.node.manager.outboundPayments.all().at(-1)?.state).toMatchObject({
      kind: 'failed',
      failure: { code: 'PaymentNotSent' },
    });
    const again = (): string => world.a.node.pay(text);
    expect(again).not.toThrow(expect.objectContaining({ code: 'PaymentPending' }) as Error);
  });
});
