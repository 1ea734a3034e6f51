import { describe, expect, it } from 'vitest';
import { CASES, scenes } from './cases.ts';
import { Ledger } from './ledger.ts';

const begin = scenes();

describe.each(CASES)('their commitment, with $name,', (each) => {
  it('gives our balance at once', async () => {
    const scene = await begin(each);
    const ledger = new Ledger(scene, scene.us);
    const close = await scene.forceClose(scene.them);
    expect(scene.us.monitor.confirmedSpend?.spend.kind).toBe('counterpartyCommitment');
    await scene.mine(2);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) - ledger.feesSat(close));
    expect(scene.refused).toEqual([]);
  });

  it('that is signed and has not revoked the one before gives the same', async () => {
    const scene = await begin(each);
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
    const { expiry } = scene;
    await scene.mine(expiry + 8 - scene.chain.height);
    const balanceSat = scene.balanceSat(scene.us);
    expect(ledger.gainedSat).toBe(balanceSat - 50_000n + 50_000n - ledger.feesSat(close) - scene.htlcCostSat(scene.us));
    expect(scene.outcomesOf(scene.us)).toEqual(['failed']);
  });
});
