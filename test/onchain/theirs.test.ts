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

describe.each(CASES)('their commitment, with $name,', ({ format, restarts }) => {
  async function begin(): Promise<Scene> {
    const scene = await Scene.begin(chain, format);
    scene.restarts = restarts;
    return scene;
  }

  it('gives our balance at once', async () => {
    const scene = await begin();
    const ledger = new Ledger(scene, scene.us);
    const close = await scene.forceClose(scene.them);
    expect(scene.us.monitor.confirmedSpend?.spend.kind).toBe('counterpartyCommitment');
    await scene.mine(2);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) - ledger.feesSat(close));
    expect(scene.refused).toEqual([]);
    await scene.end();
  });

  it('gives HTLCs whose preimage is known, to whoever knows it', async () => {
    const scene = await begin();
    const ledger = new Ledger(scene, scene.us);
    await scene.offer({ outboundSat: [50_000n], inboundSat: [30_000n] });
    const close = await scene.forceClose(scene.them);
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
    const close = await scene.forceClose(scene.them, { thenTheirsAreLost: true });
    const expiry = scene.us.monitor.holderCommitment.spec.htlcs[0]?.cltvExpiry ?? 0;
    await scene.mine(expiry + 5 - scene.chain.height);
    expect(scene.outcomesOf(scene.us)).toEqual(['pending', 'pending', 'pending']);
    await scene.mine(1);
    expect(scene.outcomesOf(scene.us)).toEqual(['failed', 'failed', 'failed']);
    await scene.mine(2);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + 160_000n - ledger.feesSat(close));
    expect(scene.refused).toEqual([]);
    await scene.end();
  });

  it('that is signed and has not revoked the one before gives the same', async () => {
    const scene = await begin();
    const ledger = new Ledger(scene, scene.us);
    scene.withheld = ['revoke_and_ack'];
    scene.us.node.pay(scene.them.node.invoice(50_000_000n));
    await scene.settle();
    expect(scene.us.monitor.counterpartyCommitments).toHaveLength(2);
    const close = await scene.forceClose(scene.them);
    expect(scene.us.monitor.confirmedSpend?.spend).toMatchObject({
      kind: 'counterpartyCommitment',
      number: scene.us.monitor.counterpartyCommitments[1]?.number,
    });
    const expiry = scene.us.monitor.counterpartyCommitments[1]?.spec.htlcs[0]?.cltvExpiry ?? 0;
    await scene.mine(expiry + 8 - scene.chain.height);
    const balanceSat = scene.balanceSat(scene.us);
    expect(ledger.gainedSat).toBe(balanceSat - 50_000n + 50_000n - ledger.feesSat(close) - scene.htlcCostSat(scene.us));
    expect(scene.outcomesOf(scene.us)).toEqual(['failed']);
    await scene.end();
  });
});
