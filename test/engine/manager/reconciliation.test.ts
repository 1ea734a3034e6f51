import { describe, expect, it } from 'vitest';
import type { OpenChannel } from '../../../worker/engine/channel/channel-state.ts';
import { lostPreimages, reconcile } from '../../../worker/engine/manager/reconciliation.ts';
import type { ChannelMonitor } from '../../../worker/engine/monitor/channel-monitor.ts';
import { newMonitor } from '../../../worker/engine/monitor/channel-monitor.ts';
import { decodeTransaction } from '../../../worker/engine/transactions/transaction.ts';
import { toHex } from '../../../worker/engine/primitives/bytes.ts';
import type { StoredRecords, StoreWrites } from '../../../worker/engine/primitives/store.ts';
import { isOpen } from '../../../worker/engine/manager/channel-entry.ts';
import { MemoryDisk } from '../../simulation/memory-store.ts';
import { startOf } from '../../simulation/starts.ts';
import { World } from '../../simulation/world.ts';
import { exchange, openPair } from '../channel/party.ts';

/** A channel after a payment, and the monitor that fits it. */
function agreeing() {
  const { opener, fundee } = openPair();
  opener.offer(1_000_000n);
  exchange(opener, fundee);
  return { commitments: opener.state.commitments, monitor: monitorOf(opener.state) };
}

function monitorOf({ params, commitments }: OpenChannel): ChannelMonitor {
  const signatures = { signature: new Uint8Array(64), htlcSignatures: [] };
  return newMonitor(params, [
    { kind: 'latestHolderCommitment', ...commitments.holderCommit, ...signatures },
    { kind: 'latestCounterpartyCommitment', ...commitments.counterpartyCommit },
  ]);
}

const holderAt = (monitor: ChannelMonitor, by: number): ChannelMonitor => ({
  ...monitor,
  holderCommitment: { ...monitor.holderCommitment, number: monitor.holderCommitment.number + by },
});

const counterpartyAt = (monitor: ChannelMonitor, by: number): ChannelMonitor => ({
  ...monitor,
  counterpartyCommitments: monitor.counterpartyCommitments.map((each) => ({ ...each, number: each.number + by })),
});

describe('the plan for a channel and its monitor', () => {
  it.each<[string, (monitor: ChannelMonitor) => ChannelMonitor, string]>([
    ['operate, where they agree', (monitor) => monitor, 'operate'],
    ['close from a monitor with a newer commitment of ours', (monitor) => holderAt(monitor, 1), 'channelBehind'],
    ['close from a monitor with a newer one of the peer', (monitor) => counterpartyAt(monitor, 1), 'channelBehind'],
    ['close from a monitor that is closed', (monitor) => ({ ...monitor, closed: 'broadcast' }), 'channelBehind'],
    ['never broadcast an older commitment of ours', (monitor) => holderAt(monitor, -1), 'monitorBehind'],
    ['never broadcast beside an older one of the peer', (monitor) => counterpartyAt(monitor, -1), 'monitorBehind'],
    [
      'never broadcast where each is ahead in one thing',
      (monitor) => counterpartyAt(holderAt(monitor, 1), -1),
      'monitorBehind',
    ],
  ])('is to %s', (_name, change, plan) => {
    const { commitments, monitor } = agreeing();
    expect(reconcile(commitments, change(monitor))).toBe(plan);
  });
});

it('preimages that its monitor lacks are those of what was fulfilled, and of payments that came', () => {
  const { opener, fundee } = openPair();
  opener.offer(1_000_000n);
  exchange(opener, fundee);
  const preimage = new Uint8Array(32).fill(1);
  const lackedBy = (
    { state }: typeof fundee,
    change: Partial<ChannelMonitor>,
    paid: boolean,
  ): readonly Uint8Array[] => {
    const monitor = { ...monitorOf(state), ...change };
    return lostPreimages(state, monitor, (htlcId) => (paid && htlcId === 0n ? preimage : undefined));
  };
  const [htlc] = fundee.state.commitments.holderCommit.spec.htlcs;
  const known = new Map([[toHex(htlc?.paymentHash ?? preimage), preimage]]);
  expect(lackedBy(fundee, {}, false)).toEqual([]);
  expect(lackedBy(fundee, {}, true)).toEqual([preimage]);
  expect(lackedBy(fundee, { preimages: known }, true)).toEqual([]);
  expect(lackedBy(opener, {}, true)).toEqual([]);
  const { commitments } = fundee.state;
  const fulfilled = { kind: 'fulfill', htlcId: 0n, preimage } as const;
  const holderChanges = { ...commitments.holderChanges, proposed: [fulfilled] };
  const fulfilling = { ...fundee.state, commitments: { ...commitments, holderChanges } };
  expect(lostPreimages(fulfilling, monitorOf(fulfilling), () => undefined)).toEqual([preimage]);
});

/** A wallet with two channels after payments, of which a restart finds some records changed. */
async function restarted(change: (records: Map<string, Uint8Array>, older: StoredRecords) => void) {
  const world = new World(await startOf('pair', 'fake'));
  await world.settle();
  world.connect();
  await world.pump();
  world.pay(world.a, 1_000_000n);
  await world.pump();
  const older = new Map(world.a.disk.durable);
  world.pay(world.a, 2_000_000n);
  await world.pump();
  const records = new Map(world.a.disk.durable);
  change(records, older);
  const removed = [...world.a.disk.durable.keys()].filter((key) => !records.has(key));
  // Past the simulation's own look at what is written, which reads every record.
  const apply = (writes: StoreWrites): void => MemoryDisk.prototype.apply.call(world.a.disk, writes);
  apply(new Map<string, Uint8Array | undefined>(records));
  apply(new Map(removed.map((key) => [key, undefined])));
  world.crash(world.a, false);
  world.problems.length = 0;
  world.a.node.broadcasts.length = 0;
  await written(world);
  const { manager } = world.a.node;
  const [sick, healthy] = manager.channels();
  if (sick === undefined || healthy === undefined) throw new Error('a channel is missing');
  const fundingOf = manager.chainMonitor.monitor(sick.key)?.params.fundingTxid ?? new Uint8Array(0);
  const spends = world.a.node.broadcasts.filter((raw) =>
    decodeTransaction(raw).inputs.some(({ txid }) => txid.join() === fundingOf.join()),
  );
  return { world, sick, healthy, spends };
}

/** What the first node says to the chain stays where the test can see it. */
async function written({ a }: World): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await new Promise((resolve) => setImmediate(resolve));
    a.store.completeAll();
  }
  await new Promise((resolve) => setImmediate(resolve));
}

const keysBelow = (records: StoredRecords, prefix: string): string[] =>
  [...records.keys()].filter((key) => key.startsWith(prefix));

const torn = (bytes: Uint8Array | undefined): Uint8Array => (bytes ?? new Uint8Array(0)).slice(0, 40);

describe('a channel whose records do not belong together', () => {
  it.each<[string, (records: Map<string, Uint8Array>, older: StoredRecords) => void]>([
    [
      'is older than its monitor',
      (records, older) => void records.set('chan/0/state', older.get('chan/0/state') ?? new Uint8Array(0)),
    ],
    ['has lost its state', (records) => void records.delete('chan/0/state')],
    ['has a damaged state', (records) => void records.set('chan/0/state', torn(records.get('chan/0/state')))],
  ])('and %s is closed from its monitor', async (_name, change) => {
    const { world, sick, healthy, spends } = await restarted(change);
    expect(sick.state).toMatchObject({ kind: 'closed', reason: { kind: 'channelBehind' } });
    expect(spends.length).toBeGreaterThan(0);
    expect(isOpen(healthy)).toBe(true);
    expect(world.a.node.manager.pendingEvents().at(-1)?.kind).toBe('channelClosed');
  });

  it.each<[string, (records: Map<string, Uint8Array>, older: StoredRecords) => void]>([
    [
      'is newer than its monitor',
      (records, older) => {
        for (const key of keysBelow(records, 'mon/0/')) records.delete(key);
        for (const key of keysBelow(older, 'mon/0/')) records.set(key, older.get(key) ?? new Uint8Array(0));
      },
    ],
    [
      'has lost its monitor',
      (records) => {
        for (const key of keysBelow(records, 'mon/0/')) records.delete(key);
      },
    ],
    ['has a damaged monitor', (records) => void records.set('mon/0/snap', torn(records.get('mon/0/snap')))],
  ])('and %s is never broadcast, also not on request, and waits for its peer', async (_name, change) => {
    const { world, sick, healthy, spends } = await restarted(change);
    expect(sick.state).toMatchObject({ kind: 'closed', reason: { kind: 'monitorBehind' } });
    expect(spends).toEqual([]);
    const { manager } = world.a.node;
    const forced = (): unknown => manager.run(0, () => manager.forceCloseChannel(sick.key, { unconfirmedState: true }));
    expect(forced).toThrow(expect.objectContaining({ code: 'ChannelStale' }) as Error);
    expect(isOpen(healthy)).toBe(true);

    world.forced = true;
    world.connect();
    for (let round = 0; round < 5; round++) {
      await world.pump();
      // Each thing that is said about the sick channel is in the log.
      world.problems.length = 0;
    }
    expect(world.a.node.manager.channels()[1]?.connection).toBe('connected');
    // The peer has closed: that is all that gets the money out.
    const theirs = world.b.node.manager.channels().find(({ key }) => key === sick.key);
    expect(theirs?.state).toMatchObject({ kind: 'closed', reason: { kind: 'counterpartyLostState' } });
  });

  it('and was closed by agreement has what was agreed broadcast without its monitor, and nothing else', async () => {
    const world = new World(await startOf('wide', 'fake'));
    await world.settle();
    world.connect();
    await world.pump();
    const { key } = world.a.node.manager.channels()[0] ?? { key: '' };
    world.a.node.turn(() => world.a.node.manager.closeChannel(key));
    await world.pump();
    for (const each of world.a.disk.durable.keys())
      if (each.startsWith('mon/')) MemoryDisk.prototype.apply.call(world.a.disk, new Map([[each, undefined]]));
    for (const restart of ['first', 'second']) {
      world.crash(world.a, false);
      world.problems.length = 0;
      await written(world);
      const { manager, broadcasts } = world.a.node;
      const state = manager.channels()[0]?.state;
      if (state?.kind !== 'closed' || state.reason.kind !== 'cooperative')
        throw new Error(`it is not closed: ${restart}`);
      expect(new Set(broadcasts.splice(0).map((raw) => raw.join()))).toEqual(
        new Set([state.reason.transaction.join()]),
      );
      const forced = (): unknown => manager.run(0, () => manager.forceCloseChannel(key, { unconfirmedState: true }));
      expect(forced).toThrow(expect.objectContaining({ code: 'ChannelStale' }) as Error);
    }
    world.mine();
    expect(world.a.node.manager.chainMonitor.monitor(key)?.confirmedSpend?.spend.kind).toBe('cooperative');
  });

  it('does not keep the others from paying, and is the same after another restart', async () => {
    const { world } = await restarted((records) => void records.delete('chan/0/state'));
    world.crash(world.a, false);
    world.problems.length = 0;
    expect(world.a.node.manager.channels().map(({ state }) => state.kind)).toEqual(['closed', 'open']);
    world.forced = true;
    world.connect();
    await world.pump();
    world.pay(world.a, 500_000n);
    await world.pump();
    expect(world.a.node.manager.outboundPayments.all().map(({ state }) => state.kind)).toEqual([
      'succeeded',
      'succeeded',
      'succeeded',
    ]);
  });
});
