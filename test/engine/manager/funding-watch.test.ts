import { describe, expect, it } from 'vitest';
import type { ChannelEntry } from '../../../worker/engine/manager/channel-entry.ts';
import { decodeTransaction, transactionId, type Transaction } from '../../../worker/engine/transactions/transaction.ts';
import { MemoryDisk } from '../../simulation/memory-store.ts';
import type { Side } from '../../simulation/side.ts';
import { startOf } from '../../simulation/starts.ts';
import { World } from '../../simulation/world.ts';

/** A has opened a channel with B; its funding is in no block. */
async function unfunded(): Promise<{ readonly world: World; readonly funding: Transaction }> {
  const world = new World(await startOf('empty', 'fake'));
  world.opened = true;
  await world.settle();
  world.connect();
  await world.pump();
  world.a.node.open(world.b.node, 500_000n, 1_000_000n);
  await world.pump();
  const { state } = channelOf(world.a) ?? {};
  if (state?.kind !== 'open') throw new Error('the channel was not opened');
  return { world, funding: decodeTransaction(state.funding.transaction) };
}

const channelOf = ({ node }: Side): ChannelEntry | undefined => node.manager.channels()[0];

const age = (side: Side, blocks: number): void =>
  side.node.turn(() => side.node.manager.bestBlockUpdated(side.node.manager.blockHeight + blocks));

const confirmed = (side: Side, transaction: Transaction, height: number, index = 1): void =>
  side.node.turn(() => {
    side.node.manager.transactionsConfirmed(height, [{ index, transaction }]);
    side.node.manager.bestBlockUpdated(height);
  });

/** Another transaction with the inputs of the first, to somebody else. */
const doubleSpend = ({ inputs, ...rest }: Transaction): Transaction => ({
  ...rest,
  inputs,
  outputs: [{ amountSat: 1000n, script: Uint8Array.of(0, 20, ...new Uint8Array(20)) }],
});

async function durable(side: Side): Promise<void> {
  for (let round = 0; round < 4; round++) {
    await new Promise((resolve) => setImmediate(resolve));
    side.store.completeAll();
  }
}

describe('a funding that does not confirm', () => {
  it('is given up by the fundee after 2,016 blocks, counted over restarts, and costs nothing after that', async () => {
    const { world } = await unfunded();
    age(world.b, 2000);
    await durable(world.b);
    world.crash(world.b, true);
    expect(channelOf(world.b)?.state.kind).toBe('open');
    age(world.b, world.chain.height + 2016 - world.b.node.manager.blockHeight);
    expect(channelOf(world.b)?.state.kind).toBe('open');
    age(world.b, 1);
    expect(channelOf(world.b)).toBeUndefined();
    expect(world.b.node.manager.chainMonitor.monitors()).toEqual([]);
    expect(world.b.node.manager.pendingEvents().at(-1)).toMatchObject({ kind: 'channelClosed' });
    await durable(world.b);
    const keys = [...world.b.disk.durable.keys()];
    expect(keys.filter((key) => key.startsWith('chan/') || key.startsWith('mon/'))).toEqual([]);
    expect(keys.filter((key) => key.startsWith('arch/'))).toHaveLength(3);
    world.crash(world.b, true);
    expect(world.b.node.manager.channels()).toEqual([]);
  });

  it('is never given up by the opener, whose money it is', async () => {
    const { world } = await unfunded();
    age(world.a, 50_000);
    expect(channelOf(world.a)?.state.kind).toBe('open');
  });

  it('reserves no coins of the fundee', async () => {
    const { world } = await unfunded();
    expect(world.a.node.manager.reservingChannels()).toBe(1);
    expect(world.b.node.manager.reservingChannels()).toBe(0);
    world.mine();
    expect(world.b.node.manager.reservingChannels()).toBe(1);
  });
});

describe('a funding whose coins are spent by another transaction', () => {
  it('is given up by the opener six blocks deep, also where a restart comes between', async () => {
    const { world, funding } = await unfunded();
    const height = world.chain.height + 1;
    confirmed(world.a, doubleSpend(funding), height);
    age(world.a, 4);
    await durable(world.a);
    expect(channelOf(world.a)?.state.kind).toBe('open');
    world.crash(world.a, true);
    world.problems.length = 0;
    age(world.a, height + 4 - world.a.node.manager.blockHeight);
    expect(channelOf(world.a)?.state.kind).toBe('open');
    age(world.a, 1);
    expect(channelOf(world.a)).toBeUndefined();
    expect(world.a.node.manager.pendingEvents().at(-1)?.message).toContain('spent elsewhere');
  });

  it('goes on where a reorganisation takes that one out again', async () => {
    const { world, funding } = await unfunded();
    const other = doubleSpend(funding);
    confirmed(world.a, other, world.chain.height + 1);
    world.a.node.turn(() => world.a.node.manager.transactionUnconfirmed(transactionId(other)));
    age(world.a, 20);
    expect(channelOf(world.a)?.state.kind).toBe('open');
  });
});

describe('a channel that its opener closes alone before the funding is in a block', () => {
  const close = (side: Side): void =>
    side.node.turn(() => side.node.manager.forceCloseChannel(channelOf(side)?.key ?? ''));

  it('broadcasts the funding on, and the commitment only upon it', async () => {
    const { world, funding } = await unfunded();
    world.a.node.broadcasts.length = 0;
    close(world.a);
    age(world.a, 1);
    await durable(world.a);
    const ids = (): readonly string[] =>
      world.a.node.broadcasts.map((raw) => transactionId(decodeTransaction(raw)).join());
    expect(new Set(ids())).toEqual(new Set([transactionId(funding).join()]));
    world.a.node.broadcasts.length = 0;
    confirmed(world.a, funding, world.chain.height + 2);
    await durable(world.a);
    expect(ids()).not.toContain(transactionId(funding).join());
    expect(ids().length).toBeGreaterThan(0);
  });

  it('is over, and keeps no coins, once the coins of the funding are spent elsewhere', async () => {
    const { world, funding } = await unfunded();
    const { spendableSat } = world.a.node.wallet.balance(0n, 0);
    close(world.a);
    await durable(world.a);
    world.crash(world.a, true);
    world.problems.length = 0;
    const height = world.chain.height + 1;
    confirmed(world.a, doubleSpend(funding), height);
    age(world.a, 5);
    expect(channelOf(world.a)).toBeUndefined();
    expect(world.a.node.wallet.balance(0n, 0).spendableSat).toBeGreaterThanOrEqual(spendableSat);
  });
});

describe('a funding in the chain', () => {
  it('that a coinbase pays is deep enough after 100 blocks', async () => {
    const { world, funding } = await unfunded();
    const height = world.chain.height + 1;
    confirmed(world.b, funding, height, 0);
    age(world.b, 98);
    await durable(world.b);
    const isReady = (): boolean => {
      const { state } = channelOf(world.b) ?? {};
      return state?.kind === 'open' && state.holderReadySent;
    };
    expect(isReady()).toBe(false);
    age(world.b, 1);
    await durable(world.b);
    expect(isReady()).toBe(true);
  });

  it('of a channel whose monitor was lost is never followed by our commitment', async () => {
    const { world, funding } = await unfunded();
    const lost = [...world.b.disk.durable.keys()].filter((key) => key.startsWith('mon/'));
    MemoryDisk.prototype.apply.call(world.b.disk, new Map(lost.map((key) => [key, undefined])));
    world.crash(world.b, true);
    world.problems.length = 0;
    await durable(world.b);
    expect(channelOf(world.b)?.state).toMatchObject({ kind: 'closed', reason: { kind: 'monitorBehind' } });
    world.b.node.broadcasts.length = 0;
    confirmed(world.b, funding, world.chain.height + 1);
    age(world.b, 5);
    await durable(world.b);
    expect(world.b.node.broadcasts).toEqual([]);
  });

  it('of a channel that its opener had given up pays us what it pushed', async () => {
    const { world, funding } = await unfunded();
    const key = channelOf(world.b)?.key ?? '';
    world.forced = true;
    // As the peer does that has forgotten the channel before its funding was seen.
    world.b.node.turn(() => world.b.node.manager.forceCloseChannel(key));
    await durable(world.b);
    world.b.node.broadcasts.length = 0;
    confirmed(world.b, funding, world.chain.height + 1);
    await durable(world.b);
    expect(world.b.node.broadcasts.length).toBeGreaterThan(0);
  });
});
