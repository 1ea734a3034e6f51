import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { esploraOfRun } from '../world/esplora-flavours.ts';
import { World } from '../world/world.ts';
import { Scenario } from './scenario.ts';
import { NodeWallet } from './wallet-in-node.ts';

let world: World;
let wallet: NodeWallet;
let scenario: Scenario;

beforeAll(async () => {
  world = await World.start({ esplora: esploraOfRun(), withoutBob: true });
  wallet = await NodeWallet.openIn(world);
  scenario = new Scenario(world, wallet);
  await scenario.start();
});
afterAll(async () => {
  await wallet.close();
  await world.stop();
});

/** What commitment, anchor child, HTLC transactions and sweeps of ours cost together is below this. */
const MOST_FEES_SAT = 20_000n;
const TO_SELF_DELAY = 144;
const OUTBOUND_SAT = 50_000n;
const INBOUND_SAT = 30_000n;

interface Standing {
  readonly height: number;
  readonly ours: bigint;
  readonly theirs: bigint;
}

/** Coins of both on-chain wallets. */
const standing = (): Standing => ({
  height: world.chain.height,
  ours: wallet.told.snapshot.onchain.confirmedSat,
  theirs: BigInt(world.alice.wallet.balanceSats()),
});

/** The fees of all transactions above a height, and what of the closed channel nobody took: its anchors. */
function lostSince(height: number, closeTxid: string): bigint {
  const blocks = Array.from({ length: world.chain.height - height }, (_, index) =>
    world.chain.index.blockAt(height + 1 + index),
  );
  const txs = blocks.flatMap((block) => block?.txs.slice(1) ?? []);
  const worth = (outputs: readonly { readonly value: number }[]): number =>
    outputs.reduce((sum, { value }) => sum + value, 0);
  const fees = txs.map((tx) => {
    const spent = tx.inputs.flatMap(({ prevout }) => {
      const txid = Buffer.from(prevout.hash, 'hex').reverse().toString('hex');
      return world.chain.find(txid)?.tx.outputs[prevout.index] ?? [];
    });
    return worth(spent) - worth(tx.outputs);
  });
  const left = (world.chain.find(closeTxid)?.tx.outputs ?? []).filter(
    (_, vout) => world.chain.spend(closeTxid, vout) === undefined,
  );
  expect(left.every(({ value }) => value === 330)).toBe(true);
  return BigInt(fees.reduce((sum, each) => sum + each, 0) + worth(left));
}

/** A channel with an HTLC each way: LDK holds ours, and its own is not taken out of the commitments yet. */
async function withHtlcs(): Promise<string> {
  const channelId = await scenario.openChannel(2_000_000n, 500_000_000n);
  // What is held still is of a channel that is closed.
  world.alice.release('fail');
  world.alice.reactions.holding = true;
  await wallet.api.payInvoice({ invoice: world.alice.invoice({ msat: Number(OUTBOUND_SAT) * 1000 }) });
  await scenario.until('LDK holds our payment', () => world.alice.reactions.heldPayments === 1);
  const { invoice, paymentHash } = await wallet.api.createInvoice({
    amountMsat: INBOUND_SAT * 1000n,
    description: 'cut off',
  });
  // The preimage passes, and not the signature that would take the HTLC out of the commitments.
  world.proxy.fault = { kind: 'limit', direction: 'toPeer', unit: 'messages', count: 3 };
  world.alice.pay(invoice);
  await scenario.received(paymentHash);
  await scenario.until('cut off', () => !world.alice.isConnectedTo(wallet.told.snapshot.nodeId));
  return channelId;
}

const ldkChannel = (channelId: string) => world.alice.channels().find((channel) => channel.channelId === channelId);

/** Until nothing of a closed channel is left to take. */
async function settled(channelId: string): Promise<string> {
  const { fundingTxid } = scenario.channelOf(channelId);
  const spend = await scenario.until(
    'the commitment',
    () => world.chain.spend(fundingTxid, 0) ?? world.chain.spend(fundingTxid, 1),
  );
  // Our balance has waited for its delay after the first, and what an expired HTLC gave back after the second.
  for (let delay = 0; delay < 2; delay++) {
    for (let block = 0; block < 4; block++) await scenario.mine(1);
    await scenario.mine(TO_SELF_DELAY);
  }
  for (let block = 0; block < 8; block++) await scenario.mine(1);
  await scenario.until(
    'nothing is on its way',
    () => wallet.told.snapshot.onchain.sweepingSat === 0n && wallet.told.snapshot.onchain.unconfirmedSat === 0n,
  );
  return spend.txid;
}

describe.each(['LDK', 'the wallet'] as const)('a channel with HTLCs both ways that %s closes alone', (closer) => {
  it.each(['claims', 'does not claim'] as const)('gives each what is its own, where LDK %s ours', async (deed) => {
    const channelId = await withHtlcs();
    const channel = ldkChannel(channelId);
    expect([channel?.pendingInbound, channel?.pendingOutbound]).toEqual([1, 1]);
    const before = standing();
    if (closer === 'LDK') world.alice.forceClose(channelId);
    else await wallet.api.forceCloseChannel({ channelId, unconfirmedState: true });
    if (deed === 'claims') world.alice.release('claim');
    const closeTxid = await settled(channelId);
    const after = standing();
    expect(after.ours + after.theirs + lostSince(before.height, closeTxid)).toBe(
      before.ours + before.theirs + 2_000_000n,
    );
    const gained = after.ours - before.ours;
    const due = 1_500_000n + INBOUND_SAT - (deed === 'claims' ? OUTBOUND_SAT : 0n);
    expect(gained).toBeLessThanOrEqual(due);
    expect(gained).toBeGreaterThan(due - MOST_FEES_SAT);
    world.proxy.fault = { kind: 'none' };
    await scenario.connected();
  });
});

describe('an LDK that was restored from an old state, and closes with it,', () => {
  it('loses what it had', async () => {
    world.alice.release('fail');
    const channelId = await scenario.openChannel(2_000_000n, 500_000_000n);
    const stored = world.alice.stored();
    await scenario.payTo(world.alice, 100_000_000n);
    await scenario.receiveFrom(world.alice, 20_000_000n);
    await scenario.balanced(channelId);
    world.proxy.fault = { kind: 'refuse' };
    world.proxy.drop();
    const before = standing();
    world.alice.restore(stored);
    world.alice.forceClose(channelId);
    const closeTxid = await settled(channelId);
    const after = standing();
    expect(after.ours + after.theirs + lostSince(before.height, closeTxid)).toBe(
      before.ours + before.theirs + 2_000_000n,
    );
    expect(after.ours - before.ours).toBeGreaterThan(2_000_000n - MOST_FEES_SAT);
  });
});
