import { describe, expect, it } from 'vitest';
import { featuresFromBits } from '../../worker/engine/wire/features.ts';
import type { Message, MessageOf } from '../../worker/engine/wire/message.ts';
import type { Arena } from './arena.ts';
import { arena } from './arena-start.ts';
import { filled, RogueOpener } from './rogue-opener.ts';
import { claimableMsat, expectChannelWorks, expectOthersLive, expectSurvival, verdictOf } from './survival.ts';

type Open = MessageOf<'open_channel'>;
type Accept = MessageOf<'accept_channel'>;

const U64 = 0xffff_ffff_ffff_ffffn;
const OFF_CURVE = Uint8Array.of(3, ...new Uint8Array(32).fill(4));
const typed = (...bits: number[]) => ({ tlvs: { channelType: featuresFromBits(bits) } });

/** What both `open_channel` and `accept_channel` may get wrong. */
const wrongTerms: readonly [string, Partial<Open> & Partial<Accept>][] = [
  ['a dust limit of 0', { dustLimitSatoshis: 0n }],
  ['a dust limit of 353', { dustLimitSatoshis: 353n }],
  ['a dust limit that makes dust of payments', { dustLimitSatoshis: 100_000n }],
  ['a dust limit of 21 million bitcoin and one', { dustLimitSatoshis: 2_100_000_000_000_001n }],
  ['a dust limit of 2^64 - 1', { dustLimitSatoshis: U64 }],
  ['S9: a reserve of 0', { channelReserveSatoshis: 0n }],
  ['a reserve below its own dust limit', { dustLimitSatoshis: 600n, channelReserveSatoshis: 599n }],
  ['a reserve of everything', { channelReserveSatoshis: 500_000n }],
  ['a reserve of 2^64 - 1', { channelReserveSatoshis: U64 }],
  ['a delay of 2^16 - 1', { toSelfDelay: 0xffff }],
  ['no HTLC', { maxAcceptedHtlcs: 0 }],
  ['484 HTLCs', { maxAcceptedHtlcs: 484 }],
  ['2^16 - 1 HTLCs', { maxAcceptedHtlcs: 0xffff }],
  ['an htlc_minimum_msat of 2^64 - 1', { htlcMinimumMsat: U64 }],
  ['nothing in flight', { maxHtlcValueInFlightMsat: 0n }],
  ['a funding_pubkey off the curve', { fundingPubkey: OFF_CURVE }],
  ['a revocation_basepoint off the curve', { revocationBasepoint: OFF_CURVE }],
  ['a payment_basepoint off the curve', { paymentBasepoint: OFF_CURVE }],
  ['a delayed_payment_basepoint off the curve', { delayedPaymentBasepoint: OFF_CURVE }],
  ['an htlc_basepoint off the curve', { htlcBasepoint: OFF_CURVE }],
  ['a first_per_commitment_point off the curve', { firstPerCommitmentPoint: OFF_CURVE }],
  ['no channel_type', { tlvs: {} }],
  ['S7: a channel_type of both anchors', typed(12, 20, 22)],
  ['a channel_type of the old anchors', typed(12, 20)],
  ['a channel_type of nothing', typed()],
  ['a channel_type with an unknown bit', typed(12, 22, 200)],
  ['a channel_type of 65,000 bytes', { tlvs: { channelType: new Uint8Array(60_000).fill(1) } }],
  ['a zero-conf channel_type', typed(12, 22, 50)],
  [
    'an upfront script of no standard',
    { tlvs: { ...typed(12, 22).tlvs, upfrontShutdownScript: new Uint8Array(30).fill(0x51) } },
  ],
  [
    'an upfront script of 10,000 bytes',
    { tlvs: { ...typed(12, 22).tlvs, upfrontShutdownScript: new Uint8Array(10_000) } },
  ],
];

const wrongOpens: readonly [string, Partial<Open>][] = [
  ...wrongTerms,
  ['another chain', { chainHash: new Uint8Array(32) }],
  ['nothing to fund', { fundingSatoshis: 0n, pushMsat: 0n }],
  ['546 satoshi', { fundingSatoshis: 546n, pushMsat: 0n }],
  ['all bitcoin and one', { fundingSatoshis: 2_100_000_000_000_001n }],
  ['2^64 - 1 satoshi', { fundingSatoshis: U64 }],
  ['a push of a millisatoshi too much', { pushMsat: 500_000_001n }],
  ['a push of 2^64 - 1', { pushMsat: U64 }],
  ['a push that leaves nothing for the fee', { pushMsat: 500_000_000n }],
  ['a feerate of 0', { feeratePerKw: 0 }],
  ['a feerate of 252', { feeratePerKw: 252 }],
  ['a feerate of 2^32 - 1', { feeratePerKw: 0xffff_ffff }],
];

describe('open_channel', () => {
  it.each(wrongOpens)('with %s is refused by an error, and nothing is kept', async (_name, change) => {
    const world = await arena('stranger');
    const rogue = new RogueOpener(world, { fundingSat: 500_000n });
    await world.say({ ...rogue.message, ...change });
    expect(verdictOf(world)).toBe('refused');
    const refusal = world.heard.find((message) => message.kind === 'error');
    expect(refusal).toMatchObject({ channelId: rogue.message.temporaryChannelId });
    expect(world.victim.channelsWith(world.attacker)).toHaveLength(0);
    await expectSurvival(world, 0n);
  });

  it('S6: in the same chunk as the connection is answered once', async () => {
    const world = await arena('stranger');
    const rogue = new RogueOpener(world);
    world.disconnect();
    world.connect();
    await world.say(rogue.message, rogue.message);
    expect(world.said.filter((kind) => kind === 'accept_channel')).toHaveLength(1);
    await expectSurvival(world, 0n);
  });

  it('with the temporary id of another peer’s attempt leaves that one alone', async () => {
    const world = await arena('stranger');
    const first = new RogueOpener(world, { name: 'first' });
    const { temporaryChannelId } = first.message;
    world.sayAs(world.honest, first.message);
    await world.pump();
    const before = world.victim.channelsWith(world.honest);
    await world.say(new RogueOpener(world, { temporaryChannelId }).message);
    expect(world.said).not.toContain('accept_channel');
    expect(world.victim.channelsWith(world.honest)).toEqual(before);
    expect(before.at(-1)?.state.kind).toBe('awaitingFundingCreated');
    await expectSurvival(world, 0n);
  });

  it('with the id of a live channel for a temporary one does not touch it', async () => {
    const world = await arena('fundee');
    const dueMsat = claimableMsat(world);
    const before = world.channel;
    await world.say(new RogueOpener(world, { temporaryChannelId: world.channelId }).message);
    world.silenced = false;
    expect(world.victim.node.manager.channels()).toContain(before);
    await expectChannelWorks(world);
    await expectSurvival(world, dueMsat - 20_000n);
  });
});

describe('accept_channel', () => {
  const wrongAccepts: readonly [string, Partial<Accept>][] = [
    ...wrongTerms,
    ['a depth of 2^32 - 1', { minimumDepth: 0xffff_ffff }],
    ['another channel_type', typed(12)],
  ];

  it.each(wrongAccepts)('with %s ends the attempt, and our coins are free', async (_name, change) => {
    const world = await arena('stranger');
    const { spendableSat } = world.victim.node.wallet.balance(0n, 0);
    world.tamper = (message) => (message.kind === 'accept_channel' ? [{ ...message, ...change }] : [message]);
    world.victim.node.open(world.attacker.node, 500_000n);
    await world.pump();
    expect(world.said).toContain('error');
    expect(world.victim.channelsWith(world.attacker)).toHaveLength(0);
    expect(world.victim.node.wallet.balance(0n, 0).spendableSat).toBe(spendableSat);
    expect(lastEvent(world)).toBe('channelOpenFailed');
    await expectSurvival(world, 0n);
  });

  it.each(['accept_channel', 'funding_signed'] as const)(
    'that never comes (%s) can be given up, and frees our coins',
    async (kind) => {
      const world = await arena('stranger');
      const { spendableSat } = world.victim.node.wallet.balance(0n, 0);
      world.tamper = (message) => (message.kind === kind ? [] : [message]);
      world.victim.node.open(world.attacker.node, 500_000n);
      await world.pump();
      const cancelled = world.channel.key;
      world.victim.attempt((node) => node.turn(() => node.manager.closeChannel(cancelled)));
      await world.pump();
      expect(world.victim.channelsWith(world.attacker)).toHaveLength(0);
      expect(world.victim.node.wallet.balance(0n, 0).spendableSat).toBe(spendableSat);
      await expectSurvival(world, 0n);
    },
  );

  it('for an attempt that there is not changes nothing', async () => {
    const world = await arena('stranger');
    let accept: Message | undefined;
    world.tamper = (message) => {
      if (message.kind === 'accept_channel') accept = { ...message, temporaryChannelId: filled('nobody') };
      return accept === undefined ? [message] : [accept];
    };
    world.victim.node.open(world.attacker.node, 500_000n);
    await world.pump();
    expect(accept).toBeDefined();
    expect(world.said).not.toContain('funding_created');
    await expectSurvival(world, 0n);
  });
});

describe('funding_signed', () => {
  it.each<[string, Partial<MessageOf<'funding_signed'>>]>([
    ['with another signature', { signature: new Uint8Array(64).fill(1) }],
    ['with zeros for a signature', { signature: new Uint8Array(64) }],
  ])('%s ends the attempt: our coins stay where they are', async (_name, change) => {
    const world = await arena('stranger');
    const { spendableSat } = world.victim.node.wallet.balance(0n, 0);
    world.tamper = (message) => (message.kind === 'funding_signed' ? [{ ...message, ...change }] : [message]);
    world.victim.node.open(world.attacker.node, 500_000n);
    await world.pump();
    expect(world.said).toContain('error');
    expect(world.victim.broadcasts).toEqual([]);
    expect(world.victim.node.wallet.balance(0n, 0).spendableSat).toBe(spendableSat);
    await expectSurvival(world, 0n);
  });
});

describe('funding_created', () => {
  it.each<[string, Partial<MessageOf<'funding_created'>>]>([
    ['with another signature', { signature: new Uint8Array(64).fill(1) }],
    ['with zeros for a signature', { signature: new Uint8Array(64) }],
    ['for another transaction than was signed', { fundingTxid: filled('other') }],
    ['for another output than was signed', { fundingOutputIndex: 7 }],
  ])('%s ends the attempt', async (_name, change) => {
    const world = await arena('stranger');
    const rogue = new RogueOpener(world);
    await rogue.open();
    await world.say({ ...(rogue.fundingCreated(filled('funding'), 0) as MessageOf<'funding_created'>), ...change });
    expect(world.said).not.toContain('funding_signed');
    expect(world.said).toContain('error');
    expect(world.victim.channelsWith(world.attacker)).toHaveLength(0);
    await expectSurvival(world, 0n);
  });

  it('that comes twice is answered once', async () => {
    const world = await arena('stranger');
    const rogue = new RogueOpener(world);
    await rogue.open();
    const message = rogue.fundingCreated(filled('funding'), 0);
    await world.say(message, message);
    expect(world.said.filter((kind) => kind === 'funding_signed')).toHaveLength(1);
    await expectOthersLive(world);
    expect(world.victim.faults).toEqual([]);
  });
});

const lastEvent = ({ victim }: Arena): string | undefined => victim.node.manager.pendingEvents().at(-1)?.kind;
