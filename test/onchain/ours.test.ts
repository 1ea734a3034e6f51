import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RegtestChain } from '../world/chain.ts';
import { CASES } from './cases.ts';
import { Ledger } from './ledger.ts';
import { Scene } from './scene.ts';

let chain: RegtestChain;
beforeAll(async () => {
  chain = await RegtestChain.start();
});
afterAll(() => chain.stop());

describe.each(CASES)('our commitment, with $name,', ({ format, restarts }) => {
  async function begin(): Promise<Scene> {
    const scene = await Scene.begin(chain, format);
    scene.restarts = restarts;
    return scene;
  }

  it('gives its main output after its delay', async () => {
    const scene = await begin();
    const ledger = new Ledger(scene, scene.us);
    const close = await scene.forceClose(scene.us);
    await scene.mine(19);
    expect(ledger.gainedSat).toBeLessThanOrEqual(0n);
    await scene.mine(1);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) - ledger.feesSat(close));
    expect(scene.refused).toEqual([]);
    await scene.end();
  });

  it('gives HTLCs whose preimage is known, to whoever knows it', async () => {
    const scene = await begin();
    const ledger = new Ledger(scene, scene.us);
    await scene.offer({ outboundSat: [50_000n], inboundSat: [30_000n] });
    const close = await scene.forceClose(scene.us);
    await scene.mine(30);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + 30_000n - ledger.feesSat(close));
    expect([scene.outcomesOf(scene.us), scene.outcomesOf(scene.them)]).toEqual([['succeeded'], ['succeeded']]);
    expect(scene.refused).toEqual([]);
    await scene.end();
  });

  it('gives HTLCs back that nobody takes, after their expiry, and their payments have failed six blocks later', async () => {
    const scene = await begin();
    const ledger = new Ledger(scene, scene.us);
    await scene.offer({ outboundSat: [50_000n, 50_000n, 60_000n] });
    const close = await scene.forceClose(scene.us, { thenTheirsAreLost: true });
    const expiry = scene.us.monitor.holderCommitment.spec.htlcs[0]?.cltvExpiry ?? 0;
    await scene.mine(expiry + 5 - scene.chain.height);
    expect(scene.outcomesOf(scene.us)).toEqual(['pending', 'pending', 'pending']);
    await scene.mine(1);
    expect(scene.outcomesOf(scene.us)).toEqual(['failed', 'failed', 'failed']);
    await scene.mine(20);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + 160_000n - ledger.feesSat(close));
    expect(scene.refused).toEqual([]);
    await scene.end();
  });

  it('fails what it has no output for once it is six blocks deep', async () => {
    const scene = await begin();
    await scene.offer({ outboundSat: [200n, 50_000n] });
    await scene.forceClose(scene.us);
    await scene.mine(4);
    expect(scene.outcomesOf(scene.us)).toEqual(['pending', 'succeeded']);
    await scene.mine(1);
    expect(scene.outcomesOf(scene.us)).toEqual(['failed', 'succeeded']);
    await scene.end();
  });
});
