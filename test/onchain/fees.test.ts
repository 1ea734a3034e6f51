import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { nobleSecp256k1 as secp } from '../../worker/engine/primitives/secp256k1.ts';
import { claimKeys } from '../../worker/engine/monitor/claims/claim-keys.ts';
import { claimsOf } from '../../worker/engine/monitor/claims/claims.ts';
import { buildClaim } from '../../worker/engine/monitor/claims/claim-transaction.ts';
import { ANCHOR_SAT } from '../../worker/engine/transactions/commitment-fees.ts';
import { encodeTransaction, transactionId, transactionWeight } from '../../worker/engine/transactions/transaction.ts';
import { addressOfScript } from '../../worker/engine/wallet/address.ts';
import { feeratesOf } from '../engine/channel/feerates.ts';
import { RegtestChain } from '../world/chain.ts';
import { CASES } from './cases.ts';
import { Delivery } from './delivery.ts';
import { Ledger } from './ledger.ts';
import type { Party } from './party.ts';
import { Scene, type Format } from './scene.ts';
import { Thief } from './thief.ts';
import { paidFrom } from '../engine/wallet/paid.ts';

let chain: RegtestChain;
beforeAll(async () => {
  chain = await RegtestChain.start();
});
afterEach(() => {
  chain.mempoolMinimum = 0;
});
afterAll(() => chain.stop());

const feerates = (scene: Scene): readonly number[] => scene.us.monitor.packages.map(({ feeratePerKw }) => feeratePerKw);

/** The HTLCs of our commitment that `them` has the preimages of, each in a transaction of its own. */
function takenByThem({ them }: Scene): readonly Uint8Array[] {
  const { monitor } = them;
  const keys = claimKeys(secp, them.keys.deriveChannelSigner(monitor.params, monitor.params.fundingSat));
  const parts = { signer: keys.signer, coins: them.node.wallet, destinationScript: them.keys.destinationScript() };
  return claimsOf(keys, monitor)
    .filter((claim) => claim.kind === 'counterpartyHtlc' && claim.preimage !== undefined)
    .flatMap((claim) => buildClaim(parts, [claim], 20_000, undefined) ?? [])
    .map(({ tx }) => encodeTransaction(tx));
}

/** A new estimate, by which both act at once. */
async function estimate(scene: Scene, feeratePerKw: number): Promise<void> {
  for (const { node } of scene.parties)
    node.turn(() => {
      node.manager.updateFeerates(feeratesOf(1_000, feeratePerKw));
      node.manager.bestBlockUpdated(scene.chain.height);
    });
  await scene.settle();
}

describe.each(CASES)('the fees of claims, with $name,', ({ format, restarts }) => {
  async function begin(): Promise<Scene> {
    const scene = await Scene.begin(chain, format);
    scene.restarts = restarts;
    return scene;
  }

  it('do not start anew where the peer takes one of a batch every two blocks (S15)', async () => {
    const scene = await begin();
    const amounts = [50_000n, 51_000n, 52_000n, 53_000n];
    await scene.offer({ outboundSat: amounts });
    const ledger = new Ledger(scene, scene.us);
    await scene.forceClose(scene.us, { thenTheirsAreLost: true });
    const expiry = scene.us.monitor.holderCommitment.spec.htlcs[0]?.cltvExpiry ?? 0;
    await scene.mine(expiry - 1 - scene.chain.height);
    let before = 0;
    for (const raw of takenByThem(scene).slice(0, 2)) {
      // Ours is in the mempool; theirs pays more and is in the block.
      await scene.submit(raw);
      await scene.mine(1);
      const now = Math.min(...feerates(scene));
      expect(now).toBeGreaterThanOrEqual(before);
      before = now;
    }
    await scene.mine(24);
    const taken = scene.outcomesOf(scene.us).filter((outcome) => outcome === 'succeeded').length;
    const backSat = 50_000n + 51_000n + 52_000n + 53_000n - scene.htlcsTakenSat(scene.close);
    expect(taken).toBeGreaterThan(0);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + backSat - ledger.feesSat(scene.close));
  });

  it('follow an estimate that rises, never fall with it, and take no more than a part of what is claimed', async () => {
    const scene = await begin();
    await scene.offer({ inboundSat: [60_000n] });
    const revoked = new Thief(scene.them);
    await scene.reconnect();
    await scene.pay(20_000n);
    await scene.disconnect();
    await scene.submit(revoked.commitment);
    await scene.mine(1);
    const first = feerates(scene);
    await estimate(scene, 125_000);
    const risen = feerates(scene);
    // What nobody else can take does not hurry.
    expect(risen.every((rate, index) => rate >= (first[index] ?? 0))).toBe(true);
    expect(Math.max(...risen)).toBeGreaterThan(Math.max(...first));
    for (const { tx, outpoints } of scene.us.monitor.packages) {
      const takenSat = scene.valueSat(outpoints);
      expect(takenSat - (tx.outputs[0]?.amountSat ?? 0n)).toBeLessThanOrEqual(takenSat / 2n + 1n);
      expect(transactionWeight(tx)).toBeLessThan(4_000);
    }
    await estimate(scene, 253);
    expect(feerates(scene)).toEqual(risen);
    expect(scene.refused).toEqual([]);
  });
});

describe.each(CASES)('without a coin, with $name,', ({ format, restarts }) => {
  it('our commitment goes out alone, and gives our balance', async () => {
    const scene = await Scene.begin(chain, format);
    scene.restarts = restarts;
    for (const party of scene.parties) party.keepsBooks = false;
    const away = addressOfScript(scene.them.keys.destinationScript(), 'regtest') ?? '';
    const { wallet } = scene.us.node;
    await scene.submit(
      scene.us.node.turn(() => paidFrom(wallet, away, 'all', { feeratePerKw: 1_000, reserveSat: 0n })).rawTx,
    );
    await scene.mine(1);
    expect(scene.coinsOf(scene.us)).toBe(0n);
    const ledger = new Ledger(scene, scene.us);
    const close = await scene.forceClose(scene.us);
    await scene.mine(21);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) - ledger.feesSat(close));
    expect(scene.refused).toEqual([]);
  });
});

/** In sat/vB: our commitment pays 4. */
const MINIMUM = 5;
const PER_KW = 250;

/** With an estimate of 10 sat/vB, to which a child brings both. What is refused is counted block by block. */
async function beginAtTen(on: RegtestChain, format: Format, restarts: boolean): Promise<Scene> {
  const deliveries = { us: Delivery.byListening(), them: Delivery.byListening() };
  const scene = await Scene.begin(on, format, { deliveries });
  scene.restarts = restarts;
  await estimate(scene, 10 * PER_KW);
  return scene;
}

/** What of our coins waits for the child, in satoshi. */
const keptSat = ({ us }: Scene): bigint =>
  us.node.wallet.coinsSpentBy(childOf(us)).reduce((sum, { amountSat }) => sum + amountSat, 0n);

describe.each(CASES.filter(({ format }) => format === 'anchors'))(
  'below the relay minimum, with $name,',
  ({ format, restarts }) => {
    it('parent and child leave together', async () => {
      const scene = await beginAtTen(chain, format, restarts);
      const ledger = new Ledger(scene, scene.us);
      scene.chain.mempoolMinimum = MINIMUM;
      const close = await scene.forceClose(scene.us);
      expect(scene.refused).toEqual([]);
      const [child] = scene.spendsOf(close).filter((spend) => spend !== undefined);
      const weight = transactionWeight(close) + transactionWeight(child ?? close);
      const feeSat = scene.feeSat(close) + scene.feeSat(child ?? close);
      // As a signature may be a byte shorter than it was reckoned with.
      expect(feeSat).toBeGreaterThanOrEqual(BigInt(Math.ceil(weight * 2.5)));
      expect(feeSat).toBeLessThanOrEqual(BigInt(Math.ceil((weight + 4) * 2.5)));
      scene.chain.mempoolMinimum = 0;
      await scene.mine(30);
      // The anchor is the child's first input.
      expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + ANCHOR_SAT - ledger.feesSat(close));
    });

    it('a child that is not enough makes way for one that is', async () => {
      const scene = await beginAtTen(chain, format, restarts);
      // Where nothing hurries it has time.
      await scene.offer({ inboundSat: [100_000n] });
      const ledger = new Ledger(scene, scene.us);
      scene.chain.mempoolMinimum = 40;
      await scene.disconnect();
      scene.us.node.turn(() =>
        scene.us.node.manager.forceCloseChannel(scene.us.channelKey, { unconfirmedState: true }),
      );
      await scene.settle();
      await scene.mine(1);
      const before = childOf(scene.us);
      expect(scene.us.monitor.confirmedSpend).toBeUndefined();
      expect(keptSat(scene)).toBeGreaterThan(0n);
      scene.refused.length = 0;
      await estimate(scene, 50 * PER_KW);
      expect(scene.refused).toEqual([]);
      expect(scene.us.node.wallet.coinsSpentBy(before)).toEqual([]);
      expect(keptSat(scene)).toBeGreaterThan(0n);
      await scene.mine(1);
      const { close } = scene;
      scene.chain.mempoolMinimum = 0;
      await scene.mine(30);
      expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + 100_000n + ANCHOR_SAT - ledger.feesSat(close));
    });

    it('ours takes the place of theirs in the mempool, by what its child pays', async () => {
      const scene = await beginAtTen(chain, format, restarts);
      const ledger = new Ledger(scene, scene.us);
      await scene.submit(scene.commitmentOf(scene.them, scene.them.monitor));
      scene.chain.mempoolMinimum = MINIMUM;
      const close = await scene.forceClose(scene.us, { thenTheirsAreLost: true });
      expect(scene.us.monitor.confirmedSpend?.spend.kind).toBe('holderCommitment');
      scene.chain.mempoolMinimum = 0;
      await scene.mine(30);
      expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + ANCHOR_SAT - ledger.feesSat(close));
    });
  },
);

describe.each(CASES)(
  'below the relay minimum of a server that takes no packages, with $name,',
  ({ format, restarts }) => {
    it('the close waits until the minimum falls, and is tried with each block', async () => {
      const scene = await beginAtTen(chain, format, restarts);
      const ledger = new Ledger(scene, scene.us);
      scene.served.packages = false;
      scene.chain.mempoolMinimum = MINIMUM;
      await scene.disconnect();
      scene.us.node.turn(() =>
        scene.us.node.manager.forceCloseChannel(scene.us.channelKey, { unconfirmedState: true }),
      );
      await scene.settle();
      const [tried, kept] = [scene.refused.splice(0), keptSat(scene)];
      expect(tried).toEqual(
        format === 'anchors'
          ? [expect.stringContaining(BELOW), expect.stringContaining(ORPHAN)]
          : [expect.stringContaining(BELOW)],
      );
      expect(kept > 0n).toBe(format === 'anchors');
      for (let block = 0; block < 3; block++) {
        await scene.mine(1);
        expect(scene.us.monitor.confirmedSpend).toBeUndefined();
        expect([...new Set(scene.refused.splice(0))]).toEqual(tried);
        expect(keptSat(scene)).toBe(kept);
      }
      scene.chain.mempoolMinimum = 0;
      await scene.mine(2);
      const { close } = scene;
      await scene.mine(30);
      expect(scene.refused).toEqual([]);
      expect(ledger.gainedSat).toBe(
        scene.balanceSat(scene.us) + (format === 'anchors' ? ANCHOR_SAT : 0n) - ledger.feesSat(close),
      );
    });
  },
);

const BELOW = 'mempool min fee not met';
const ORPHAN = 'bad-txns-inputs-missingorspent';

/** The txid of the child of our commitment, empty without one. */
const childOf = ({ monitor: { anchorChild } }: Party): Uint8Array =>
  anchorChild === undefined ? new Uint8Array(0) : transactionId(anchorChild.tx);
