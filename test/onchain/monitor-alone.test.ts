import { describe, expect, it } from 'vitest';
import { scenes } from './cases.ts';
import { Ledger } from './ledger.ts';
import type { Format } from './scene.ts';
import { Thief } from './thief.ts';
import { Watchtower } from './watchtower.ts';

const begin = scenes();

const FORMATS: readonly Format[] = ['anchors', 'static_remotekey'];

describe.each(FORMATS)('the records of a monitor, the seed and a wallet, with %s,', (format) => {
  it('get out of our commitment what the whole engine gets', async () => {
    const scene = await begin({ format });
    await scene.offer({ outboundSat: [50_000n], inboundSat: [30_000n] });
    const ledger = new Ledger(scene, scene.us);
    const close = await scene.forceClose(scene.us);
    scene.tower = new Watchtower(scene.us);
    await scene.mine(30);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + 30_000n - ledger.feesSat(close));
  });

  it('get out of their commitment what the whole engine gets', async () => {
    const scene = await begin({ format });
    await scene.offer({ outboundSat: [50_000n], inboundSat: [30_000n] });
    scene.tower = new Watchtower(scene.us);
    const ledger = new Ledger(scene, scene.us);
    const close = await scene.forceClose(scene.them);
    await scene.mine(30);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + 30_000n - ledger.feesSat(close));
  });

  it('punish a revoked commitment as the whole engine does', async () => {
    const scene = await begin({ format });
    await scene.offer({ outboundSat: [50_000n], inboundSat: [30_000n] });
    const thief = new Thief(scene.them);
    await scene.reconnect();
    await scene.pay(20_000n);
    await scene.disconnect();
    scene.tower = new Watchtower(scene.us);
    const ledger = new Ledger(scene, scene.us);
    const revoked = await scene.submit(thief.commitment);
    await scene.mine(3);
    const worthSat = revoked.outputs.reduce((sum, { amountSat }) => (amountSat === 330n ? sum : sum + amountSat), 0n);
    expect(ledger.gainedSat).toBe(worthSat - ledger.feesSat(revoked));
  });
});
