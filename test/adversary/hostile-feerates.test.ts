import { describe, expect, it } from 'vitest';
import { FeeratePolicy } from '../../worker/client/feerate-policy.ts';
import { ReplyReader } from '../../worker/edges/chain/esplora-reply.ts';
import { FeeEstimator } from '../../worker/edges/chain/fee-estimator.ts';
import { arena } from './arena-start.ts';
import { claimableMsat, closeAlone } from './survival.ts';
import { openChannelOf } from './forge.ts';
import { shutdown } from './forge-closing.ts';

/** What channels go by after one answer of a server. */
function feeratesAfter(answer: unknown) {
  const fees = new FeeEstimator();
  const policy = new FeeratePolicy(fees);
  fees.update(new ReplyReader('a server').feeEstimates(answer), 0);
  policy.updated(0);
  return policy.feerates;
}

/**
 * eclair (`Commitments.canReceiveFee`, `getCommitmentFeerate`, `anchor-output-max-commit-feerate` 10 sat/vB, `ratio-high` 10)
 * closes by force over an anchor feerate above 100 sat/vB whatever the market; LDK (`validate_update_fee`) closes where the
 * fee above its own maximum estimate counts for more than its dust exposure, 25,000 sat at 10 sat/vB.
 */
const MOST_OF_ECLAIR = 25_000;

describe('one answer of one fee server', () => {
  it.each([
    ['a spike of the real market', { 1: 400, 144: 150, 1008: 60 }],
    ['a lie', { 144: 99_999 }],
    ['only urgent targets', { 1: 99_999 }],
  ])('with %s makes no honest peer close an anchor channel', (_name, answer) => {
    expect(feeratesAfter(answer).commitment.anchors.target).toBeLessThanOrEqual(MOST_OF_ECLAIR);
  });

  it('cannot turn a quarter of a channel into fees', async () => {
    const world = await arena('opener');
    const before = claimableMsat(world);
    const feerates = feeratesAfter({ 144: 99_999 });
    // A peer that takes any feerate, as lnd does up to 500,000 sat.
    for (const camp of [world.attacker, world.victim])
      camp.attempt((node) => node.turn(() => node.manager.updateFeerates(feerates)));
    await world.pump();
    const { feeratePerKw } = openChannelOf(world).commitments.holderCommit.spec;
    closeAlone(world.victim, world.channel.key);
    await world.pump();
    // 1124 weight units of a commitment with two outputs and anchors: all of it goes to miners.
    const lostMsat = BigInt(feeratePerKw) * 1124n;
    expect(lostMsat).toBeLessThan(before / 20n);
  });

  it('makes no close that the peer begins, of which nobody was asked, cost more than a tenth of the balance', async () => {
    const world = await arena('opener');
    const feerates = feeratesAfter({ 12: 99_999 });
    // The fee of the commitment rises on both sides, and only the close is played by hand.
    for (const camp of [world.attacker, world.victim])
      camp.attempt((node) => node.turn(() => node.manager.updateFeerates(feerates)));
    await world.pump();
    world.silenced = true;
    const { upfrontShutdownScript } = openChannelOf(world).params.counterparty;
    await world.say(shutdown(world, upfrontShutdownScript));
    const offered = world.heard.find((message) => message.kind === 'closing_signed');
    if (offered?.kind !== 'closing_signed') throw new Error('nothing was offered');
    // 600,000 sat are ours.
    expect(offered.feeSatoshis).toBeLessThanOrEqual(60_000n);
    expect(offered.tlvs.feeRange?.maxFeeSatoshis).toBeLessThanOrEqual(60_000n);
  });
});
