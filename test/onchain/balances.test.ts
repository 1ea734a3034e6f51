import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ourBalance, type ClosingReport } from '../../worker/engine/manager/closing-report.ts';
import type { Balance } from '../../worker/engine/monitor/balances.ts';
import { RegtestChain } from '../world/chain.ts';
import type { Party } from './party.ts';
import { Scene, type Format } from './scene.ts';
import { Thief } from './thief.ts';

let chain: RegtestChain;
beforeAll(async () => {
  chain = await RegtestChain.start();
});
afterAll(() => chain.stop());

const FORMATS: readonly Format[] = ['anchors', 'static_remotekey'];

function reportOf({ node: { manager } }: Party): ClosingReport {
  const [report] = manager.channels().flatMap((entry) => manager.closing(entry) ?? []);
  if (report === undefined) throw new Error('the channel is not closed');
  return report;
}

const amountsOf = (party: Party, kind: Balance['kind']): readonly bigint[] =>
  reportOf(party).balances.flatMap((balance) => (balance.kind === kind ? [balance.amountSat] : []));

const kindsOf = (party: Party): readonly string[] =>
  reportOf(party)
    .balances.map(({ kind }) => kind)
    .toSorted();

describe.each(FORMATS)('the balances of a close, with %s,', (format) => {
  it('are there from the decision on, and until each is a coin', async () => {
    const scene = await Scene.begin(chain, format);
    const { us } = scene;
    scene.oursAreLost = true;
    await scene.disconnect();
    us.node.turn(() => us.node.manager.forceCloseChannel(us.channelKey, { unconfirmedState: true }));
    await scene.settle();
    expect(amountsOf(us, 'claimableOnChannelClose')).toEqual([scene.balanceSat(us)]);
    await scene.mine(3);
    expect(kindsOf(us)).toEqual(['claimableOnChannelClose']);
    scene.oursAreLost = false;
    await scene.mine(2);
    const { height, balances } = reportOf(us);
    expect(balances).toMatchObject([
      { kind: 'claimableAwaitingConfirmations', confirmationHeight: (height ?? 0) + 20 },
    ]);
    await scene.mine(20);
    const { balances: left, steps, gainMsat, worthMsat, feeMsat } = reportOf(us);
    expect(left).toEqual([]);
    expect(gainMsat).toBe(0n);
    const costSat = steps.reduce((sum, step) => sum + step.costSat, 0n);
    const broughtSat = steps.reduce((sum, step) => sum + step.broughtSat, 0n);
    expect(worthMsat - feeMsat).toBe((costSat + broughtSat) * 1000n);
  });

  it('tell what an HTLC of either side may become, and what it has become', async () => {
    const scene = await Scene.begin(chain, format);
    const { us, them } = scene;
    await scene.offer({ outboundSat: [50_000n], inboundSat: [30_000n] });
    await scene.forceClose(us, { thenTheirsAreLost: true });
    const { cltvExpiry = 0 } =
      us.monitor.holderCommitment.spec.htlcs.find(({ direction }) => direction === 'outbound') ?? {};
    expect(amountsOf(us, 'maybeTimeoutClaimableHtlc')).toEqual([50_000n]);
    expect(reportOf(us).balances).toContainEqual(
      expect.objectContaining({ kind: 'maybeTimeoutClaimableHtlc', claimableHeight: cltvExpiry + 1 }),
    );
    expect(amountsOf(us, 'contentiousClaimable')).toEqual([30_000n]);
    expect(amountsOf(them, 'contentiousClaimable')).toEqual([50_000n]);
    // Theirs, which we have the preimage of: they do not know that yet.
    expect(amountsOf(them, 'maybeTimeoutClaimableHtlc')).toEqual([30_000n]);
    scene.theirsAreLost = false;
    await scene.mine(3);
    expect(amountsOf(us, 'maybeTimeoutClaimableHtlc')).toEqual([]);
    expect(amountsOf(them, 'maybeTimeoutClaimableHtlc')).toEqual([]);
    expect(kindsOf(us)).toEqual(['claimableAwaitingConfirmations', 'claimableAwaitingConfirmations']);
    await scene.mine(30);
    for (const party of scene.parties) expect(reportOf(party)).toMatchObject({ balances: [], gainMsat: 0n });
  });

  it('leave out what was paid, though no commitment says so', async () => {
    const scene = await Scene.begin(chain, format);
    const { us } = scene;
    await scene.offer({ outboundSat: [50_000n] });
    scene.withheld = ['commitment_signed'];
    await scene.disconnect();
    await scene.connect();
    expect(scene.outcomesOf(us)).toEqual(['succeeded']);
    expect(us.monitor.preimages.size).toBe(1);
    await scene.forceClose(us, { thenTheirsAreLost: true });
    expect(amountsOf(us, 'maybeTimeoutClaimableHtlc')).toEqual([]);
    await scene.mine(3);
  });

  it('show an HTLC to us whose preimage is missing, and count it for nobody', async () => {
    const scene = await Scene.begin(chain, format);
    const { us, them } = scene;
    // The payer never revokes what was before: to take the payment would be too early.
    scene.withheld = ['revoke_and_ack'];
    them.node.pay(us.node.invoice(30_000_000n));
    await scene.settle();
    await scene.forceClose(us);
    const { balances } = reportOf(us);
    expect(amountsOf(us, 'maybePreimageClaimableHtlc')).toEqual([30_000n]);
    expect(ourBalance(balances)).toBe(scene.balanceSat(us));
    expect(amountsOf(them, 'maybeTimeoutClaimableHtlc')).toEqual([30_000n]);
    await scene.mine(170);
    expect([reportOf(us).balances, reportOf(them).balances]).toEqual([[], []]);
  });

  it('are all of a commitment that its owner had revoked', async () => {
    const scene = await Scene.begin(chain, format);
    const { us, them } = scene;
    await scene.offer({ outboundSat: [50_000n], inboundSat: [30_000n] });
    const thief = new Thief(them);
    await scene.reconnect();
    await scene.pay(20_000n);
    await scene.disconnect();
    const revoked = await scene.submit(thief.commitment);
    await scene.mine(1);
    const inAllSat = revoked.outputs.reduce((sum, { amountSat }) => (amountSat === 330n ? sum : sum + amountSat), 0n);
    const { closedBy, balances, worthMsat, gainMsat } = reportOf(us);
    expect([closedBy, ourBalance(balances)]).toEqual(['counterparty', inAllSat]);
    expect(gainMsat).toBe(inAllSat * 1000n - worthMsat);
    expect(kindsOf(us).filter((kind) => kind === 'counterpartyRevokedOutputClaimable')).toHaveLength(3);
    await scene.mine(3);
    expect(reportOf(us).balances).toEqual([]);
  });

  it('of a close by agreement are there until the wallet knows of its coin', async () => {
    const scene = await Scene.begin(chain, format);
    const { us } = scene;
    scene.oursAreLost = true;
    scene.theirsAreLost = true;
    us.node.turn(() => us.node.manager.closeChannel(us.channelKey));
    await scene.settle();
    const { closedBy, balances, feeMsat, worthMsat, height } = reportOf(us);
    expect([closedBy, height]).toEqual(['both', undefined]);
    expect(feeMsat).toBeGreaterThan(0n);
    expect(ourBalance(balances) * 1000n + feeMsat).toBe(worthMsat);
    await scene.mine(1);
    expect(ourBalance(reportOf(us).balances)).toBe(ourBalance(balances));
    scene.oursAreLost = false;
    await scene.mine(2);
    expect(reportOf(us)).toMatchObject({ balances: [], feeMsat, worthMsat, gainMsat: 0n });
  });
});
