import { describe, expect, it } from 'vitest';
import { CASES, scenes } from './cases.ts';
import { Ledger } from './ledger.ts';
import type { Scene } from './scene.ts';

const begin = scenes();

const kindOf = ({ us }: Scene): string => {
  const [entry] = us.node.manager.channels();
  return entry?.state.kind === 'closed' ? entry.state.reason.kind : (entry?.state.kind ?? 'gone');
};

describe.each(CASES)('a channel with $name', (each) => {
  it('is closed three blocks after an HTLC of ours has expired, and the HTLC comes back', async () => {
    const scene = await begin(each);
    await scene.offer({ outboundSat: [50_000n] });
    // They know the preimage, and their channel would be closed for it before ours is.
    scene.them.mayCloseAtDeadlines = false;
    scene.theirsAreLost = true;
    const ledger = new Ledger(scene, scene.us);
    await scene.disconnect();
    const { expiry } = scene;
    await scene.wait(expiry + 2 - scene.chain.height);
    expect(kindOf(scene)).toBe('open');
    await scene.mine(1);
    expect(kindOf(scene)).toBe('htlcDeadline');
    await scene.mine(28);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + 50_000n - ledger.feesSat(scene.close));
    expect(scene.outcomesOf(scene.us)).toEqual(['failed']);
  });

  it('is closed 36 blocks before an HTLC expires that we have the preimage for, and takes it', async () => {
    const scene = await begin(each);
    await scene.offer({ inboundSat: [50_000n] });
    const ledger = new Ledger(scene, scene.us);
    await scene.disconnect();
    const { expiry } = scene;
    await scene.wait(expiry - 37 - scene.chain.height);
    expect(kindOf(scene)).toBe('open');
    await scene.mine(1);
    expect(kindOf(scene)).toBe('htlcDeadline');
    await scene.mine(25);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + 50_000n - ledger.feesSat(scene.close));
    expect(scene.outcomesOf(scene.them)).toEqual(['succeeded']);
  });

  it('is closed for no deadline before peers had the chance to come back', async () => {
    const scene = await begin(each);
    await scene.offer({ inboundSat: [50_000n] });
    await scene.disconnect();
    scene.us.mayCloseAtDeadlines = false;
    const { expiry } = scene;
    await scene.wait(expiry - 20 - scene.chain.height);
    expect(kindOf(scene)).toBe('open');
    await scene.reconnect();
    expect([kindOf(scene), scene.outcomesOf(scene.them)]).toEqual(['open', ['succeeded']]);
  });

  it('that nobody looked at for two hundred blocks gives all that is still there', async () => {
    const scene = await begin(each);
    await scene.offer({ outboundSat: [50_000n], inboundSat: [30_000n] });
    const ledger = new Ledger(scene, scene.us);
    await scene.disconnect();
    scene.us.mayCloseAtDeadlines = false;
    const before = scene.us.node.manager.channels()[0]?.state.kind;
    await scene.mineUnseen(200);
    await scene.mine(30);
    expect(before).toBe('open');
    // They closed for the sake of the HTLC that they had the preimage for, and took back what we did not claim in time.
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) - ledger.feesSat(scene.close));
    expect([scene.outcomesOf(scene.us), scene.outcomesOf(scene.them)]).toEqual([['succeeded'], ['failed']]);
  });

  it.each([10, 2_000])(
    'that is closed, and that nobody looked at for %d blocks, gives all that nobody has taken',
    async (blocks) => {
      const scene = await begin(each);
      await scene.offer({ outboundSat: [50_000n], inboundSat: [30_000n] });
      const ledger = new Ledger(scene, scene.us);
      const { expiry } = scene;
      const close = await scene.forceClose(scene.us, { thenTheirsAreLost: true });
      await scene.mineUnseen(blocks);
      await scene.mine(22);
      await scene.wait(Math.max(expiry - scene.chain.height, 1));
      await scene.mine(23);
      expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + 80_000n - ledger.feesSat(close));
      expect([scene.outcomesOf(scene.us), scene.outcomesOf(scene.them)]).toEqual([['failed'], ['succeeded']]);
    },
  );
});
