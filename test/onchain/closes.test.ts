import { describe, expect, it } from 'vitest';
import { CLOSES, scenes } from './cases.ts';
import { Ledger } from './ledger.ts';
import { takenByPreimage } from './thief.ts';

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

  it('gives an HTLC whose preimage comes when the commitment, and what else is ours in it, is in the chain', async () => {
    const scene = await begin(each);
    const ledger = new Ledger(scene, scene.us);
    await scene.offerHeld(scene.them, 40_000n);
    const close = await scene.forceClose(scene[each.closer]);
    await scene.mine(4);
    const before = scene.us.monitor.packages.length;
    scene.us.release();
    await scene.settle();
    await scene.mine(1);
    expect(scene.us.monitor.packages).toHaveLength(before + 1);
    await scene.mine(25);
    expect(scene.outcomesOf(scene.them)).toEqual(['succeeded']);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + 40_000n - ledger.feesSat(close));
    expect(scene.refused).toEqual([]);
  });

  it('of which some HTLCs are taken gives the others whose preimages come later (S19)', async () => {
    const scene = await begin(each);
    const ledger = new Ledger(scene, scene.us);
    for (const sat of [30_000n, 31_000n, 32_000n]) await scene.offerHeld(scene.them, sat);
    const close = await scene.forceClose(scene[each.closer]);
    const [first] = scene.us.monitor.holderCommitment.spec.htlcs;
    for (let step = 0; step < 3; step++) {
      scene.us.release((htlc) => htlc.id === (first?.id ?? 0n) + BigInt(step));
      await scene.settle();
      await scene.mine(2);
    }
    await scene.mine(25);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + 93_000n - ledger.feesSat(close));
    expect(scene.outcomesOf(scene.them)).toEqual(['succeeded', 'succeeded', 'succeeded']);
    expect(scene.refused).toEqual([]);
  });

  it('with nothing but dust gives our balance, and the dust has failed six blocks later', async () => {
    const scene = await begin(each);
    const ledger = new Ledger(scene, scene.us);
    await scene.offerHeld(scene.us, 200n);
    await scene.offerHeld(scene.them, 250n);
    const close = await scene.forceClose(scene[each.closer]);
    expect(close.outputs.filter(({ amountSat }) => amountSat !== 330n)).toHaveLength(2);
    await scene.mine(4);
    expect([scene.outcomesOf(scene.us), scene.outcomesOf(scene.them)]).toEqual([['pending'], ['pending']]);
    await scene.mine(1);
    expect([scene.outcomesOf(scene.us), scene.outcomesOf(scene.them)]).toEqual([['failed'], ['failed']]);
    await scene.mine(16);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) - ledger.feesSat(close));
    expect(scene.refused).toEqual([]);
  });

  it('gives back HTLCs that expire two blocks apart, of which they take one, after a reorganisation below both (S20)', async () => {
    const scene = await begin(each);
    const ledger = new Ledger(scene, scene.us);
    await scene.offerHeld(scene.us, 50_000n);
    await scene.mine(2);
    await scene.reconnect();
    await scene.offerHeld(scene.us, 60_000n);
    const close = await scene.forceClose(scene[each.closer], { thenTheirsAreLost: true });
    const { expiry } = scene;
    scene.them.release((htlc) => htlc.cltvExpiry === expiry);
    await scene.settle();
    await scene.mine(22);
    await scene.wait(expiry - 1 - scene.chain.height);
    for (const raw of takenByPreimage(scene.them)) await scene.submit(raw);
    await scene.mine(4);
    expect(scene.outcomesOf(scene.us)).toEqual(['succeeded', 'pending']);
    await scene.reorg(5, true);
    await scene.mine(8);
    expect(scene.outcomesOf(scene.us)).toEqual(['succeeded', 'failed']);
    await scene.mine(21);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + 110_000n - ledger.feesSat(close));
    expect(scene.refused).toEqual([]);
  });

  it('out of which they take an HTLC, in a block that a reorganisation replaces, has paid it once (S21)', async () => {
    const scene = await begin(each);
    const ledger = new Ledger(scene, scene.us);
    await scene.offer({ outboundSat: [50_000n] });
    const close = await scene.forceClose(scene[each.closer], { thenTheirsAreLost: true });
    const [taken = new Uint8Array(0)] = takenByPreimage(scene.them);
    await scene.submit(taken);
    await scene.mine(1);
    expect(scene.outcomesOf(scene.us)).toEqual(['succeeded']);
    await scene.reorg(1, true);
    await scene.submit(taken);
    await scene.mine(25);
    expect(scene.outcomesOf(scene.us)).toEqual(['succeeded']);
    expect(scene.us.node.manager.pendingEvents().filter(({ kind }) => kind === 'paymentSent')).toHaveLength(1);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) - ledger.feesSat(close));
    expect(scene.refused).toEqual([]);
  });

  it('out of which they take an HTLC has paid it as soon as that is in the mempool', async () => {
    const scene = await begin(each);
    const ledger = new Ledger(scene, scene.us);
    await scene.offer({ outboundSat: [50_000n] });
    const close = await scene.forceClose(scene[each.closer], { thenTheirsAreLost: true });
    const [taken = new Uint8Array(0)] = takenByPreimage(scene.them);
    const seen = await scene.submit(taken);
    expect(scene.outcomesOf(scene.us)).toEqual(['pending']);
    scene.us.node.turn(() => scene.us.node.manager.transactionSeen(seen));
    await scene.settle();
    expect(scene.outcomesOf(scene.us)).toEqual(['succeeded']);
    scene.us.restart();
    await scene.mine(25);
    expect(scene.outcomesOf(scene.us)).toEqual(['succeeded']);
    expect(scene.us.node.manager.pendingEvents().filter(({ kind }) => kind === 'paymentSent')).toHaveLength(1);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) - ledger.feesSat(close));
  });

  it.each(['claims', 'sweeps'] as const)(
    'of which a reorganisation takes out the %s has them made again',
    async (what) => {
      const scene = await begin(each);
      const ledger = new Ledger(scene, scene.us);
      await scene.offer({ inboundSat: [30_000n] });
      const close = await scene.forceClose(scene[each.closer]);
      await scene.mine(what === 'claims' ? 1 : 21);
      await scene.reorg(1, true);
      await scene.mine(25);
      expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + 30_000n - ledger.feesSat(close));
      expect(scene.outcomesOf(scene.them)).toEqual(['succeeded']);
    },
  );

  it('gives back an HTLC of ours though what takes it is thrown out of the mempool block after block (S24)', async () => {
    const scene = await begin(each);
    const ledger = new Ledger(scene, scene.us);
    await scene.offerHeld(scene.us, 50_000n);
    const close = await scene.forceClose(scene[each.closer]);
    await scene.mine(22);
    await scene.wait(scene.expiry - 1 - scene.chain.height);
    scene.oursAreLost = true;
    await scene.mine(4);
    scene.oursAreLost = false;
    await scene.mine(1);
    await scene.mine(6);
    expect(scene.outcomesOf(scene.us)).toEqual(['failed']);
    await scene.mine(15);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + 50_000n - ledger.feesSat(close));
    expect(scene.refused).toEqual([]);
  });
});
