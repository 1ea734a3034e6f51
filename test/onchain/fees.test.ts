import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nobleSecp256k1 as secp } from '../../worker/engine/primitives/secp256k1.ts';
import { claimsOf } from '../../worker/engine/monitor/claims/claims.ts';
import { buildClaim } from '../../worker/engine/monitor/claims/claim-transaction.ts';
import { encodeTransaction, transactionWeight } from '../../worker/engine/transactions/transaction.ts';
import { feeratesOf } from '../engine/channel/feerates.ts';
import { RegtestChain } from '../world/chain.ts';
import { CASES } from './cases.ts';
import { Ledger } from './ledger.ts';
import { Scene } from './scene.ts';
import { Thief } from './thief.ts';

let chain: RegtestChain;
beforeAll(async () => {
  chain = await RegtestChain.start();
});
afterAll(() => chain.stop());

const feerates = (scene: Scene): readonly number[] => scene.us.monitor.packages.map(({ feeratePerKw }) => feeratePerKw);

/** The HTLCs of our commitment that `them` has the preimages of, each in a transaction of its own. */
function takenByThem({ them }: Scene): readonly Uint8Array[] {
  const { monitor } = them;
  const signer = them.keys.deriveChannelSigner(monitor.params.channelKeysIndex, monitor.params.fundingSat);
  const parts = { signer, coins: them.node.wallet, destinationScript: them.keys.destinationScript() };
  return claimsOf({ secp, signer }, monitor)
    .filter((claim) => claim.kind === 'counterpartyHtlc' && claim.preimage !== undefined)
    .flatMap((claim) => buildClaim(parts, [claim], 20_000, undefined) ?? [])
    .map(({ tx }) => encodeTransaction(tx));
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
    await scene.end();
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
    const estimate = async (feeratePerKw: number): Promise<void> => {
      scene.us.node.turn(() => {
        scene.us.node.manager.updateFeerates(feeratesOf(1_000, feeratePerKw));
        scene.us.node.manager.bestBlockUpdated(scene.chain.height);
      });
      await scene.settle();
    };
    const first = feerates(scene);
    await estimate(125_000);
    const risen = feerates(scene);
    // What nobody else can take does not hurry.
    expect(risen.every((rate, index) => rate >= (first[index] ?? 0))).toBe(true);
    expect(Math.max(...risen)).toBeGreaterThan(Math.max(...first));
    for (const { tx, outpoints } of scene.us.monitor.packages) {
      const takenSat = scene.valueSat(outpoints);
      expect(takenSat - (tx.outputs[0]?.amountSat ?? 0n)).toBeLessThanOrEqual(takenSat / 2n + 1n);
      expect(transactionWeight(tx)).toBeLessThan(4_000);
    }
    await estimate(253);
    expect(feerates(scene)).toEqual(risen);
    expect(scene.refused).toEqual([]);
    await scene.end();
  });
});
