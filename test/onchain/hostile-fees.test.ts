import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { feeratesOf } from '../engine/channel/feerates.ts';
import { addressOfScript } from '../../worker/engine/wallet/address.ts';
import { RegtestChain } from '../world/chain.ts';
import { Ledger } from './ledger.ts';
import { Scene } from './scene.ts';
import { paidFrom } from '../engine/wallet/paid.ts';

let chain: RegtestChain;
beforeAll(async () => {
  chain = await RegtestChain.start();
});
afterEach(() => {
  chain.mempoolMinimum = 0;
});
afterAll(() => chain.stop());

/** With most of the channel on their side, and a payee that decides upon nothing yet. */
async function begin(pushSat: bigint): Promise<Scene> {
  const scene = await Scene.begin(chain, 'anchors', { pushSat });
  scene.withheld = ['update_fulfill_htlc', 'update_fail_htlc'];
  scene.us.hold();
  for (const party of scene.parties) party.mayCloseAtDeadlines = false;
  return scene;
}

/** HTLCs of theirs that we have the preimages of, and have not given them. */
async function offered(scene: Scene, amountsSat: readonly bigint[]): Promise<void> {
  for (const sat of amountsSat) scene.them.node.pay(scene.us.node.invoice(sat * 1000n));
  await scene.settle();
}

/** Takes them, each as a payment of its own. */
async function release(scene: Scene): Promise<void> {
  for (const { id } of scene.us.monitor.holderCommitment.spec.htlcs) scene.us.release((htlc) => htlc.id === id);
  await scene.settle();
}

/** Leaves `us` with one coin. */
async function spendCoins(scene: Scene, leftSat: bigint): Promise<void> {
  const address = addressOfScript(scene.them.keys.destinationScript(), 'regtest') ?? '';
  const { node } = scene.us;
  await scene.submit(
    node.turn(() => paidFrom(node.wallet, address, 'all', { feeratePerKw: 1_000, reserveSat: 0n })).rawTx,
  );
  const own = addressOfScript(
    node.turn(() => node.wallet.newScript('receive')),
    'regtest',
  );
  await chain.fund(own ?? '', Number(leftSat));
  scene.book = undefined;
  await scene.mine(1);
}

const feerates = ({ us }: Scene): readonly number[] => us.monitor.packages.map(({ feeratePerKw }) => feeratePerKw);

/** A new estimate, by which `us` acts at once. */
async function estimate(scene: Scene, feeratePerKw: number): Promise<void> {
  const { node } = scene.us;
  node.turn(() => {
    node.manager.updateFeerates(feeratesOf(1_000, feeratePerKw));
    node.manager.bestBlockUpdated(scene.chain.height);
  });
  await scene.settle();
}

describe('a restart before the first estimate', () => {
  it('makes no claim pay what another pays for its haste', async () => {
    const scene = await begin(900_000n);
    await offered(scene, [400_000n]);
    await scene.mine(60);
    await offered(scene, [100_000n]);
    await release(scene);
    await estimate(scene, 1_000);
    scene.oursAreLost = true;
    await scene.forceClose(scene.them, { thenTheirsAreLost: true });
    await scene.mine(scene.expiry - 2 - scene.chain.height);
    await estimate(scene, 1_000);
    const before = feerates(scene);
    expect(Math.max(...before)).toBeGreaterThan(10 * Math.min(...before));
    scene.us.restart();
    await scene.settle();
    expect(feerates(scene)).toEqual(before);
  });
});

describe('HTLCs that a peer fills our commitment with', () => {
  it.each([5_000, 5_500, 25_000])('have us pay no more than a tenth of ours for its size, at %i', async (perKw) => {
    const scene = await begin(950_000n);
    await offered(
      scene,
      Array.from({ length: 40 }, () => 20_000n),
    );
    await estimate(scene, perKw);
    const ledger = new Ledger(scene, scene.us);
    const close = await scene.forceClose(scene.us);
    expect(close.outputs.filter(({ amountSat }) => amountSat === 20_000n)).toHaveLength(40);
    expect(ledger.feesSat(close)).toBeLessThanOrEqual(scene.us.monitor.holderCommitment.spec.toHolderMsat / 10_000n);
    expect(scene.refused).toEqual([]);
  });

  it('are not taken where each costs more than it brings', async () => {
    const costs: bigint[] = [];
    for (const small of [0, 45]) {
      const scene = await begin(900_000n);
      await offered(scene, [400_000n, ...Array.from({ length: small }, () => 400n)]);
      await release(scene);
      await estimate(scene, 12_500);
      const close = await scene.forceClose(scene.us);
      const ledger = new Ledger(scene, scene.us);
      const before = ledger.feesSat(close);
      await scene.mine(30);
      costs.push(ledger.feesSat(close) - before);
    }
    const [alone = 0n, withSmall = 0n] = costs;
    expect(withSmall).toBeLessThanOrEqual(alone + 45n * 400n);
  });
});

describe('a server that tells of fees as it likes', () => {
  it.each([125_000, 250_000])('has a close in which nothing hurries cost a tenth at most, at %i', async (perKw) => {
    const scene = await Scene.begin(chain, 'anchors');
    await estimate(scene, perKw);
    const ledger = new Ledger(scene, scene.us);
    const close = await scene.forceClose(scene.us);
    expect(ledger.feesSat(close)).toBeGreaterThan(10_000n);
    expect(ledger.feesSat(close)).toBeLessThanOrEqual(60_000n);
  });

  it('raises no child by what it says for an hour', async () => {
    const scene = await Scene.begin(chain, 'anchors');
    await estimate(scene, 2_500);
    await scene.disconnect();
    scene.oursAreLost = true;
    scene.us.node.turn(() => scene.us.node.manager.forceCloseChannel(scene.us.channelKey, { unconfirmedState: true }));
    await scene.settle();
    await estimate(scene, 250_000);
    expect(scene.us.monitor.anchorChild?.feeratePerKw).toBe(2_500);
    await scene.mine(15);
    expect(scene.us.monitor.anchorChild?.feeratePerKw).toBeGreaterThan(2_500);
  });
});

describe('our commitment', () => {
  it('leaves with a child that the coins suffice for, where they are too few for the estimate', async () => {
    const scene = await begin(400_000n);
    await spendCoins(scene, 60_000n);
    await estimate(scene, 50_000);
    chain.mempoolMinimum = 20;
    await scene.forceClose(scene.us);
    expect(scene.us.monitor.confirmedSpend?.spend.kind).toBe('holderCommitment');
  });

  it('has a child whose replacements add nothing that is not confirmed', async () => {
    const scene = await begin(400_000n);
    await spendCoins(scene, 15_000n);
    // Something has to be taken out of it in time.
    await offered(scene, [50_000n]);
    await release(scene);
    const { node } = scene.us;
    const { wallet } = node;
    const [own = '', away = ''] = [
      node.turn(() => wallet.newAddress()),
      addressOfScript(scene.them.keys.destinationScript(), 'regtest'),
    ];
    await chain.fund(own, 300_000);
    await scene.mine(1);
    // Of the larger coin, only the change is left.
    const payment = node.turn(() => paidFrom(wallet, away, 100_000n, { feeratePerKw: 300, reserveSat: 0n }));
    await scene.submit(payment.rawTx);
    scene.oursAreLost = true;
    await scene.disconnect();
    node.turn(() => node.manager.forceCloseChannel(scene.us.channelKey, { unconfirmedState: true }));
    await estimate(scene, 3_000);
    const first = scene.us.monitor.anchorChild;
    await estimate(scene, 20_000);
    const second = scene.us.monitor.anchorChild;
    expect(first?.feeratePerKw).toBe(3_000);
    expect(second?.feeratePerKw).toBeGreaterThan(3_000);
    expect(second?.tx.inputs.length).toBe(first?.tx.inputs.length);
  });
});

/** In a block of miners who take nothing below 20 sat/vB. */
const ESTIMATE_PER_KW = 5_000;
const mineAtEstimate = (scene: Scene): Promise<void> => scene.mineAbove(ESTIMATE_PER_KW * 0.95);

describe('HTLCs that are not worth their fee', () => {
  /** Our commitment in the chain with 49 HTLCs that are worth less than the estimate, and others that expire later. */
  async function closedWith(largeSat: readonly bigint[]): Promise<Scene> {
    const scene = await begin(900_000n);
    await spendCoins(scene, 1_500_000n);
    await offered(
      scene,
      Array.from({ length: 49 }, () => 5_000n),
    );
    await scene.mine(3);
    await offered(scene, largeSat);
    await release(scene);
    await estimate(scene, ESTIMATE_PER_KW);
    await scene.forceClose(scene.us, { thenTheirsAreLost: true });
    return scene;
  }

  it('do not stop one that is, and comes later', async () => {
    const scene = await closedWith([200_000n]);
    const { close } = scene;
    const vout = close.outputs.findIndex(({ amountSat }) => amountSat === 200_000n);
    await mineAtEstimate(scene);
    expect(scene.spendsOf(close)[vout]).toBeDefined();
  });

  it('make way for one whose preimage we learn later', async () => {
    const scene = await begin(900_000n);
    await spendCoins(scene, 1_500_000n);
    await offered(scene, [...Array.from({ length: 3 }, () => 5_000n), 200_000n]);
    const { htlcs } = scene.us.monitor.holderCommitment.spec;
    for (const { id, amountMsat } of htlcs) if (amountMsat === 5_000_000n) scene.us.release((htlc) => htlc.id === id);
    await scene.settle();
    await estimate(scene, ESTIMATE_PER_KW);
    const close = await scene.forceClose(scene.us, { thenTheirsAreLost: true });
    expect(scene.us.monitor.packages).toHaveLength(1);
    scene.us.release();
    await scene.settle();
    await mineAtEstimate(scene);
    const vout = close.outputs.findIndex(({ amountSat }) => amountSat === 200_000n);
    expect(scene.spendsOf(close)[vout]).toBeDefined();
    expect(scene.refused).toEqual([]);
  });

  it('have no coins that the owner could spend, and give them back', async () => {
    const scene = await closedWith([]);
    const { wallet } = scene.us.node;
    expect(scene.us.monitor.packages).toHaveLength(1);
    expect(wallet.balance(0n, 0).spendableSat).toBe(0n);
    await scene.mine(1);
    expect(wallet.balance(0n, 0).spendableSat).toBe(0n);
    await estimate(scene, 1_000);
    await scene.mine(3);
    expect(wallet.balance(0n, 0).spendableSat).toBeGreaterThan(1_000_000n);
  });
});

describe('an HTLC that is worth less than its fee', () => {
  it('keeps no coin from one that is worth much, and expires later', async () => {
    const scene = await begin(900_000n);
    await spendCoins(scene, 1_500_000n);
    await offered(scene, [1_000n]);
    await scene.mine(3);
    await offered(scene, [400_000n]);
    await release(scene);
    await estimate(scene, 12_500);
    chain.mempoolMinimum = 20;
    const close = await scene.forceClose(scene.us);
    await scene.mine(2);
    const vout = close.outputs.findIndex(({ amountSat }) => amountSat === 400_000n);
    expect(scene.spendsOf(close)[vout]).toBeDefined();
    expect(scene.htlcsTakenSat(close)).toBe(0n);
  });
});
