import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { esploraOfRun } from '../world/esplora-flavours.ts';
import { World } from '../world/world.ts';
import { Scenario } from './scenario.ts';
import { NodeWallet } from './wallet-in-node.ts';

let world: World;
let wallet: NodeWallet;
let scenario: Scenario;

beforeAll(async () => {
  world = await World.start({ esplora: esploraOfRun() });
  wallet = await NodeWallet.openIn(world);
  scenario = new Scenario(world, wallet);
  await wallet.api.createWallet();
  await scenario.until('the chain is synced', () => wallet.told.snapshot.chain.kind === 'synced');
  await wallet.api.connectPeer({ nodeId: world.alice.id, address: scenario.proxied(), trustedForZeroConf: true });
  await scenario.connected();
});
afterAll(async () => {
  await wallet.close();
  await world.stop();
});

const opened = async (sats: number, pushMsat: number): Promise<string> => {
  const known = new Set(scenario.channels.map(({ channelId }) => channelId));
  world.alice.open({ nodeId: wallet.told.snapshot.nodeId, sats, pushMsat });
  const usable = await scenario.until('a channel', () =>
    scenario.channels.find(({ channelId, usable: isUsable }) => isUsable && !known.has(channelId)),
  );
  return usable.channelId;
};

const balanceOf = async (channelIds: readonly string[]): Promise<bigint> => {
  let sum = 0n;
  for (const channelId of channelIds) sum += await scenario.agreed(channelId);
  return sum;
};

describe('a peer that is trusted for zero-conf', () => {
  it('opens a channel that carries payments before its funding is in a block', async () => {
    const height = world.chain.height;
    const channelId = await opened(1_000_000, 300_000_000);
    expect(scenario.channelOf(channelId)).toMatchObject({ confirmations: 0, confirmationsRequired: 0 });
    await scenario.receiveFrom(world.alice, 100_000_000n);
    await scenario.payTo(world.alice, 50_000_000n);
    expect(await scenario.agreed(channelId)).toBe(350_000_000n);
    expect(world.chain.height).toBe(height);
    await scenario.mine(6);
    await wallet.restart();
    await scenario.connected();
    await scenario.payTo(world.bob, 10_000_000n);
    expect(await scenario.agreed(channelId)).toBeLessThan(340_000_001n);
  });
});

describe('a payment in parts', () => {
  it('comes over two channels, and goes over both', async () => {
    const [first] = scenario.channels.map(({ channelId }) => channelId);
    const both = [first ?? '', await opened(1_000_000, 300_000_000)];
    await scenario.mine(6);
    const before = await balanceOf(both);
    const most = scenario.channels.reduce(
      (max, { receivableMsat }) => (receivableMsat > max ? receivableMsat : max),
      0n,
    );
    await scenario.receiveFrom(world.alice, most + 200_000_000n);
    expect(await balanceOf(both)).toBe(before + most + 200_000_000n);
    const largest = scenario.channels.reduce((max, { sendableMsat }) => (sendableMsat > max ? sendableMsat : max), 0n);
    await scenario.payTo(world.alice, largest + 100_000_000n);
    expect(await balanceOf(both)).toBe(before + most + 100_000_000n - largest);
  });
});
