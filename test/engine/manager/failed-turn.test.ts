import { describe, expect, it } from 'vitest';
import type { ChannelManager } from '../../../worker/engine/manager/channel-manager.ts';
import { Turn } from '../../../worker/engine/manager/turn.ts';
import { newEntry, type ChannelEntry } from '../../../worker/engine/manager/channel-entry.ts';
import { encodeMonitor } from '../../../worker/engine/monitor/monitor-records.ts';
import { toHex } from '../../../worker/engine/primitives/bytes.ts';
import { encodeWallet } from '../../../worker/engine/wallet/wallet-record.ts';
import { SimulatedNode } from '../../simulation/node.ts';
import { startOf } from '../../simulation/starts.ts';
import { World } from '../../simulation/world.ts';
import { openPair } from '../channel/party.ts';

async function connected(): Promise<World> {
  const world = new World(await startOf('pair', 'fake'));
  await world.settle();
  world.connect();
  await world.pump();
  return world;
}

/** All of an engine's memory that a test can see, as text. */
function memoryOf({ manager, wallet }: SimulatedNode): string {
  const channels = manager.channels().map((entry) => ({ ...entry, signer: entry.signer.state }));
  const monitors = manager.chainMonitor.monitors().map(([key, monitor]) => [key, toHex(encodeMonitor(monitor))]);
  const payments = [manager.outboundPayments.all(), manager.inboundPayments.all()];
  const rest = [manager.pendingEvents(), manager.blockHeight, toHex(encodeWallet(wallet.state))];
  return JSON.stringify([channels, monitors, payments, rest], (key, value: unknown) => {
    if (BESIDE.includes(key)) return undefined;
    return typeof value === 'bigint' ? `${value}n` : value instanceof Uint8Array ? toHex(value) : value;
  });
}

/** Of an entry: what an error marks, what only saves writes, and what only grows. */
const BESIDE = ['frozen', 'saved', 'storedOnions'];

const WORKS: readonly [string, (world: World, manager: ChannelManager) => void][] = [
  ['a force close', (_world, manager) => manager.forceCloseChannel(manager.channels()[0]?.key ?? '')],
  ['a close', (_world, manager) => manager.closeChannel(manager.channels()[0]?.key ?? '')],
  ['blocks', (_world, manager) => manager.bestBlockUpdated(10_000)],
  ['an opening', (world, manager) => void manager.openChannel(world.b.node.nodeId, 50_000n as never, 0n as never)],
  ['a lost connection', (world, manager) => manager.peerDisconnected(world.b.node.nodeId, 1)],
  ['a new connection', (world, manager) => manager.peerConnected(world.b.node.nodeId, 2, world.b.node.features)],
];

describe('a turn that fails', () => {
  it.each(WORKS)('after %s leaves memory as it was', async (_name, work) => {
    const world = await connected();
    const { manager } = world.a.node;
    const before = memoryOf(world.a.node);
    const failing = (): unknown =>
      manager.run(0, () => {
        work(world, manager);
        throw new TypeError('a mistake of ours');
      });
    expect(failing).toThrow('a mistake of ours');
    expect(memoryOf(world.a.node)).toBe(before);
  });

  it('after a monitor was updated does not make the channel unreadable', async () => {
    const world = await connected();
    const { node } = world.a;
    const [first, second] = node.manager.channels();
    const update = node.manager.chainMonitor.updateChannel.bind(node.manager.chainMonitor);
    node.manager.chainMonitor.updateChannel = (...terms) => {
      update(...terms);
      throw new TypeError('a mistake of ours');
    };
    expect(() => node.turn(() => node.manager.forceCloseChannel(first?.key ?? ''))).toThrow('a mistake of ours');
    node.manager.chainMonitor.updateChannel = update;
    expect([first?.frozen, second?.frozen]).toEqual(['a mistake of ours', undefined]);

    world.mine();
    await world.pump();
    world.problems.length = 0;
    world.crash(world.a, true);
    expect(world.problems).toEqual([]);
    expect(world.a.node.manager.channels().map(({ state, frozen }) => [state.kind, frozen])).toEqual([
      ['open', undefined],
      ['open', undefined],
    ]);
  });

  it('for one channel of many takes back what that one did to the coins', async () => {
    const world = await connected();
    const { manager, wallet } = world.a.node;
    const original = manager.chainMonitor.transactionsConfirmed.bind(manager.chainMonitor);
    manager.chainMonitor.transactionsConfirmed = () => {
      wallet.newScript('receive');
      throw new TypeError('a mistake of ours');
    };
    const before = wallet.state;
    manager.run(0, () => manager.transactionsConfirmed(world.chain.height + 1, []));
    manager.chainMonitor.transactionsConfirmed = original;
    expect(wallet.state).toBe(before);
  });

  it('for one channel of many freezes that one, and the others take part', async () => {
    const world = await connected();
    const { manager } = world.a.node;
    const [first, second] = manager.channels();
    const original = manager.chainMonitor.bestBlockUpdated.bind(manager.chainMonitor);
    manager.chainMonitor.bestBlockUpdated = (key, height) => {
      if (key === first?.key) throw new TypeError('a mistake of ours');
      original(key, height);
    };
    world.mine();
    expect(manager.channels().map(({ frozen }) => frozen)).toEqual(['a mistake of ours', undefined]);
    expect(world.a.node.freezes).toBe(1);
    expect(manager.blockHeight).toBe(world.chain.height);
    await world.settle();
    world.problems.length = 0;
    world.pay(world.a, 1_000_000n);
    await world.pump();
    expect(world.problems).toEqual([]);
    expect(second?.state).toMatchObject({ commitments: { holderCommit: { number: 2 } } });
  });
});

describe('a part of a turn', () => {
  it('that fails takes back what it changed and said, also of channels that were touched before', () => {
    const turn = new Turn(0);
    const { opener } = openPair();
    const entry: ChannelEntry = newEntry({
      key: '00',
      nodeId: '',
      signer: opener.signer,
      state: opener.state,
      connection: 'disconnected',
    });
    turn.touch(entry).connection = 'reestablishing';
    turn.writes.set('kept', Uint8Array.of(1));
    turn.broadcast(Uint8Array.of(1));
    const failed = turn.attempt(() => {
      turn.touch(entry).connection = 'connected';
      turn.writes.set('lost', Uint8Array.of(2));
      turn.broadcast(Uint8Array.of(2));
      throw new TypeError('a mistake of ours');
    });
    expect(failed?.error).toBeInstanceOf(TypeError);
    expect(entry.connection).toBe('reestablishing');
    expect([...turn.writes.keys()]).toEqual(['kept']);
    expect(turn.touched).toEqual(new Set([entry]));
    turn.undo.rollBack();
    expect(entry.connection).toBe('disconnected');
  });
});
