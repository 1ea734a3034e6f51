import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProxyDirection } from '../world/proxy.ts';
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
  await scenario.openChannel(5_000_000n, 2_000_000_000n);
});
afterAll(async () => {
  await wallet.close();
  await world.stop();
});

const AMOUNT = 1_234_567n;

/** Starts a payment each way; gives what waits for both ends. `prepare` runs when nothing can come in between any more. */
const bothWays = async (prepare: () => void = () => undefined) => {
  const { invoice, paymentHash } = await wallet.api.createInvoice({ amountMsat: 2n * AMOUNT, description: 'in' });
  prepare();
  world.alice.pay(invoice);
  const { paymentId } = await wallet.api.payInvoice({ invoice: world.alice.invoice({ msat: Number(AMOUNT) }) });
  const isOver = (): boolean => [paymentId, paymentHash].every((id) => wallet.told.eventsOf(id).length > 0);
  const succeeded = async (): Promise<void> => {
    await scenario.sent(paymentId);
    await scenario.received(paymentHash);
  };
  return { isOver, succeeded };
};

/** Commitments of both directions pass in about so many packets each way. */
const PACKETS = [1, 2, 3, 4, 5, 6];
const CUTS = (['toPeer', 'toClient'] as const).flatMap((direction) =>
  PACKETS.map((count): [ProxyDirection, number] => [direction, count]),
);

describe('payments both ways', () => {
  it.each(CUTS)('survive a cut %s after packet %d', async (direction, count) => {
    const before = await scenario.agreed();
    const { succeeded } = await bothWays(() => {
      world.proxy.fault = { kind: 'limit', direction, unit: 'messages', count };
    });
    await wallet.api.wake();
    await scenario.until('the connection breaks', () => world.proxy.connections === 0);
    world.proxy.fault = { kind: 'none' };
    await scenario.connected();
    await succeeded();
    expect(await scenario.agreed()).toBe(before + AMOUNT);
  });

  it.each([0, 1, 2, 3, 5, 8, 13])('survive a restart of the wallet %d turns later', async (turns) => {
    const before = await scenario.agreed();
    const { succeeded } = await bothWays();
    for (let turn = 0; turn < turns; turn++) await world.settle();
    await wallet.restart();
    await scenario.connected();
    await succeeded();
    expect(await scenario.agreed()).toBe(before + AMOUNT);
  });

  it.each([0, 1, 2, 3, 5, 8, 13])('survive a restart of LDK %d turns later', async (turns) => {
    const before = await scenario.agreed();
    const { succeeded } = await bothWays();
    for (let turn = 0; turn < turns; turn++) await world.settle();
    world.alice.restart();
    await scenario.until('the wallet notices', () => world.proxy.connections === 0);
    await scenario.connected();
    await succeeded();
    expect(await scenario.agreed()).toBe(before + AMOUNT);
  });

  it('survive a disconnection while LDK holds a payment, and a restart of both', async () => {
    const before = await scenario.agreed();
    world.alice.reactions.holding = true;
    const { paymentId } = await wallet.api.payInvoice({ invoice: world.alice.invoice({ msat: Number(AMOUNT) }) });
    await scenario.until('the payment is held', () => world.alice.reactions.heldPayments === 1);
    world.alice.disconnect();
    await wallet.restart();
    await scenario.connected();
    expect(scenario.channel.pendingHtlcs).toBe(1);
    world.alice.release('claim');
    await scenario.sent(paymentId);
    expect(await scenario.agreed()).toBe(before - AMOUNT);
  });
});

describe('a restarted wallet', () => {
  it('delivers again what was not acknowledged, and only that', async () => {
    const [first, ...rest] = wallet.told.events;
    if (first === undefined) throw new Error('nothing has happened');
    for (const { id } of rest) await wallet.api.acknowledgeEvent({ id });
    const redelivered: string[] = [];
    await wallet.restart((event) => redelivered.push(event.id));
    expect(redelivered).toEqual([first.id]);
    await scenario.connected();
    await scenario.agreed();
  });

  it('gives no event the id of one before', async () => {
    for (const { id } of wallet.told.events) await wallet.api.acknowledgeEvent({ id });
    const ids = new Set(wallet.told.events.map(({ id }) => id));
    await wallet.restart();
    await scenario.connected();
    await scenario.agreed();
    const hash = await scenario.receiveFrom(world.alice, AMOUNT);
    expect(ids.has(wallet.told.eventsOf(hash)[0]?.id ?? '')).toBe(false);
  });

  it('keeps its words, its history and its node id', async () => {
    const { nodeId } = wallet.told.snapshot;
    const [words, activity] = [await wallet.api.showMnemonic(), await wallet.api.activity({ limit: 1000 })];
    await wallet.restart();
    expect(await wallet.api.showMnemonic()).toBe(words);
    expect(await wallet.api.activity({ limit: 1000 })).toEqual(activity);
    expect(wallet.told.snapshot.nodeId).toBe(nodeId);
  });
});
