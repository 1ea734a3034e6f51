import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { esploraOfRun } from '../world/esplora-flavours.ts';
import { World } from '../world/world.ts';

import { Between, feeOf, FORWARDING } from './between.ts';
import { NodeWallet } from './wallet-in-node.ts';

let world: World;
let wallet: NodeWallet;
let between: Between;

beforeAll(async () => {
  world = await World.start({ esplora: esploraOfRun(), linkSats: 0 });
  const config = { network: 'regtest', esploraUrls: [world.esplora.url], forwarding: FORWARDING } as const;
  wallet = await NodeWallet.open(config, () => world.changes.notify());
  between = new Between(world, wallet);
  await between.start();
});
afterAll(async () => {
  await wallet.close();
  await world.stop();
});

describe.each([
  ['alice', 'bob', 0, 1],
  ['bob', 'alice', 1, 0],
] as const)('payments of LDK through the wallet, from %s to %s,', (from, to, inbound, outbound) => {
  it.each([1n, 999n, 354_000n, 20_000_000n])('of %d msat arrive, and the fee is ours', async (msat) => {
    const before = await between.agreed();
    const [payer, payee] = [world.node(from), world.node(to)];
    const since = payer.events().length;
    const hash = payer.pay(payee.invoice({ msat: Number(msat) }));
    expect(await between.ended(payer, since, [hash])).toEqual(['PaymentSent']);
    const after = await between.agreed();
    expect((after[inbound] ?? 0n) - (before[inbound] ?? 0n)).toBe(msat + feeOf(msat));
    expect((before[outbound] ?? 0n) - (after[outbound] ?? 0n)).toBe(msat);
  });

  it('that the payee refuses come back', async () => {
    const before = await between.agreed();
    const [payer, payee] = [world.node(from), world.node(to)];
    const since = payer.events().length;
    payee.reactions.holding = true;
    const hash = payer.pay(payee.invoice({ msat: 3_000_000 }));
    await between.scenario.until('the payment is held', () => payee.reactions.heldPayments === 1, 30_000);
    payee.release('fail');
    payee.reactions.holding = false;
    expect(await between.ended(payer, since, [hash])).toEqual(['PaymentFailed']);
    expect(await between.agreed()).toEqual(before);
  });

  it('go on over a restart of the wallet', async () => {
    const before = await between.agreed();
    const [payer, payee] = [world.node(from), world.node(to)];
    const since = payer.events().length;
    payee.reactions.holding = true;
    const hash = payer.pay(payee.invoice({ msat: 4_000_000 }));
    await between.scenario.until('the payment is held', () => payee.reactions.heldPayments === 1, 30_000);
    await wallet.restart();
    await between.usable();
    payee.release('claim');
    payee.reactions.holding = false;
    expect(await between.ended(payer, since, [hash])).toEqual(['PaymentSent']);
    const after = await between.agreed();
    expect(after[inbound]).toBe((before[inbound] ?? 0n) + 4_000_000n + feeOf(4_000_000n));
  });

  it('come ten at once', async () => {
    const [payer, payee] = [world.node(from), world.node(to)];
    const since = payer.events().length;
    const hashes = Array.from({ length: 10 }, (_, index) =>
      payer.pay(payee.invoice({ msat: 1_000_000 + index * 10_007 })),
    );
    expect(await between.ended(payer, since, hashes)).toEqual(hashes.map(() => 'PaymentSent'));
    await between.agreed();
    between.scenario.expectNoForceClose();
  });
});

describe('a payment of LDK through the wallet, whose payee closes,', () => {
  it('is claimed from its payer with the preimage that the chain shows', async () => {
    const since = world.alice.events().length;
    const before = between.channelWith(world.alice).balanceMsat;
    world.bob.reactions.holding = true;
    const hash = world.alice.pay(world.bob.invoice({ msat: 50_000_000 }));
    await between.scenario.until('the payment is held', () => world.bob.reactions.heldPayments === 1, 30_000);
    await wallet.api.disconnectPeer({ nodeId: world.bob.id });
    world.bob.release('claim');
    world.bob.forceClose(between.channelWith(world.bob).channelId);
    for (let block = 0; block < 4; block++) await between.scenario.mine(1);
    expect(await between.ended(world.alice, since, [hash])).toEqual(['PaymentSent']);
    await between.scenario.until('alice has settled it', () => between.channelWith(world.alice).pendingHtlcs === 0);
    expect(between.channelWith(world.alice)).toMatchObject({
      state: 'ready',
      balanceMsat: before + 50_000_000n + feeOf(50_000_000n),
    });
  });
});
