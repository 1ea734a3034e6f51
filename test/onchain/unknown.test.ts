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

  it('keeps ours from going out again where a reorganisation takes it out', async () => {
    const scene = await begin(each);
    const copy = scene.us.disk.durable;
    await scene.pay(20_000n);
    const newest = scene.commitmentOf(scene.them, scene.them.monitor);
    await scene.disconnect();
    scene.us.restartFrom(copy);
    await scene.settle();
    scene.us.keepsBooks = false;
    [scene.oursAreLost, scene.theirsAreLost] = [true, true];
    const { manager } = scene.us.node;
    scene.us.node.turn(() => manager.forceCloseChannel(scene.us.channelKey, { unconfirmedState: true }));
    await scene.settle();
    await scene.submit(newest);
    await scene.mine(1);
    expect(scene.us.monitor.confirmedSpend?.spend.kind).toBe('unknownCommitment');
    await scene.reorg(1, true);
    scene.oursAreLost = false;
    await scene.mine(2);
    expect(scene.us.monitor.confirmedSpend).toBeUndefined();
    expect(scene.us.monitor.closed).toBe('never');
  });
});
