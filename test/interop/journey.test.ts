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
  await scenario.start();
});
afterAll(async () => {
  await wallet.close();
  await world.stop();
});

/** Around the dust limit of both sides, 354 sat, below which an HTLC has no output. */
const SIZES = [1n, 999n, 1_000n, 353_999n, 354_000n, 354_001n, 355_000n, 1_000_000n, 123_456_789n];

describe('a wallet with LDK as its peer', () => {
  it('opens a channel that is usable after six blocks', async () => {
    const channelId = await scenario.openChannel(5_000_000n, 1_000_000_000n);
    expect(scenario.channelOf(channelId)).toMatchObject({ state: 'ready', usable: true, weOpened: true });
    expect(await scenario.agreed()).toBe(4_000_000_000n);
  });

  it.each(SIZES)('pays and receives %d msat', async (msat) => {
    const before = await scenario.agreed();
    await scenario.payTo(world.alice, msat);
    expect(await scenario.agreed()).toBe(before - msat);
    await scenario.receiveFrom(world.alice, msat);
    expect(await scenario.agreed()).toBe(before);
  });

  it('pays a node behind its peer and knows the fee', async () => {
    const before = await scenario.agreed();
    const paymentId = await scenario.payTo(world.bob, 50_000_000n);
    const [sent] = (await wallet.api.activity({ limit: 100 })).filter(({ id }) => id === paymentId);
    expect(sent).toMatchObject({ kind: 'sent', state: 'succeeded', amountMsat: 50_000_000n });
    expect(sent?.feeMsat).toBeGreaterThan(0n);
    expect(await scenario.agreed()).toBe(before - 50_000_000n - (sent?.feeMsat ?? 0n));
  });

  it('receives from a node behind its peer', async () => {
    const before = await scenario.agreed();
    await scenario.receiveFrom(world.bob, 7_654_321n);
    expect(await scenario.agreed()).toBe(before + 7_654_321n);
  });

  it('pays an invoice that leaves the amount to the payer, and receives on one', async () => {
    const before = await scenario.agreed();
    await scenario.pay(world.alice.invoice(), 2_000_003n);
    const { invoice, paymentHash } = await wallet.api.createInvoice({ description: 'as you like' });
    world.alice.pay(invoice, 1_000_001);
    await scenario.received(paymentHash);
    expect(await scenario.agreed()).toBe(before - 2_000_003n + 1_000_001n);
  });

  it('carries ten payments each way at once', async () => {
    const before = await scenario.agreed();
    const each = Array.from({ length: 10 }, (_, index) => BigInt(index + 1) * 300_001n);
    const total = each.reduce((sum, msat) => sum + msat, 0n);
    const outgoing = each.map((msat) => scenario.payTo(world.alice, msat));
    const incoming = each.map((msat) => scenario.receiveFrom(world.alice, 2n * msat));
    await Promise.all([...outgoing, ...incoming]);
    expect(await scenario.agreed()).toBe(before + total);
  });

  it('fails a payment that the recipient refuses, and keeps the money', async () => {
    const before = await scenario.agreed();
    world.alice.reactions.holding = true;
    const { paymentId } = await wallet.api.payInvoice({ invoice: world.alice.invoice({ msat: 3_000_000 }) });
    await scenario.until('the payment is held', () => world.alice.reactions.heldPayments === 1);
    await scenario.until('it is shown', () => wallet.told.snapshot.lightning.pendingMsat === 3_000_000n);
    world.alice.release('fail');
    const failed = await scenario.until('it failed', () => wallet.told.eventsOf(paymentId)[0]);
    expect(failed.kind).toBe('paymentFailed');
    expect(await scenario.agreed()).toBe(before);
  });

  it('sends all that it shows as sendable, and takes all that it shows as receivable', async () => {
    await scenario.agreed();
    const { sendableMsat } = wallet.told.snapshot.lightning;
    await scenario.payTo(world.alice, sendableMsat);
    await scenario.agreed();
    expect(wallet.told.snapshot.lightning.sendableMsat).toBe(0n);
    const { receivableMsat } = wallet.told.snapshot.lightning;
    await scenario.receiveFrom(world.alice, receivableMsat);
    await scenario.agreed();
    expect(wallet.told.snapshot.lightning.receivableMsat).toBe(0n);
  });

  it('closes by agreement and can spend its output', async () => {
    const before = wallet.told.snapshot.onchain.confirmedSat;
    const { channelId, balanceMsat } = scenario.channel;
    await wallet.api.closeChannel({ channelId });
    await scenario.closed(channelId);
    await scenario.mine(1);
    const cost = 2_000n;
    await scenario.spendable(before + balanceMsat / 1000n - cost);
    const { address } = await wallet.api.newAddress({ type: 'p2tr' });
    const { txid } = await wallet.api.sendOnchain({ address, amountSat: 'all' });
    await scenario.until('the transaction is out', () => world.chain.find(txid));
    scenario.expectNoForceClose();
  });

  it('tells every payment once', () => {
    const subjects = wallet.told.events.filter(({ kind }) => kind.startsWith('payment')).map(({ subject }) => subject);
    expect(new Set(subjects).size).toBe(subjects.length);
  });
});

describe('a channel that LDK opened', () => {
  it('carries payments both ways', async () => {
    await scenario.acceptChannel(3_000_000, 1_000_000_000);
    expect(scenario.channel).toMatchObject({ weOpened: false, capacitySat: 3_000_000n });
    expect(await scenario.agreed()).toBe(1_000_000_000n);
    await scenario.payTo(world.bob, 10_000_000n);
    await scenario.receiveFrom(world.bob, 20_000_000n);
    await scenario.receiveFrom(world.alice, 1n);
    await scenario.agreed();
  });

  it('sends and receives the most that it shows', async () => {
    await scenario.receiveFrom(world.alice, wallet.told.snapshot.lightning.receivableMsat);
    await scenario.agreed();
    await scenario.payTo(world.alice, wallet.told.snapshot.lightning.sendableMsat);
    await scenario.agreed();
  });

  it('is closed by LDK by agreement', async () => {
    const { channelId } = scenario.channel;
    world.alice.close(channelId);
    await scenario.closed(channelId);
    scenario.expectNoForceClose();
  });
});
