import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RegtestChain } from '../world/chain.ts';
import { CASES } from './cases.ts';
import { Ledger } from './ledger.ts';
import { Scene } from './scene.ts';

let chain: RegtestChain;
beforeAll(async () => {
  chain = await RegtestChain.start();
});
afterAll(() => chain.stop());

const kindOf = ({ us }: Scene): string => {
  const [entry] = us.node.manager.channels();
  return entry?.state.kind === 'closed' ? entry.state.reason.kind : (entry?.state.kind ?? 'gone');
};

const expiryOf = ({ us }: Scene): number => us.monitor.holderCommitment.spec.htlcs[0]?.cltvExpiry ?? 0;

describe.each(CASES)('a wallet that was put back from a copy, with $name,', ({ format, restarts }) => {
  /** An HTLC of ours is pending in it, which has long failed or arrived in the newest state. */
  async function putBack(): Promise<Scene> {
    const scene = await Scene.begin(chain, format);
    await scene.offer({ outboundSat: [50_000n] });
    const copy = scene.us.disk.durable;
    await scene.reconnect();
    await scene.pay(70_000n);
    expect(scene.us.monitor.holderCommitment.spec.htlcs).toEqual([]);
    await scene.disconnect();
    scene.us.restartFrom(copy, 'copy');
    await scene.settle();
    scene.restarts = restarts;
    return scene;
  }

  it('closes nothing at a deadline, for its commitment is revoked, and hears from its peer that it is old', async () => {
    const scene = await putBack();
    await scene.mine(expiryOf(scene) + 10 - scene.chain.height);
    expect(kindOf(scene)).toBe('open');
    expect([scene.us.monitor.isCopy, scene.us.monitor.closed]).toEqual([true, 'no']);
    const dueSat = scene.balanceSat(scene.them);
    const ledger = new Ledger(scene, scene.them);
    await scene.connect();
    expect(kindOf(scene)).toBe('stale');
    await scene.mine(30);
    // Its peer closes, and takes what is its own; nothing of ours was ever broadcast.
    expect(ledger.gainedSat).toBe(dueSat - ledger.feesSat(scene.closeSeenBy(scene.them)));
    expect(scene.us.monitor.confirmedSpend?.spend.kind).toBe('unknownCommitment');
  });

  it.each([undefined, new Uint8Array(5)])('is one after its updates are lost or torn, too (%s)', async (record) => {
    const scene = await putBack();
    const { disk } = scene.us;
    for (const key of disk.durable.keys()) if (key.includes('/upd/')) disk.apply(new Map([[key, record]]));
    scene.us.restart();
    await scene.mine(expiryOf(scene) + 10 - scene.chain.height);
    expect([kindOf(scene), scene.us.monitor.isCopy, scene.us.monitor.closed]).toEqual(['open', true, 'no']);
  });

  it('broadcasts nothing for what its storage lacks, and waits for its peer', async () => {
    const scene = await putBack();
    const copy = new Map(scene.us.disk.durable);
    for (const key of [...copy.keys()].filter((each) => /^chan\/\d+\/state$/.test(each))) copy.delete(key);
    scene.us.restartFrom(copy);
    await scene.settle();
    await scene.mine(3);
    expect([kindOf(scene), scene.us.monitor.closed]).toEqual(['channelBehind', 'wait']);
    expect(scene.us.monitor.confirmedSpend).toBeUndefined();
    await scene.connect();
    await scene.mine(2);
    expect(scene.us.monitor.confirmedSpend?.spend.kind).toBe('unknownCommitment');
  });

  it('closes at deadlines again once its peer has confirmed that it is the newest', async () => {
    const scene = await Scene.begin(chain, format);
    await scene.offer({ outboundSat: [50_000n] });
    await scene.disconnect();
    scene.us.restartFrom(scene.us.disk.durable, 'copy');
    await scene.settle();
    expect(scene.us.monitor.isCopy).toBe(true);
    await scene.connect();
    expect(scene.us.monitor.isCopy).toBe(false);
    await scene.disconnect();
    scene.restarts = restarts;
    scene.them.mayCloseAtDeadlines = false;
    await scene.mine(expiryOf(scene) + 3 - scene.chain.height);
    expect(kindOf(scene)).toBe('htlcDeadline');
  });

  it('says which commitment it has only after its peer, which could claim the same', async () => {
    const scene = await Scene.begin(chain, format);
    await scene.disconnect();
    scene.us.restartFrom(scene.us.disk.durable, 'copy');
    await scene.settle();
    scene.withholder = scene.them;
    scene.withheld = ['channel_reestablish'];
    await scene.connect();
    expect([scene.said, scene.us.monitor.isCopy]).toEqual([[], true]);
    await scene.reconnect();
    expect([scene.said[0], scene.us.monitor.isCopy]).toEqual(['channel_reestablish', false]);
  });

  it('goes out where its owner insists', async () => {
    const scene = await Scene.begin(chain, format);
    await scene.disconnect();
    scene.us.restartFrom(scene.us.disk.durable, 'copy');
    await scene.settle();
    await scene.forceClose(scene.us);
    expect(scene.us.monitor.confirmedSpend?.spend.kind).toBe('holderCommitment');
  });
});
