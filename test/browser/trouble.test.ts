import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Scenario } from '../interop/scenario.ts';
import { World } from '../world/world.ts';
import { Harness, type Tab } from './harness.ts';
import { Random } from './random.ts';
import { Traffic } from './traffic.ts';

const NAME = 'trouble';
/** Enough to start, and for some payments. */
const ROOM_BYTES = 200_000;

let world: World;
let harness: Harness;
let tab: Tab;
let scenario: Scenario;

beforeAll(async () => {
  world = await World.start({ withoutBob: true });
  harness = await Harness.start(world);
  tab = await harness.newTab(NAME);
  await tab.open();
  scenario = new Scenario(world, tab);
  await scenario.start();
  await scenario.openChannel(2_000_000n, 500_000_000n);
});
afterAll(async () => {
  await harness.stop();
  await world.stop();
});
afterEach(() => scenario.recovered());

describe('a device without room', () => {
  it('freezes the wallet with a typed error, sends nothing more, and loses nothing', async () => {
    const before = await scenario.agreed();
    await tab.page.close();
    // Chromium remembers for a while how much room there was: only a new one asks again.
    await harness.restartBrowser();
    tab = await harness.newTab(NAME, tab.told);
    scenario = new Scenario(world, tab);
    await tab.limitStorage(harness.origin, 1);
    await expect(tab.open()).rejects.toMatchObject({ code: 'StorageFull' });
    await tab.limitStorage(harness.origin, (await tab.usedStorage()) + ROOM_BYTES);
    await tab.open();
    await scenario.connected();
    const traffic = new Traffic(scenario, new Random(1), [world.alice]);
    while (tab.told.snapshot.status === 'running') {
      traffic.start();
      await traffic.answered();
    }
    expect(tab.told.snapshot.problem?.code).toBe('StorageFull');
    const seen = world.alice.events().length;
    const invoice = world.alice.invoice({ msat: 1_000_000 });
    await expect(tab.api.payInvoice({ invoice })).rejects.toMatchObject({ code: 'StorageFull' });
    expect(world.alice.events(seen)).toEqual([]);
    await tab.limitStorage(harness.origin);
    await tab.reload();
    await scenario.connected();
    await traffic.settled();
    const { ours, theirs } = await traffic.outcomes();
    expect(ours).toEqual(theirs);
    expect(await scenario.agreed()).toBe(before + (await traffic.change()));
    await scenario.pay(invoice);
  });
});

describe('a worker', () => {
  it('that dies is told to the page, for calls and for the subscription', async () => {
    // In one task of the page: there is no time for an answer in between.
    const answer = await tab.page.evaluate(
      (invoice) => {
        const waiting = window.testPage.call('payInvoice', [{ invoice }]);
        window.testPage.crash();
        return waiting;
      },
      world.alice.invoice({ msat: 1_000 }),
    );
    expect(answer).toMatchObject({ kind: 'error', code: 'WorkerDied' });
    await expect(tab.api.snapshot()).rejects.toMatchObject({ code: 'WorkerDied' });
    expect(await tab.page.evaluate(() => window.testPage.endedBy)).toBe('WorkerDied');
    await tab.open();
  });

  it('that cannot be loaded is told to the page', async () => {
    const other = await harness.newTab('no-script');
    await expect(other.openWithoutScript()).rejects.toMatchObject({ code: 'WorkerDied' });
    await other.page.close();
  });
});

describe('a database', () => {
  it('of a newer version of the wallet is left alone', async () => {
    const other = await harness.newTab('newer');
    await other.open();
    await other.api.createWallet();
    await other.call('close', []);
    await other.page.evaluate(() => window.testPage.upgradeDatabase('glowworm-newer'));
    await expect(other.open()).rejects.toMatchObject({ code: 'DatabaseTooNew' });
    await other.page.close();
  });

  it('that is gone is no new wallet', async () => {
    const other = await harness.newTab('lost');
    await other.open();
    await other.api.createWallet();
    await other.call('close', []);
    await other.page.evaluate(() => window.testPage.deleteDatabase('glowworm-lost'));
    await expect(other.open()).rejects.toMatchObject({ code: 'StorageLost' });
    await other.page.close();
  });
});

describe('a server that is away', () => {
  it('as the proxy that never answers is named in the end', async () => {
    world.proxy.fault = { kind: 'silent' };
    await tab.reload();
    const { code } = await scenario.until(
      'the peer has a problem',
      () => tab.told.snapshot.peers[0]?.problem,
      SILENCE_TIMEOUT_MS,
    );
    expect(code).toBe('PeerUnreachable');
    expect(scenario.channel).toMatchObject({ state: 'ready', usable: false });
    world.proxy.drop();
  });

  it('as Esplora at the start does not hide what the wallet has', async () => {
    const { onchain, channels } = tab.told.snapshot;
    world.esplora.faults.add({ kind: 'drop', times: 10_000 });
    await tab.reload();
    const status = await scenario.until('it is noticed', () => tab.told.snapshot.chain.problem);
    expect(status.code).toMatch(/^ChainSource/);
    expect(tab.told.snapshot.onchain).toEqual(onchain);
    expect(tab.told.snapshot.channels[0]?.balanceMsat).toBe(channels[0]?.balanceMsat);
    world.esplora.faults.clear();
    await scenario.connected();
    await scenario.payTo(world.alice, 1_000n);
  });
});

/** Longer than the wallet waits for a handshake. */
const SILENCE_TIMEOUT_MS = 30_000;
