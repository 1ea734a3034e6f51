import { describe, expect, it } from 'vitest';
import { scenes } from './cases.ts';
import { Delivery, STYLES } from './delivery.ts';
import { Ledger } from './ledger.ts';
import { Thief } from './thief.ts';

const begin = scenes();

describe.each(STYLES)('blocks that come by $name', (style) => {
  const options = (): { deliveries: { us: Delivery; them: Delivery } } => ({
    deliveries: { us: new Delivery(style), them: new Delivery(style) },
  });

  it.each([{ restarts: false }, { restarts: true }])('give all of a close that is reorganised, %o', async (each) => {
    const scene = await begin({ format: 'anchors', ...each }, options());
    await scene.offer({ outboundSat: [50_000n], inboundSat: [30_000n] });
    const ledger = new Ledger(scene, scene.us);
    await scene.forceClose(scene.us);
    await scene.mine(3);
    await scene.reorg(4, true);
    expect(scene.us.monitor.confirmedSpend).toBeUndefined();
    await scene.mine(5);
    await scene.reorg(2);
    await scene.mine(1);
    await scene.wait(15);
    await scene.mine(8);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + 30_000n - ledger.feesSat(scene.close));
    expect([scene.outcomesOf(scene.us), scene.outcomesOf(scene.them)]).toEqual([['succeeded'], ['succeeded']]);
  });

  it.each([{ restarts: false }, { restarts: true }])('have a cheater punished in the next block, %o', async (each) => {
    const scene = await begin({ format: 'anchors', ...each }, options());
    await scene.offer({ outboundSat: [50_000n] });
    const thief = new Thief(scene.them);
    await scene.reconnect();
    await scene.pay(20_000n);
    const ledger = new Ledger(scene, scene.us);
    await scene.disconnect();
    const revoked = await scene.submit(thief.commitment);
    await scene.mineAlone(1);
    for (const raw of thief.htlcTransactions(scene.chain.height, 'together')) await scene.submit(raw);
    await scene.mine(2);
    await scene.mine(1);
    const left = scene
      .spendsOf(revoked)
      .filter((spend, vout) => spend === undefined && revoked.outputs[vout]?.amountSat !== 330n);
    expect(left).toEqual([]);
    expect(ledger.gainedSat).toBeGreaterThan(900_000n);
  });
});
