import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FeeratePolicy } from '../../worker/client/feerate-policy.ts';
import { FeeEstimator } from '../../worker/edges/chain/fee-estimator.ts';
import { ANCHOR_SAT } from '../../worker/engine/transactions/commitment-fees.ts';
import { RegtestChain } from '../world/chain.ts';
import { CASES, CLOSES } from './cases.ts';
import { Ledger } from './ledger.ts';
import { Scene } from './scene.ts';

let chain: RegtestChain;
beforeAll(async () => {
  chain = await RegtestChain.start();
});
afterEach(() => {
  chain.mempoolMinimum = 0;
});
afterAll(() => chain.stop());

/** What a wallet goes by that no server has told an estimate, in this run or before. */
const { feerates } = new FeeratePolicy(new FeeEstimator());
const GUESS_PER_KW = 2_000;
/** In sat/vB: more than the guess. */
const DEAR = 11;

async function begin({ format, restarts }: (typeof CASES)[number]): Promise<Scene> {
  const scene = await Scene.begin(chain, format, { terms: { feerates } });
  scene.restarts = restarts;
  for (const party of scene.parties) party.mayCloseAtDeadlines = false;
  return scene;
}

const claimRates = ({ us }: Scene): readonly number[] => us.monitor.packages.map(({ feeratePerKw }) => feeratePerKw);

type Each = (typeof CLOSES)[number];

/** The commitment is in the mempool before that asks for more than the guess; what takes its outputs is not. */
async function close(scene: Scene, { format, closer }: Each, minimum: number): Promise<void> {
  await scene.disconnect();
  const { manager } = scene[closer].node;
  scene[closer].node.turn(() => manager.forceCloseChannel(scene.us.channelKey, { unconfirmedState: true }));
  await scene.settle();
  scene.theirsAreLost = true;
  // Without anchors our HTLC transactions pay what was agreed upon, and nothing raises that.
  scene.chain.mempoolMinimum = format === 'static_remotekey' && closer === 'us' ? 0 : minimum;
  await scene.mine(1);
}

/** What comes back with the child of our commitment. */
const anchorSat = ({ format, closer }: Each): bigint => (format === 'anchors' && closer === 'us' ? ANCHOR_SAT : 0n);

describe.each(CLOSES.filter(({ restarts }) => !restarts))(
  'without any estimate, a commitment of $closer, with $name,',
  (each) => {
    it('gives all that is ours, at the feerate that is taken for one', async () => {
      const scene = await begin(each);
      const ledger = new Ledger(scene, scene.us);
      await scene.offer({ outboundSat: [50_000n], inboundSat: [30_000n] });
      await close(scene, each, 0);
      scene.theirsAreLost = false;
      expect(new Set(claimRates(scene))).toEqual(new Set([GUESS_PER_KW]));
      await scene.mine(30);
      const dueSat = scene.balanceSat(scene.us) + 30_000n + anchorSat(each);
      expect(ledger.gainedSat).toBe(dueSat - ledger.feesSat(scene.close));
      expect([scene.outcomesOf(scene.us), scene.outcomesOf(scene.them)]).toEqual([['succeeded'], ['succeeded']]);
      expect(scene.refused).toEqual([]);
    });
  },
);

describe.each(CLOSES)('without any estimate, a commitment of $closer, with $name,', (each) => {
  it('gives an HTLC to us before its deadline, where blocks are dearer than that', async () => {
    const scene = await begin(each);
    const ledger = new Ledger(scene, scene.us);
    await scene.offer({ inboundSat: [200_000n] });
    const { expiry } = scene;
    await scene.disconnect();
    await scene.wait(expiry - 20 - scene.chain.height);
    await close(scene, each, 4 * DEAR);
    await scene.mine(expiry - scene.chain.height);
    expect(scene.outcomesOf(scene.them)).toEqual(['succeeded']);
    scene.chain.mempoolMinimum = 0;
    await scene.mine(25);
    const dueSat = scene.balanceSat(scene.us) + 200_000n + anchorSat(each);
    expect(ledger.gainedSat).toBe(dueSat - ledger.feesSat(scene.close));
  });

  it('gives what has no deadline, where blocks are dearer than that, without waiting for ever', async () => {
    const scene = await begin(each);
    const ledger = new Ledger(scene, scene.us);
    await scene.offer({ outboundSat: [200_000n] });
    const { expiry } = scene;
    await scene.disconnect();
    await scene.wait(expiry - 1 - scene.chain.height);
    await close(scene, each, DEAR);
    await scene.mine(40);
    expect(scene.outcomesOf(scene.us)).toEqual(['failed']);
    scene.chain.mempoolMinimum = 0;
    await scene.mine(25);
    const dueSat = scene.balanceSat(scene.us) + 200_000n + anchorSat(each);
    expect(ledger.gainedSat).toBe(dueSat - ledger.feesSat(scene.close));
  });
});

describe.each(CASES.filter(({ format }) => format === 'anchors'))('without any estimate, with $name,', (each) => {
  it('our commitment gets into dearer blocks by a child that pays more and more', async () => {
    const scene = await begin(each);
    const ledger = new Ledger(scene, scene.us);
    scene.chain.mempoolMinimum = DEAR;
    await scene.disconnect();
    const { manager } = scene.us.node;
    scene.us.node.turn(() => manager.forceCloseChannel(scene.us.channelKey, { unconfirmedState: true }));
    await scene.settle();
    await scene.mine(3);
    expect([scene.us.monitor.anchorChild?.feeratePerKw, scene.us.monitor.confirmedSpend]).toEqual([
      GUESS_PER_KW,
      undefined,
    ]);
    await scene.mine(30);
    expect(scene.us.monitor.confirmedSpend?.spend.kind).toBe('holderCommitment');
    scene.chain.mempoolMinimum = 0;
    await scene.mine(25);
    expect(ledger.gainedSat).toBe(scene.balanceSat(scene.us) + ANCHOR_SAT - ledger.feesSat(scene.close));
  });
});
