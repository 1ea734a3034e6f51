import { describe, expect, it } from 'vitest';
import { decodeTransaction } from '../../worker/engine/transactions/transaction.ts';
import { CASES, scenes } from './cases.ts';
import { Ledger } from './ledger.ts';
import { Thief } from './thief.ts';

const begin = scenes();

const sumOf = (amounts: readonly bigint[]): bigint => amounts.reduce((sum, each) => sum + each, 0n);

describe.each(CASES)('a revoked commitment, with $name,', (each) => {
  /** Every output but the anchors. */
  const worthSat = (raw: Uint8Array): bigint =>
    sumOf(decodeTransaction(raw).outputs.map(({ amountSat }) => (amountSat === 330n ? 0n : amountSat)));

  it('of the first state costs them everything', async () => {
    const scene = await begin(each);
    const thief = new Thief(scene.them);
    await scene.pay(20_000n);
    const ledger = new Ledger(scene, scene.us);
    await scene.disconnect();
    await scene.submit(thief.commitment);
    await scene.mine(1);
    expect(scene.us.monitor.confirmedSpend?.spend.kind).toBe('revokedCommitment');
    await scene.mine(2);
    expect(ledger.gainedSat).toBe(worthSat(thief.commitment) - ledger.feesSat(scene.close));
    expect(scene.refused).toEqual([]);
  });

  it('with HTLCs both ways costs them everything', async () => {
    const scene = await begin(each);
    await scene.offer({ outboundSat: [50_000n, 50_000n], inboundSat: [30_000n] });
    const thief = new Thief(scene.them);
    await scene.reconnect();
    await scene.pay(20_000n);
    const ledger = new Ledger(scene, scene.us);
    await scene.disconnect();
    await scene.submit(thief.commitment);
    await scene.mine(3);
    expect(ledger.gainedSat).toBe(worthSat(thief.commitment) - ledger.feesSat(scene.close));
    expect(scene.refused).toEqual([]);
  });

  // Without anchors the counterparty's signature covers the whole of an HTLC transaction.
  it.each(each.format === 'anchors' ? (['together', 'apart'] as const) : (['apart'] as const))(
    'whose HTLCs they take with it, %s, costs them everything',
    async (shape) => {
      const scene = await begin(each);
      await scene.offer({ outboundSat: [50_000n, 40_000n], inboundSat: [30_000n] });
      const thief = new Thief(scene.them);
      await scene.reconnect();
      await scene.pay(20_000n);
      const ledger = new Ledger(scene, scene.us);
      await scene.disconnect();
      await scene.submit(thief.commitment);
      await scene.mineAlone(1);
      const taken = thief.htlcTransactions(scene.chain.height, shape);
      expect(taken.length).toBeGreaterThan(0);
      for (const raw of taken) await scene.submit(raw);
      await scene.mine(4);
      expect(scene.us.monitor.outputSpends.length).toBeGreaterThan(1);
      const lostSat = sumOf(taken.map((raw) => scene.htlcFeeSat(raw)));
      expect(ledger.gainedSat).toBe(worthSat(thief.commitment) - lostSat - ledger.feesSat(scene.close));
    },
  );
});
