import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commitmentStake } from '../../worker/engine/monitor/claims/commitment-stake.ts';
import type { ChannelHtlc } from '../../worker/engine/transactions/channel-htlc.ts';
import { decodeTransaction, transactionWeight } from '../../worker/engine/transactions/transaction.ts';
import { feeratesOf } from '../engine/channel/feerates.ts';
import { addressOfScript } from '../../worker/engine/wallet/address.ts';
import { RegtestChain } from '../world/chain.ts';
import { Scene } from './scene.ts';
import { paidFrom } from '../engine/wallet/paid.ts';

let chain: RegtestChain;
beforeAll(async () => {
  chain = await RegtestChain.start();
});
afterAll(() => chain.stop());

const HTLC_SAT = 200_000n;

/** Our commitment is decided upon as late as it may be, and does not get into a block. */
async function late(inboundSat: readonly bigint[], outboundSat: readonly bigint[]): Promise<Scene> {
  const scene = await Scene.begin(chain, 'anchors');
  await scene.offer({ inboundSat, outboundSat });
  await scene.disconnect();
  scene.them.mayCloseAtDeadlines = false;
  scene.us.node.turn(() => scene.us.node.manager.forceCloseChannel(scene.us.channelKey, { unconfirmedState: true }));
  scene.oursAreLost = true;
  await scene.settle();
  return scene;
}

/** The feerates of the child over so many blocks. */
async function feerates(scene: Scene, blocks: number): Promise<readonly number[]> {
  const seen: number[] = [];
  for (let block = 0; block < blocks; block++) {
    await scene.mine(1);
    seen.push(scene.us.monitor.anchorChild?.feeratePerKw ?? 0);
  }
  return seen;
}

describe('the child of a commitment that does not get into a block', () => {
  it('pays more as an HTLC comes near its expiry that has to be taken out of it, to a quarter of it at most', async () => {
    const scene = await late([HTLC_SAT], []);
    // Without one the commitment pays what is asked for.
    await estimate(scene, 2_000);
    const { deadline = 0, urgentSat } = commitmentStake(scene.us.monitor);
    expect(urgentSat).toBe(HTLC_SAT);
    const seen = await feerates(scene, deadline - scene.chain.height + 3);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen[0]).toBeLessThan(3_000);
    const { anchorChild, broadcastTransaction } = scene.us.monitor;
    const parent = decodeTransaction(broadcastTransaction);
    const weight = transactionWeight(parent) + transactionWeight(anchorChild?.tx ?? parent);
    const costSat = (BigInt(seen.at(-1) ?? 0) * BigInt(weight)) / 1000n;
    expect(costSat).toBeGreaterThan((HTLC_SAT * 9n) / 40n);
    expect(costSat).toBeLessThanOrEqual(HTLC_SAT / 4n);
  });

  it('follows the estimate alone where nothing in it can be lost by waiting', async () => {
    const scene = await late([], [HTLC_SAT]);
    await estimate(scene, 2_000);
    expect(commitmentStake(scene.us.monitor).deadline).toBeUndefined();
    expect(new Set(await feerates(scene, 40))).toEqual(new Set([2_000]));
  });

  it('is urgent by the first of several HTLCs, and by what all of them are worth', async () => {
    const scene = await late([30_000n, 50_000n], [HTLC_SAT]);
    const [first] = scene.us.monitor.holderCommitment.spec.htlcs.map(({ cltvExpiry }) => cltvExpiry).toSorted();
    expect(commitmentStake(scene.us.monitor)).toMatchObject({ urgentSat: 80_000n, deadline: (first ?? 0) + 1 - 18 });
  });
});

describe('of two closes and one coin', () => {
  it('the one has it whose HTLC expires first, whichever channel is older', async () => {
    const scene = await Scene.begin(chain, 'anchors', { pushSat: 200_000n });
    scene.book = undefined;
    for (const party of scene.parties) {
      party.keepsBooks = false;
      party.mayCloseAtDeadlines = false;
    }
    const { us, them } = scene;
    const older = us.channelKey;
    us.node.open(them.node, 400_000n, 300_000_000n);
    await scene.settle();
    await scene.mine(6);
    const away = addressOfScript(them.keys.destinationScript(), 'regtest') ?? '';
    const { wallet } = us.node;
    const terms = { feeratePerKw: 1_000, reserveSat: 0n };
    await scene.submit(us.node.turn(() => paidFrom(wallet, away, 'all', terms)).rawTx);
    await chain.fund(
      us.node.turn(() => wallet.newAddress()),
      500_000,
    );
    await scene.mine(1);
    // The first fits into the newer channel only, and leaves no room for the second.
    const held: (readonly [string, ChannelHtlc])[] = [];
    us.node.manager.inboundPayments.accepted = (key, htlc) => void held.push([key, htlc]);
    await scene.offer({ inboundSat: [250_000n] });
    await scene.mine(3);
    await scene.offer({ inboundSat: [150_000n] });
    Reflect.deleteProperty(us.node.manager.inboundPayments, 'accepted');
    us.hear(({ manager }) => {
      for (const [key, htlc] of held) manager.inboundPayments.accepted(key, htlc, manager.blockHeight);
    });
    await scene.settle();
    const monitors = us.node.manager.chainMonitor.monitors();
    const first = monitors.find(([key]) => key !== older)?.[0] ?? '';
    expect(monitors.map(([, monitor]) => commitmentStake(monitor).urgentSat)).toEqual([150_000n, 250_000n]);
    await scene.disconnect();
    await estimate(scene, 2_500);
    await scene.wait(scene.expiry - 30 - scene.chain.height);
    scene.theirsAreLost = true;
    us.mayCloseAtDeadlines = true;
    await scene.mine(1);
    const child = (key: string): boolean => us.node.manager.chainMonitor.monitor(key)?.anchorChild !== undefined;
    expect([child(first), child(older)]).toEqual([true, false]);
  });
});

async function estimate(scene: Scene, feeratePerKw: number): Promise<void> {
  const { node } = scene.us;
  node.turn(() => node.manager.updateFeerates(feeratesOf(1_000, feeratePerKw)));
  node.turn(() => node.manager.bestBlockUpdated(scene.chain.height));
  await scene.settle();
}
