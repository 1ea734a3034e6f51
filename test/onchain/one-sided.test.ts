import { describe, expect, it } from 'vitest';
import { toHex } from '../../worker/engine/primitives/bytes.ts';
import { CASES, scenes } from './cases.ts';
import { Ledger } from './ledger.ts';
import type { Scene } from './scene.ts';
import { Thief } from './thief.ts';

const begin = scenes();

/** From now on a party's next `commitment_signed` does not arrive, and nothing after it. */
function withholdSignature(scene: Scene, of: 'us' | 'them'): void {
  scene.withheld = ['commitment_signed'];
  scene.withholder = scene[of];
}

describe.each(CASES)('an HTLC in one of the two commitments, with $name,', (each) => {
  it('that we offered, and not in ours, has failed six blocks after ours', async () => {
    const scene = await begin(each);
    const ledger = new Ledger(scene, scene.us);
    withholdSignature(scene, 'them');
    scene.us.node.pay(scene.them.node.invoice(50_000_000n));
    await scene.settle();
    expect(scene.us.monitor.holderCommitment.spec.htlcs).toEqual([]);
    const close = await scene.forceClose(scene.us);
    await scene.mine(4);
    expect(scene.outcomesOf(scene.us)).toEqual(['pending']);
    await scene.mine(1);
    expect(scene.outcomesOf(scene.us)).toEqual(['failed']);
    await scene.mine(16);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) - ledger.feesSat(close));
    expect(scene.refused).toEqual([]);
  });

  it('that they offered, and only in ours, goes back to them', async () => {
    const scene = await begin(each);
    const ledger = new Ledger(scene, scene.us);
    withholdSignature(scene, 'us');
    scene.them.node.pay(scene.us.node.invoice(30_000_000n));
    await scene.settle();
    expect(scene.us.monitor.holderCommitment.spec.htlcs).toHaveLength(1);
    const close = await scene.forceClose(scene.us);
    await scene.mine(22);
    await scene.wait(scene.expiry - 1 - scene.chain.height);
    await scene.mine(9);
    expect(scene.outcomesOf(scene.them)).toEqual(['failed']);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) - ledger.feesSat(close));
    expect(scene.refused).toEqual([]);
  });

  it.each(['us', 'them'] as const)(
    'that they gave the preimage for, and in theirs still, is paid whoever closes: %s (S14)',
    async (closer) => {
      const scene = await begin(each);
      const ledger = new Ledger(scene, scene.us);
      await scene.offerHeld(scene.us, 50_000n);
      withholdSignature(scene, 'us');
      scene.them.release();
      await scene.settle();
      expect(scene.outcomesOf(scene.us)).toEqual(['succeeded']);
      const close = await scene.forceClose(scene[closer]);
      scene.us.restart();
      await scene.mine(22);
      expect(scene.outcomesOf(scene.us)).toEqual(['succeeded']);
      const ours = closer === 'us' ? scene.balanceSat(scene.us) : scene.toRemoteSat;
      expect(ledger.gainedSat).toBe(ours - ledger.feesSat(close));
    },
  );

  it('that we gave the preimage for, and in ours still, is ours whoever closes', async () => {
    for (const closer of ['us', 'them'] as const) {
      const scene = await begin(each);
      const ledger = new Ledger(scene, scene.us);
      await scene.offerHeld(scene.them, 30_000n);
      withholdSignature(scene, 'them');
      scene.us.release();
      await scene.settle();
      const close = await scene.forceClose(scene[closer]);
      await scene.mine(25);
      const ours = closer === 'us' ? scene.balanceSat(scene.us) + 30_000n : scene.toRemoteSat;
      expect(ledger.gainedSat).toBe(ours - ledger.feesSat(close));
      expect(scene.outcomesOf(scene.them)).toEqual(['succeeded']);
    }
  });

  it('that they gave back, and take all the same out of a commitment that is valid still, is paid (S13)', async () => {
    const scene = await begin(each);
    await scene.offerHeld(scene.us, 50_000n);
    withholdSignature(scene, 'us');
    scene.them.refuse();
    await scene.settle();
    expect(scene.us.monitor.holderCommitment.spec.htlcs).toEqual([]);
    expect(scene.outcomesOf(scene.us)).toEqual(['pending']);
    const [invoice] = scene.them.node.manager.inboundPayments.all();
    if (invoice === undefined) throw new Error('they made an invoice');
    const preimages = new Map([[toHex(invoice.paymentHash), invoice.preimage]]);
    const thief = new Thief(scene.them, { ...scene.them.monitor, preimages });
    await scene.disconnect();
    await scene.submit(thief.commitment);
    await scene.mine(1);
    for (const raw of thief.htlcTransactions(scene.chain.height, 'apart')) await scene.submit(raw);
    await scene.mine(1);
    expect(scene.outcomesOf(scene.us)).toEqual(['succeeded']);
    await scene.mine(7);
    expect(scene.outcomesOf(scene.us)).toEqual(['succeeded']);
  });

  it('that is absent from a revoked commitment of the number that ours has now', async () => {
    const scene = await begin(each);
    const thief = new Thief(scene.them);
    const { number } = scene.us.monitor.holderCommitment;
    const ledger = new Ledger(scene, scene.us);
    withholdSignature(scene, 'them');
    scene.us.node.pay(scene.them.node.invoice(50_000_000n));
    await scene.settle();
    await scene.disconnect();
    const revoked = await scene.submit(thief.commitment);
    await scene.mine(1);
    expect(scene.us.monitor.holderCommitment.number).toBe(number);
    expect(scene.us.monitor.confirmedSpend?.spend).toEqual({ kind: 'revokedCommitment', number });
    await scene.mine(6);
    const worthSat = revoked.outputs.reduce((sum, { amountSat }) => (amountSat === 330n ? sum : sum + amountSat), 0n);
    expect(ledger.gainedSat).toBe(worthSat - ledger.feesSat(revoked));
    expect(scene.outcomesOf(scene.us)).toEqual(['failed']);
  });
});

describe('a commitment of theirs, without anchors,', () => {
  it('that shows a preimage in its own block has paid what it takes', async () => {
    const scene = await begin({ format: 'static_remotekey' });
    await scene.offer({ outboundSat: [50_000n] });
    await scene.disconnect();
    const thief = new Thief(scene.them);
    await scene.submit(thief.commitment);
    const taken = thief.htlcTransactions(scene.chain.height, 'apart');
    expect(taken).toHaveLength(1);
    for (const raw of taken) await scene.submit(raw);
    await scene.mine(1);
    expect(scene.outcomesOf(scene.us)).toEqual(['succeeded']);
  });
});
