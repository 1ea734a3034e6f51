import { describe, expect, it } from 'vitest';
import { CASES, scenes } from './cases.ts';
import { Ledger } from './ledger.ts';

const begin = scenes();

describe.each(CASES)('our commitment, with $name,', (each) => {
  it('gives its main output after its delay', async () => {
    const scene = await begin(each);
    const ledger = new Ledger(scene, scene.us);
    const close = await scene.forceClose(scene.us);
    await scene.mine(19);
    expect(ledger.gainedSat).toBeLessThanOrEqual(0n);
    await scene.mine(1);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) - ledger.feesSat(close));
    expect(scene.refused).toEqual([]);
  });

  it('fails what it has no output for once it is six blocks deep', async () => {
    const scene = await begin(each);
    await scene.offer({ outboundSat: [200n, 50_000n] });
    await scene.forceClose(scene.us);
    await scene.mine(4);
    expect(scene.outcomesOf(scene.us)).toEqual(['pending', 'succeeded']);
    await scene.mine(1);
    expect(scene.outcomesOf(scene.us)).toEqual(['failed', 'succeeded']);
  });
});
