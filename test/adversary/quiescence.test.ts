import { describe, expect, it } from 'vitest';
import type { Message, MessageOf } from '../../worker/engine/wire/message.ts';
import { outcomeOf, type Arena } from './arena.ts';
import { arena } from './arena-start.ts';
import { addFor, commitmentSigned, openChannelOf, revokeAndAck } from './forge.ts';
import { shutdown } from './forge-closing.ts';
import { claimableMsat, expectChannelWorks, expectSurvival, verdictOf, type Verdict } from './survival.ts';

const AMOUNT_MSAT = 5_000_000n;

const stfu = (world: Arena, initiator = 1): MessageOf<'stfu'> => ({
  kind: 'stfu',
  channelId: world.channelId,
  initiator,
  tlvs: {},
});

/** The attacker speaks for itself. */
async function silenced(): Promise<Arena> {
  const world = await arena('fundee');
  world.silenced = true;
  return world;
}

const quiesce = async (world: Arena): Promise<void> => {
  const { key } = world.channel;
  world.victim.attempt((node) => node.turn(() => void node.manager.quiesce(key)));
  await world.pump();
};

async function pass(world: Arena, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    world.tick(1_000);
    await world.pump();
  }
}

const add = (world: Arena): Message => addFor(world, world.victim.node.invoice(AMOUNT_MSAT));

/** An HTLC for the victim, which claims it as soon as nothing more can take it away. */
async function addAndSign(world: Arena): Promise<void> {
  await world.say(add(world));
  await world.say(commitmentSigned(world));
}

describe('a peer that says stfu and does not mean it', () => {
  const channelId = new Uint8Array(32);
  it.each<[string, (world: Arena) => Message]>([
    ['update_add_htlc', add],
    [
      'update_fail_htlc',
      () => ({ kind: 'update_fail_htlc', channelId, id: 0n, reason: new Uint8Array(292), tlvs: {} }),
    ],
    [
      'update_fulfill_htlc',
      () => ({ kind: 'update_fulfill_htlc', channelId, id: 0n, paymentPreimage: new Uint8Array(32), tlvs: {} }),
    ],
    ['update_fee', () => ({ kind: 'update_fee', channelId, feeratePerKw: 1_500, tlvs: {} })],
    ['shutdown', (world) => shutdown(world, openChannelOf(world).params.counterparty.upfrontShutdownScript)],
    ['commitment_signed', (world) => commitmentSigned(world)],
    ['stfu', (world) => stfu(world)],
  ])('but %s after it is warned', async (kind, message) => {
    const world = await silenced();
    const dueMsat = claimableMsat(world);
    await world.say(stfu(world));
    expect([world.said, openChannelOf(world).quiescence.kind]).toEqual([['stfu'], 'quiescent']);
    await world.say({ ...message(world), channelId: world.channelId } as Message);
    expect([verdictOf(world), world.hungUp]).toEqual([
      'warned',
      [kind === 'stfu' ? 'stfu came again' : `${kind} after stfu`],
    ]);
    await expectChannelWorks(world);
    await expectSurvival(world, dueMsat - 20_000n);
  });

  it.each<[string, (world: Arena) => Promise<unknown>, Verdict]>([
    ['behind an update that is not signed', (world) => world.say(add(world), stfu(world)), 'warned'],
    ['in answer to nothing', (world) => world.say(stfu(world, 0)), 'warned'],
    ['a thousand times', (world) => world.say(...Array.from({ length: 1_000 }, () => stfu(world))), 'warned'],
    ['with a byte for an initiator that is none', (world) => world.say(stfu(world, 255)), 'open'],
  ])('%s', async (_how, attack, verdict) => {
    const world = await silenced();
    const dueMsat = claimableMsat(world);
    await attack(world);
    expect(verdictOf(world)).toBe(verdict);
    await expectChannelWorks(world);
    await expectSurvival(world, dueMsat - 20_000n);
  });

  it('behind an update that is signed', async () => {
    const world = await silenced();
    const dueMsat = claimableMsat(world);
    await addAndSign(world);
    await world.say(stfu(world));
    expect([verdictOf(world), world.hungUp]).toEqual(['warned', ['stfu with updates pending']]);
    await expectSurvival(world, dueMsat);
  });

  it('while the channel is closed gets no answer, and the close goes on', async () => {
    const world = await silenced();
    const { key } = world.channel;
    world.victim.attempt((node) => node.turn(() => node.manager.closeChannel(key)));
    await world.pump();
    await world.say(stfu(world));
    expect([world.said, verdictOf(world)]).toEqual([['shutdown'], 'open']);
    await world.say(shutdown(world, openChannelOf(world).params.counterparty.upfrontShutdownScript), stfu(world));
    expect([world.hungUp, verdictOf(world)]).toEqual([['stfu after shutdown'], 'warned']);
    world.silenced = false;
    await world.reconnect();
    expect(verdictOf(world)).toBe('closed');
    await expectSurvival(world, 400_000_000n);
  });
});

describe('a peer that answers quiescence with nothing', () => {
  it.each<[string, (world: Arena) => Promise<void>, string]>([
    ['never says stfu', quiesce, 'no stfu within 60 seconds'],
    ['stays quiescent for ever', async (world) => world.say(stfu(world)), 'no end of quiescence within 60 seconds'],
    [
      'keeps its revocation to itself',
      async (world) => {
        world.victim.node.pay(world.attacker.node.invoice(AMOUNT_MSAT));
        await world.pump();
        await world.say(stfu(world));
      },
      'no revoke_and_ack within 60 seconds',
    ],
  ])('and %s is met anew after a minute', async (_how, begin, reason) => {
    const world = await silenced();
    const dueMsat = claimableMsat(world);
    await begin(world);
    await pass(world, 59);
    expect(world.hungUp).toEqual([]);
    await pass(world, 3);
    expect(world.hungUp).toEqual([reason]);
    await expectChannelWorks(world);
    await expectSurvival(world, dueMsat - AMOUNT_MSAT - 20_000n);
  });

  it('keeps no payment: it goes out on the next connection', async () => {
    const world = await silenced();
    await world.say(stfu(world));
    const hash = world.victim.node.pay(world.attacker.node.invoice(AMOUNT_MSAT));
    await world.pump();
    expect(world.said).toEqual(['stfu']);
    await pass(world, 61);
    await expectChannelWorks(world);
    expect(outcomeOf(world.victim, hash)).toBe('succeeded');
  });

  it('keeps no HTLC whose preimage the victim holds back: what can be claimed in the chain has it', async () => {
    const world = await silenced();
    const before = claimableMsat(world);
    await addAndSign(world);
    await quiesce(world);
    await world.say(revokeAndAck(world));
    expect(world.said).not.toContain('update_fulfill_htlc');
    expect(openChannelOf(world).commitments.holderChanges.held).toMatchObject([{ kind: 'fulfill' }]);
    expect(claimableMsat(world)).toBe(before + AMOUNT_MSAT);
    await expectSurvival(world, before + AMOUNT_MSAT);
  });
});
