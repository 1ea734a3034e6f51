import { describe, expect, it } from 'vitest';
import { FeeratePolicy } from '../../worker/client/feerate-policy.ts';
import { FeeEstimator } from '../../worker/edges/chain/fee-estimator.ts';
import { fromUtf8 } from '../../worker/engine/primitives/bytes.ts';
import { arena } from './arena-start.ts';
import { dance, openChannelOf, reestablish, revokeAndAck } from './forge.ts';
import { expectOthersLive, expectSurvival } from './survival.ts';

/** What honest nodes close over: LDK refuses anchor channels below this, and closes those that stay there. */
const LEAST_OF_HONEST_PEERS = 750;

describe('our feerates', () => {
  it.each([1, 0.5, 3])('for anchor channels stay above what honest peers refuse, at %d sat/vB', (satPerVByte) => {
    const fees = new FeeEstimator();
    fees.update(
      new Map([
        [144, satPerVByte],
        [1008, satPerVByte],
      ]),
      0,
    );
    expect(fees.feerate('anchorChannelFee')).toBeGreaterThanOrEqual(LEAST_OF_HONEST_PEERS);
  });

  it('for anchor channels do not follow a lower estimate at once: peers remember the higher one', () => {
    const fees = new FeeEstimator();
    const policy = new FeeratePolicy(fees);
    const at = (hours: number, satPerVByte: number): number | undefined => {
      fees.update(new Map([[144, satPerVByte]]), hours * 3_600_000);
      policy.updated(hours * 3_600_000);
      return policy.feerates.commitment.anchors.settled;
    };
    expect([at(0, 30), at(6, 30), at(6.1, 3), at(11, 3)]).toEqual([undefined, 7_500, 7_500, 7_500]);
  });

  it('for two blocks are not those for a day, where nothing else is known', () => {
    const fees = new FeeEstimator();
    fees.update(
      new Map([
        [144, 2],
        [1008, 1],
      ]),
      0,
    );
    expect(fees.feerate('urgentOnChainSweep')).toBeGreaterThan(500);
  });

  it('that rose while the peer was away are proposed when it is back', async () => {
    const world = await arena('opener');
    world.disconnect();
    world.setFeerate(6_000, 1_000);
    world.forget();
    await world.reconnect();
    expect(world.said).toContain('update_fee');
    expect(openChannelOf(world).commitments.holderCommit.spec.feeratePerKw).toBe(6_000);
    await expectSurvival(world, 590_000_000n);
  });

  it('that the peer refuses are not proposed again and again', async () => {
    const world = await arena('opener');
    world.setFeerate(6_000, 1_000);
    await world.pump();
    world.silenced = true;
    world.victim.node.pay(world.attacker.node.invoice(1_000_000n));
    await world.pump();
    world.forget();
    // Not signed: the peer has not yet revoked what the payment was signed into.
    world.setFeerate(1_000, 1_000);
    await world.pump();
    expect(world.said).toEqual(['update_fee']);
    let repeated = 0;
    for (let round = 0; round < 6 && world.said.includes('update_fee'); round++) {
      await world.say({ kind: 'warning', channelId: world.channelId, data: fromUtf8('feerate too low'), tlvs: {} });
      world.disconnect();
      world.forget();
      await world.say(reestablish(world));
      await world.say(revokeAndAck(world));
      if (world.said.includes('update_fee')) repeated++;
    }
    expect(repeated).toBeLessThanOrEqual(1);
    await dance(world);
    expect(world.channel.state.kind).toBe('open');
    await expectSurvival(world, 590_000_000n);
  });

  it('of an opening that is refused as too low are raised once', async () => {
    const world = await arena('stranger');
    world.setFeerate(253);
    const opens: number[] = [];
    world.silenced = true;
    world.victim.node.open(world.attacker.node, 500_000n);
    await world.pump();
    for (let round = 0; round < 4; round++) {
      const open = world.heard.findLast((message) => message.kind === 'open_channel');
      if (
        open?.kind !== 'open_channel' ||
        world.heard.filter(({ kind }) => kind === 'open_channel').length <= opens.length
      )
        break;
      opens.push(open.feeratePerKw);
      await world.say({
        kind: 'error',
        channelId: open.temporaryChannelId,
        data: fromUtf8('feerate_per_kw 253 below minimum 500'),
        tlvs: {},
      });
    }
    expect(opens).toHaveLength(2);
    expect(opens[1]).toBeGreaterThanOrEqual(500);
    await expectOthersLive(world);
  });
});
