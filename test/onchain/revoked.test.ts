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

  it('that is found when its delay ends with the next block costs them everything', async () => {
    const scene = await begin(each);
    await scene.offer({ outboundSat: [50_000n], inboundSat: [30_000n] });
    const thief = new Thief(scene.them);
    await scene.reconnect();
    await scene.pay(20_000n);
    const ledger = new Ledger(scene, scene.us);
    await scene.disconnect();
    await scene.submit(thief.commitment);
    await scene.mineUnseen(20);
    await scene.mine(2);
    expect(ledger.gainedSat).toBe(worthSat(thief.commitment) - ledger.feesSat(scene.close));
    expect(scene.refused).toEqual([]);
  });

  it('whose HTLCs have expired, and are taken back, costs them everything', async () => {
    const scene = await begin(each);
    await scene.offer({ inboundSat: [30_000n, 31_000n] });
    const thief = new Thief(scene.them);
    const { expiry } = scene;
    await scene.reconnect();
    await scene.pay(20_000n);
    const ledger = new Ledger(scene, scene.us);
    await scene.disconnect();
    await scene.wait(expiry - scene.chain.height);
    await scene.submit(thief.commitment);
    await scene.mineAlone(1);
    const taken = thief.htlcTransactions(scene.chain.height, 'apart');
    expect(taken).toHaveLength(2);
    for (const raw of taken) await scene.submit(raw);
    await scene.mine(4);
    const lostSat = sumOf(taken.map((raw) => scene.htlcFeeSat(raw)));
    expect(ledger.gainedSat).toBe(worthSat(thief.commitment) - lostSat - ledger.feesSat(scene.close));
  });

  it('of which another takes the place, with others of its kind, costs them what that one says', async () => {
    const scene = await begin(each);
    await scene.offer({ outboundSat: [50_000n] });
    const first = new Thief(scene.them);
    await scene.reconnect();
    await scene.offer({ outboundSat: [90_000n, 40_000n] });
    const second = new Thief(scene.them);
    await scene.reconnect();
    await scene.pay(20_000n);
    const ledger = new Ledger(scene, scene.us);
    await scene.disconnect();
    await scene.submit(first.commitment);
    await scene.mineAlone(1);
    for (const raw of first.htlcTransactions(scene.chain.height, 'apart')) await scene.submit(raw);
    await scene.mine(2);
    [scene.oursAreLost, scene.theirsAreLost] = [true, true];
    await scene.reorg(3, true);
    await scene.submit(second.commitment);
    await scene.mineAlone(1);
    const taken = second.htlcTransactions(scene.chain.height, 'apart');
    for (const raw of taken) await scene.submit(raw);
    await scene.mine(1);
    scene.oursAreLost = false;
    await scene.mine(4);
    expect(taken.length).toBeGreaterThan(1);
    const lostSat = sumOf(taken.map((raw) => scene.htlcFeeSat(raw)));
    expect(ledger.gainedSat).toBe(worthSat(second.commitment) - lostSat - ledger.feesSat(scene.close));
  });
});

describe('a revoked commitment, with anchors,', () => {
  it.each([{ restarts: false }, { restarts: true }])(
    'out of whose penalty they take one HTLC by a higher fee costs them everything, %o (S16)',
    async ({ restarts }) => {
      const scene = await begin({ format: 'anchors', restarts });
      await scene.offer({ outboundSat: [50_000n, 40_000n, 30_000n] });
      const thief = new Thief(scene.them);
      await scene.reconnect();
      await scene.pay(20_000n);
      const ledger = new Ledger(scene, scene.us);
      await scene.disconnect();
      await scene.submit(thief.commitment);
      await scene.mine(1);
      // Ours are in the mempool, and make way.
      const [taken = new Uint8Array(0)] = thief.htlcTransactions(scene.chain.height, 'together', 20_000);
      await scene.submit(taken);
      await scene.mine(4);
      const lostSat = scene.htlcFeeSat(taken);
      expect(scene.spendsOf(scene.close).filter((spend) => spend === undefined).length).toBeLessThanOrEqual(2);
      const worth = decodeTransaction(thief.commitment).outputs.map(({ amountSat }) =>
        amountSat === 330n ? 0n : amountSat,
      );
      expect(ledger.gainedSat).toBe(sumOf(worth) - lostSat - ledger.feesSat(scene.close));
    },
  );
});
