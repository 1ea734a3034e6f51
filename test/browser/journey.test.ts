import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scenario } from '../interop/scenario.ts';
import { esploraOfRun } from '../world/esplora-flavours.ts';
import { World } from '../world/world.ts';
import { Harness, type Tab } from './harness.ts';
import { Random, seedOfRun } from './random.ts';
import { Traffic } from './traffic.ts';

const NAME = 'journey';
const SIZES = [1n, 1_000n, 353_999n, 354_000n, 354_001n, 355_000n, 1_000_000n, 12_345_678n];

let world: World;
let harness: Harness;
let tab: Tab;
let scenario: Scenario;

beforeAll(async () => {
  world = await World.start({ esplora: esploraOfRun(), linkSats: 15_000_000 });
  harness = await Harness.start(world);
  tab = await harness.newTab(NAME);
  await tab.open();
  scenario = new Scenario(world, tab);
});
afterAll(async () => {
  await harness.stop();
  await world.stop();
});

describe('a wallet in Chromium', () => {
  it('is created, funded and opens a channel that is usable after six blocks', async () => {
    await scenario.start();
    await scenario.openChannel(10_000_000n, 4_000_000_000n);
    expect(await scenario.agreed()).toBe(6_000_000_000n);
  });

  it.each([
    ['its peer', () => world.alice],
    ['a node behind its peer', () => world.bob],
  ])(
    'carries a hundred payments each way with %s',
    async (_name, node) => {
      const before = await scenario.agreed();
      const change = await paymentsBothWays(100, node());
      expect(await scenario.agreed()).toBe(before + change);
    },
    2 * 60_000,
  );

  it('sends all that it shows as sendable, and takes all that it shows as receivable', async () => {
    await scenario.payTo(world.alice, tab.told.snapshot.lightning.sendableMsat);
    await scenario.agreed();
    await scenario.receiveFrom(world.alice, tab.told.snapshot.lightning.receivableMsat);
    await scenario.agreed();
    await scenario.payTo(world.alice, 5_000_000_000n);
    await scenario.agreed();
  });

  it(
    'loses nothing when its page or its worker ends at fifty random moments',
    async () => {
      const seed = seedOfRun();
      console.log(`replay: GLOWWORM_SEED=${seed} npx vitest run test/browser/journey.test.ts`);
      const random = new Random(seed);
      const before = await scenario.agreed();
      const traffic = new Traffic(scenario, random, [world.alice, world.alice, world.bob]);
      for (let ending = 0; ending < 50; ending++) {
        await scenario.connected();
        for (let count = 1 + random.below(3); count > 0; count--) traffic.start();
        let changes = random.below(30);
        await scenario.until('a random moment', () => changes-- <= 0);
        await (random.below(2) === 0 ? tab.reload() : tab.restartWorker());
      }
      await scenario.connected();
      await traffic.settled();
      const after = await scenario.agreed();
      const { ours, theirs } = await traffic.outcomes();
      expect(ours).toEqual(theirs);
      expect(ours.filter((outcome) => outcome.endsWith(' paid')).length).toBeGreaterThan(50);
      expect(traffic.repeated()).toEqual([]);
      expect(after - before).toBe(await traffic.change());
      scenario.expectNoForceClose();
    },
    4 * 60_000,
  );

  it('is not opened a second time by another tab', async () => {
    const second = await harness.newTab(NAME);
    await expect(second.open()).rejects.toMatchObject({ code: 'WalletOpenElsewhere' });
    await second.page.close();
    await scenario.payTo(world.alice, 1_000n);
  });

  it('goes on in another tab once its own is closed', async () => {
    const second = await harness.newTab(NAME, tab.told);
    await tab.page.close();
    tab = second;
    await tab.open();
    scenario = new Scenario(world, tab);
    await scenario.connected();
    await scenario.payTo(world.alice, 1_000n);
  });

  it('keeps everything when Chromium restarts on the same profile', async () => {
    const [words, activity] = [await tab.api.showMnemonic(), await tab.api.activity({ limit: 10_000 })];
    const { nodeId } = tab.told.snapshot;
    const balance = await scenario.agreed();
    await harness.restartBrowser();
    tab = await harness.newTab(NAME, tab.told);
    await tab.open();
    scenario = new Scenario(world, tab);
    await scenario.connected();
    expect(await scenario.agreed()).toBe(balance);
    expect(tab.told.snapshot.nodeId).toBe(nodeId);
    expect(await tab.api.showMnemonic()).toBe(words);
    expect(await tab.api.activity({ limit: 10_000 })).toEqual(activity);
  });

  it('closes by agreement and gets its money back', async () => {
    const { channelId, balanceMsat } = scenario.channel;
    const before = tab.told.snapshot.onchain.confirmedSat;
    await tab.api.closeChannel({ channelId });
    await scenario.closed(channelId);
    await scenario.mine(1);
    await scenario.spendable(before + balanceMsat / 1000n - 2_000n);
    scenario.expectNoForceClose();
  });
});

/** `count` payments each way, ten at a time; gives what the balance changes by. */
async function paymentsBothWays(count: number, node: World['alice']): Promise<bigint> {
  const sent: Promise<string>[] = [];
  let change = 0n;
  for (let index = 0; index < count; index++) {
    const msat = SIZES[index % SIZES.length] ?? 1n;
    const pair = [scenario.payTo(node, msat), scenario.receiveFrom(node, msat + 1n)] as const;
    change += 1n;
    sent.push(pair[0]);
    if (index % 10 === 9) await Promise.all(sent);
    await pair[1];
  }
  const ids = new Set(await Promise.all(sent));
  const activity = await tab.api.activity({ limit: 10_000 });
  for (const { id, feeMsat } of activity) if (ids.has(id)) change -= feeMsat;
  return change;
}
