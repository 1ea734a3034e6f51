import { describe, expect, it } from 'vitest';
import { CASES, scenes } from './cases.ts';
import { Ledger } from './ledger.ts';
import { takenByPreimage, Thief } from './thief.ts';

const begin = scenes();

describe.each(CASES)('a reorganisation, with $name,', (each) => {
  it.each([2, 8])(
    'of %d blocks that takes our close, and what claims it, changes nothing in the end',
    async (depth) => {
      const scene = await begin(each);
      await scene.offer({ inboundSat: [30_000n] });
      const ledger = new Ledger(scene, scene.us);
      await scene.forceClose(scene.us);
      await scene.mine(depth - 1);
      await scene.reorg(depth, true);
      expect(scene.us.monitor.confirmedSpend).toBeUndefined();
      await scene.mine(40);
      expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + 30_000n - ledger.feesSat(scene.close));
    },
  );

  it('that puts their commitment in the place of ours gives the same', async () => {
    const scene = await begin(each);
    await scene.offer({ outboundSat: [50_000n], inboundSat: [30_000n] });
    const theirs = new Thief(scene.them);
    const ledger = new Ledger(scene, scene.us);
    await scene.forceClose(scene.us);
    await scene.mine(2);
    scene.oursAreLost = true;
    await scene.reorg(3, true);
    await scene.submit(theirs.commitment);
    scene.oursAreLost = false;
    await scene.mine(1);
    expect(scene.us.monitor.confirmedSpend?.spend.kind).toBe('counterpartyCommitment');
    await scene.mine(30);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + 30_000n - ledger.feesSat(scene.close));
    expect([scene.outcomesOf(scene.us), scene.outcomesOf(scene.them)]).toEqual([['succeeded'], ['succeeded']]);
  });

  it('that takes a penalty out has it made again', async () => {
    const scene = await begin(each);
    await scene.offer({ outboundSat: [50_000n] });
    const thief = new Thief(scene.them);
    await scene.reconnect();
    await scene.pay(20_000n);
    const ledger = new Ledger(scene, scene.us);
    await scene.disconnect();
    const revoked = await scene.submit(thief.commitment);
    await scene.mine(3);
    const gained = ledger.gainedSat;
    await scene.reorg(2, true);
    await scene.mine(4);
    expect(ledger.gainedSat).toBe(gained);
    expect(scene.spendsOf(revoked).filter((spend) => spend !== undefined)).toHaveLength(3);
  });

  it('deeper than six blocks that puts their claim in the place of ours tells that the payment was made', async () => {
    const scene = await begin(each);
    await scene.offer({ outboundSat: [50_000n] });
    for (const party of scene.parties) party.mayCloseAtDeadlines = false;
    await scene.forceClose(scene.us, { thenTheirsAreLost: true });
    await scene.mine(22);
    await scene.wait(scene.expiry - 1 - scene.chain.height);
    const [theirs] = takenByPreimage(scene.them);
    await scene.mine(8);
    expect(scene.outcomesOf(scene.us)).toEqual(['failed']);
    scene.oursAreLost = true;
    scene.book = undefined;
    await scene.reorg(8, true);
    await scene.submit(theirs ?? new Uint8Array(0));
    await scene.mine(1);
    expect(scene.outcomesOf(scene.us)).toEqual(['succeeded']);
    expect(scene.us.monitor.events.map(({ resolution }) => resolution.kind)).toEqual(['timedOut', 'fulfilled']);
  });
});
