import { describe, expect, it } from 'vitest';
import { CASES, scenes } from './cases.ts';
import { Ledger } from './ledger.ts';

const begin = scenes();

describe.each(CASES)('a commitment newer than any that we know, with $name,', (each) => {
  it('gives our balance, and nothing of ours is broadcast', async () => {
    const scene = await begin(each);
    const copy = scene.us.disk.durable;
    await scene.pay(100_000n);
    const dueSat = scene.balanceSat(scene.us);
    const theirs = scene.them;
    await scene.disconnect();
    scene.us.restartFrom(copy);
    const ledger = new Ledger(scene, scene.us);
    const close = await scene.forceClose(theirs);
    expect(scene.us.monitor.confirmedSpend?.spend.kind).toBe('unknownCommitment');
    await scene.mine(3);
    expect(ledger.gainedSat).toBe(dueSat - ledger.feesSat(close));
    expect(scene.refused).toEqual([]);
    expect(scene.us.monitor.closed).toBe('never');
  });
});
