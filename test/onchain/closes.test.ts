import { describe, expect, it } from 'vitest';
import { CLOSES, scenes } from './cases.ts';
import { Ledger } from './ledger.ts';

const begin = scenes();

describe.each(CLOSES)('a commitment of $closer, with $name,', (each) => {
  it('gives HTLCs whose preimage is known, to whoever knows it', async () => {
    const scene = await begin(each);
    const ledger = new Ledger(scene, scene.us);
    await scene.offer({ outboundSat: [50_000n], inboundSat: [30_000n] });
    const close = await scene.forceClose(scene[each.closer]);
    await scene.mine(30);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + 30_000n - ledger.feesSat(close));
    expect([scene.outcomesOf(scene.us), scene.outcomesOf(scene.them)]).toEqual([['succeeded'], ['succeeded']]);
    expect(scene.refused).toEqual([]);
  });

  it('gives HTLCs back that nobody takes, after their expiry, and their payments have failed six blocks later', async () => {
    const scene = await begin(each);
    const ledger = new Ledger(scene, scene.us);
    await scene.offer({ outboundSat: [50_000n, 50_000n, 60_000n] });
    const close = await scene.forceClose(scene[each.closer], { thenTheirsAreLost: true });
    const { expiry } = scene;
    await scene.mine(22);
    await scene.wait(expiry - 1 - scene.chain.height);
    await scene.mine(6);
    expect(scene.outcomesOf(scene.us)).toEqual(['pending', 'pending', 'pending']);
    await scene.mine(1);
    expect(scene.outcomesOf(scene.us)).toEqual(['failed', 'failed', 'failed']);
    await scene.mine(20);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + 160_000n - ledger.feesSat(close));
    expect(scene.refused).toEqual([]);
  });
});
