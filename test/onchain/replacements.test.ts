import { describe, expect, it } from 'vitest';
import { reversed, toHex } from '../../worker/engine/primitives/bytes.ts';
import { encodeTransaction, transactionId, type Transaction } from '../../worker/engine/transactions/transaction.ts';
import { CASES, scenes } from './cases.ts';
import { Ledger } from './ledger.ts';
import type { Scene } from './scene.ts';
import { takenByPreimage, Thief } from './thief.ts';

const begin = scenes();

const worthSat = (amounts: readonly bigint[]): bigint => amounts.reduce((sum, each) => sum + each, 0n);

/** What of ours waits for a block, by the outputs of a commitment that it takes. */
function waiting(
  scene: Scene,
  commitment: Transaction,
): readonly { readonly vouts: readonly number[]; readonly tx: Transaction }[] {
  const mempool = new Set(scene.chain.mempoolTxs().map((tx) => tx.txid()));
  const closeId = toHex(transactionId(commitment));
  return scene.us.monitor.packages
    .filter(({ tx }) => mempool.has(toHex(reversed(transactionId(tx)))))
    .map(({ tx }) => ({
      tx,
      vouts: tx.inputs.flatMap(({ txid, vout }) => (toHex(txid) === closeId ? [vout] : [])),
    }));
}

/** Which outputs of a commitment are HTLCs that are in the chain and not spent. */
function unspentHtlcs(scene: Scene, commitment: Transaction, amountsSat: readonly bigint[]): readonly number[] {
  const spends = scene.spendsOf(commitment);
  return commitment.outputs.flatMap(({ amountSat }, vout) =>
    amountsSat.includes(amountSat) && spends[vout] === undefined ? [vout] : [],
  );
}

const sorted = (numbers: readonly number[]): readonly number[] => numbers.toSorted((a, b) => a - b);

/** The least feerate of what takes outputs of a commitment. */
const leastRate = ({ us: { monitor } }: Scene, vouts: readonly number[]): number =>
  Math.min(
    ...monitor.packages
      .filter(({ outpoints }) => outpoints.some(({ vout }) => vouts.includes(vout)))
      .map(({ feeratePerKw }) => feeratePerKw),
  );

describe.each(CASES)('a peer that replaces what takes HTLCs of ours, block after block, with $name,', (each) => {
  it('by what never confirms, or takes one of them, gets no more than those', async () => {
    const scene = await begin(each);
    const amounts = [50_000n, 51_000n, 52_000n, 53_000n];
    await scene.offer({ outboundSat: amounts });
    const ledger = new Ledger(scene, scene.us);
    const { expiry } = scene;
    const close = await scene.forceClose(scene.us, { thenTheirsAreLost: true });
    await scene.mine(21);
    await scene.wait(expiry - 1 - scene.chain.height);
    await scene.mine(1);
    let theirs = takenByPreimage(scene.them);
    let before = 0;
    for (const confirms of [false, true, false, true, false]) {
      const left = unspentHtlcs(scene, close, amounts);
      expect(sorted(waiting(scene, close).flatMap(({ vouts }) => vouts))).toEqual(left);
      expect(leastRate(scene, left)).toBeGreaterThanOrEqual(before);
      before = leastRate(scene, left);
      for (const raw of theirs) await scene.submit(raw);
      expect(waiting(scene, close)).toEqual([]);
      const kept = confirms ? theirs.slice(0, 1) : [];
      for (const raw of theirs) if (!kept.includes(raw)) await scene.chain.forget(raw);
      await scene.mine(1);
      theirs = theirs.slice(kept.length);
    }
    await scene.mine(26);
    const backSat = worthSat(amounts) - scene.htlcsTakenSat(close);
    expect(scene.outcomesOf(scene.us).toSorted()).toEqual(['failed', 'failed', 'succeeded', 'succeeded']);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + backSat - ledger.feesSat(close));
  });

  it('has HTLCs to us thrown out of the mempool until the last block, and takes none of them back', async () => {
    const scene = await begin(each);
    const amounts = [60_000n, 61_000n];
    await scene.offer({ inboundSat: amounts });
    for (const party of scene.parties) party.mayCloseAtDeadlines = false;
    const ledger = new Ledger(scene, scene.us);
    const { expiry } = scene;
    await scene.disconnect();
    await scene.wait(expiry - 8 - scene.chain.height);
    const close = await scene.forceClose(scene.them);
    let before = 0;
    while (scene.chain.height < expiry - 1) {
      const left = unspentHtlcs(scene, close, amounts);
      const ours = waiting(scene, close).filter(({ vouts }) => vouts.some((vout) => left.includes(vout)));
      expect(sorted(ours.flatMap(({ vouts }) => vouts))).toEqual(left);
      expect(leastRate(scene, left)).toBeGreaterThanOrEqual(before);
      before = leastRate(scene, left);
      for (const { tx } of ours) await scene.chain.forget(encodeTransaction(tx));
      await scene.mine(1);
    }
    await scene.mine(8);
    expect([scene.outcomesOf(scene.them), scene.htlcsTakenSat(close)]).toEqual([['succeeded', 'succeeded'], 0n]);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + worthSat(amounts) - ledger.feesSat(close));
    expect(scene.refused).toEqual([]);
  });
});

describe.each(CASES.filter(({ format }) => format === 'anchors'))('a cheater, with $name,', (each) => {
  it('that takes one HTLC of a penalty with every block loses it, and the rest is taken in the same block', async () => {
    const scene = await begin(each);
    const amounts = [50_000n, 40_000n, 30_000n];
    await scene.offer({ outboundSat: amounts });
    const thief = new Thief(scene.them);
    await scene.reconnect();
    await scene.pay(20_000n);
    const ledger = new Ledger(scene, scene.us);
    await scene.disconnect();
    const revoked = await scene.submit(thief.commitment);
    await scene.mine(1);
    const taken = thief.htlcTransactions(scene.chain.height, 'apart', 12_000);
    let before = 0;
    let lostSat = 0n;
    for (const raw of taken.slice(0, 2)) {
      const left = unspentHtlcs(scene, revoked, amounts);
      const ours = waiting(scene, revoked).flatMap(({ vouts }) => vouts);
      expect(sorted(ours.filter((vout) => left.includes(vout)))).toEqual(left);
      expect(leastRate(scene, left)).toBeGreaterThanOrEqual(before);
      before = leastRate(scene, left);
      await scene.submit(raw);
      await scene.mine(1);
      lostSat += scene.htlcFeeSat(raw);
    }
    await scene.mine(4);
    const inAllSat = worthSat(revoked.outputs.map(({ amountSat }) => (amountSat === 330n ? 0n : amountSat)));
    expect(ledger.gainedSat).toBe(inAllSat - lostSat - ledger.feesSat(revoked));
  });
});
