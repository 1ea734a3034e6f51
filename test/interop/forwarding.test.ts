import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChannelSummary } from '../../worker/client/api.ts';
import { esploraOfRun } from '../world/esplora-flavours.ts';
import type { LdkNode } from '../world/ldk-node.ts';
import { World } from '../world/world.ts';
import { Scenario } from './scenario.ts';
import { NodeWallet } from './wallet-in-node.ts';

const FORWARDING = { feeBaseMsat: 1_000, feeProportionalMillionths: 1_000, cltvExpiryDelta: 72 } as const;
const feeOf = (msat: bigint): bigint => 1_000n + msat / 1_000n;

let world: World;
let wallet: NodeWallet;
let scenario: Scenario;

beforeAll(async () => {
  world = await World.start({ esplora: esploraOfRun(), linkSats: 0 });
  const config = { network: 'regtest', esploraUrls: [world.esplora.url], forwarding: FORWARDING } as const;
  wallet = await NodeWallet.open(config, () => world.changes.notify());
  scenario = new Scenario(world, wallet);
  await scenario.start();
  await scenario.openChannel(5_000_000n, 2_500_000_000n);
  await wallet.api.connectPeer({
    nodeId: world.bob.id,
    address: { kind: 'websocket', url: `ws://127.0.0.1:${world.ports.bobWebSocket}` },
  });
  await scenario.until('bob is connected', () =>
    wallet.told.snapshot.peers.some(({ nodeId, state }) => nodeId === world.bob.id && state === 'connected'),
  );
  await wallet.api.openChannel({ nodeId: world.bob.id, amountSat: 5_000_000n, pushMsat: 2_500_000_000n });
  await scenario.until('the funding is out', () => world.chain.mempoolTxs().length > 0);
  await scenario.mine(6);
  await usable();
});
afterAll(async () => {
  await wallet.close();
  await world.stop();
});

const channelWith = ({ id }: LdkNode): ChannelSummary => {
  const found = scenario.channels.find(({ peerNodeId }) => peerNodeId === id);
  if (found === undefined) throw new Error('there is a channel');
  return found;
};

async function usable(): Promise<void> {
  await wallet.api.wake();
  for (const node of [world.alice, world.bob])
    await scenario.until(
      'usable',
      () => channelWith(node).usable && node.channels().every((channel) => channel.usable),
    );
}

/** Nothing is under way, and all agree to the millisatoshi; gives what is ours with each. */
async function agreed(): Promise<readonly bigint[]> {
  const nodes = [world.alice, world.bob];
  await scenario.until('all is quiet', () =>
    nodes.every((node) => {
      const [theirs] = node.channels();
      const { balanceMsat, pendingHtlcs } = channelWith(node);
      return (
        theirs !== undefined &&
        theirs.pendingInbound + theirs.pendingOutbound + pendingHtlcs === 0 &&
        BigInt(theirs.inboundMsat) + 50_000_000n === balanceMsat
      );
    }),
  );
  return nodes.map((node) => channelWith(node).balanceMsat);
}

async function ended(payer: LdkNode, since: number, ...payments: readonly string[]): Promise<readonly string[]> {
  const ends = (): readonly string[] =>
    payer.events(since).flatMap((event) => {
      if (event.kind !== 'PaymentSent' && event.kind !== 'PaymentFailed') return [];
      return payments.includes('hash' in event ? event.hash : event.paymentId) ? [event.kind] : [];
    });
  await scenario.until('the payments end', () => ends().length === payments.length, 60_000);
  return ends();
}

describe.each([
  ['alice', 'bob', 0, 1],
  ['bob', 'alice', 1, 0],
] as const)('payments of LDK through the wallet, from %s to %s,', (from, to, inbound, outbound) => {
  it.each([1n, 999n, 354_000n, 20_000_000n])('of %d msat arrive, and the fee is ours', async (msat) => {
    const before = await agreed();
    const [payer, payee] = [world.node(from), world.node(to)];
    const since = payer.events().length;
    const hash = payer.pay(payee.invoice({ msat: Number(msat) }));
    expect(await ended(payer, since, hash)).toEqual(['PaymentSent']);
    const after = await agreed();
    expect((after[inbound] ?? 0n) - (before[inbound] ?? 0n)).toBe(msat + feeOf(msat));
    expect((before[outbound] ?? 0n) - (after[outbound] ?? 0n)).toBe(msat);
  });

  it('that the payee refuses come back', async () => {
    const before = await agreed();
    const [payer, payee] = [world.node(from), world.node(to)];
    const since = payer.events().length;
    payee.reactions.holding = true;
    const hash = payer.pay(payee.invoice({ msat: 3_000_000 }));
    await scenario.until('the payment is held', () => payee.reactions.heldPayments === 1, 30_000);
    payee.release('fail');
    payee.reactions.holding = false;
    expect(await ended(payer, since, hash)).toEqual(['PaymentFailed']);
    expect(await agreed()).toEqual(before);
  });

  it('go on over a restart of the wallet', async () => {
    const before = await agreed();
    const [payer, payee] = [world.node(from), world.node(to)];
    const since = payer.events().length;
    payee.reactions.holding = true;
    const hash = payer.pay(payee.invoice({ msat: 4_000_000 }));
    await scenario.until('the payment is held', () => payee.reactions.heldPayments === 1, 30_000);
    await wallet.restart();
    await usable();
    payee.release('claim');
    payee.reactions.holding = false;
    expect(await ended(payer, since, hash)).toEqual(['PaymentSent']);
    const after = await agreed();
    expect(after[inbound]).toBe((before[inbound] ?? 0n) + 4_000_000n + feeOf(4_000_000n));
  });

  it('come ten at once', async () => {
    const [payer, payee] = [world.node(from), world.node(to)];
    const since = payer.events().length;
    const hashes = Array.from({ length: 10 }, (_, index) =>
      payer.pay(payee.invoice({ msat: 1_000_000 + index * 10_007 })),
    );
    expect(await ended(payer, since, ...hashes)).toEqual(hashes.map(() => 'PaymentSent'));
    await agreed();
    scenario.expectNoForceClose();
  });
});

describe('a payment of LDK through the wallet, whose payee closes,', () => {
  it('is claimed from its payer with the preimage that the chain shows', async () => {
    const since = world.alice.events().length;
    const before = channelWith(world.alice).balanceMsat;
    world.bob.reactions.holding = true;
    const hash = world.alice.pay(world.bob.invoice({ msat: 50_000_000 }));
    await scenario.until('the payment is held', () => world.bob.reactions.heldPayments === 1, 30_000);
    await wallet.api.disconnectPeer({ nodeId: world.bob.id });
    world.bob.release('claim');
    world.bob.forceClose(channelWith(world.bob).channelId);
    for (let block = 0; block < 4; block++) await scenario.mine(1);
    expect(await ended(world.alice, since, hash)).toEqual(['PaymentSent']);
    await scenario.until('alice has settled it', () => channelWith(world.alice).pendingHtlcs === 0);
    expect(channelWith(world.alice)).toMatchObject({
      state: 'ready',
      balanceMsat: before + 50_000_000n + feeOf(50_000_000n),
    });
  });
});
