import { describe, expect, it } from 'vitest';
import { CASES, CLOSES, scenes } from './cases.ts';
import { Ledger } from './ledger.ts';
import type { Scene } from './scene.ts';
import { takenByPreimage, Thief } from './thief.ts';

const begin = scenes();

/** Blocks between the expiries of two HTLCs of one hash and amount. */
const APART = [0, 3];
const SAT = 50_000n;

/** The expiries of what we offered, the earlier first. */
const expiriesOf = ({ us }: Scene): readonly number[] =>
  us.monitor.holderCommitment.spec.htlcs.map(({ cltvExpiry }) => cltvExpiry).toSorted((a, b) => a - b);

describe.each(CLOSES)('two HTLCs of one hash and amount, in a commitment of $closer, with $name,', (each) => {
  async function offered(payer: 'us' | 'them', apart: number): Promise<{ scene: Scene; ledger: Ledger }> {
    const scene = await begin(each);
    const ledger = new Ledger(scene, scene.us);
    const invoice = await scene.offerHeld(scene[payer], SAT);
    await scene.offerAgain(scene[payer], invoice, apart);
    expect(expiriesOf(scene)).toEqual([scene.expiry, scene.expiry + apart]);
    for (const party of scene.parties) party.mayCloseAtDeadlines = false;
    return { scene, ledger };
  }

  it.each(APART)('of which nobody takes one, both come back, %d blocks apart', async (apart) => {
    const { scene, ledger } = await offered('us', apart);
    const close = await scene.forceClose(scene[each.closer]);
    const [first = 0, second = 0] = expiriesOf(scene);
    await scene.mine(22);
    await scene.wait(first - 1 - scene.chain.height);
    await scene.mine(2);
    const spent = (): number =>
      scene.spendsOf(close).filter((spend, vout) => spend && close.outputs[vout]?.amountSat === SAT).length;
    expect(spent()).toBe(apart === 0 ? 2 : 1);
    await scene.mine(second + 6 - scene.chain.height);
    expect(scene.outcomesOf(scene.us)).toEqual(['failed']);
    await scene.mine(20);
    expect(spent()).toBe(2);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + 2n * SAT - ledger.feesSat(close));
    expect(scene.refused).toEqual([]);
  });

  it.each(APART)('of which they take one by its preimage, the other comes back, %d blocks apart', async (apart) => {
    const { scene, ledger } = await offered('us', apart);
    const close = await scene.forceClose(scene[each.closer], { thenTheirsAreLost: true });
    scene.them.release();
    await scene.settle();
    const [taken] = takenByPreimage(scene.them);
    expect(taken).toBeDefined();
    await scene.submit(taken ?? new Uint8Array(0));
    await scene.mine(2);
    expect(scene.outcomesOf(scene.us)).toEqual(['succeeded']);
    await scene.mine(20);
    const last = expiriesOf(scene).at(-1) ?? 0;
    await scene.wait(scene.expiry - 1 - scene.chain.height);
    await scene.mine(last + 2 - scene.chain.height);
    await scene.mine(20);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + SAT - ledger.feesSat(close));
    expect(scene.outcomesOf(scene.us)).toEqual(['succeeded']);
  });

  it.each(APART)('that we have the preimage of are both ours, %d blocks apart', async (apart) => {
    const { scene, ledger } = await offered('them', apart);
    const close = await scene.forceClose(scene[each.closer]);
    scene.us.release();
    await scene.settle();
    await scene.mine(25);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + 2n * SAT - ledger.feesSat(close));
    expect(scene.outcomesOf(scene.them)).toEqual(['succeeded']);
    expect(scene.refused).toEqual([]);
  });
});

describe.each(CASES)('HTLCs of one hash and amount in a revoked commitment, with $name,', (each) => {
  it.each([...APART.map((apart) => ({ held: 2, apart })), { held: 1, apart: 0 }])(
    'which holds $held of them, $apart blocks apart, are all ours',
    async ({ held, apart }) => {
      const scene = await begin(each);
      const invoice = await scene.offerHeld(scene.us, SAT);
      const [one, ledger] = [new Thief(scene.them), new Ledger(scene, scene.us)];
      await scene.offerAgain(scene.us, invoice, apart);
      const two = new Thief(scene.them);
      await scene.pay(20_000n);
      await scene.disconnect();
      const revoked = await scene.submit((held === 1 ? one : two).commitment);
      await scene.mine(7);
      const worthSat = revoked.outputs.reduce((sum, { amountSat }) => (amountSat === 330n ? sum : sum + amountSat), 0n);
      expect(revoked.outputs.filter(({ amountSat }) => amountSat === SAT)).toHaveLength(held);
      expect(ledger.gainedSat).toBe(worthSat - ledger.feesSat(revoked));
      expect(scene.outcomesOf(scene.us)[0]).toBe('failed');
      expect(scene.refused).toEqual([]);
    },
  );
});
