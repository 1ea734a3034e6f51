import { describe, expect, it } from 'vitest';
import { compareBytes, toHex } from '../../worker/engine/primitives/bytes.ts';
import { sha256d } from '../../worker/engine/primitives/hash.ts';
import { scidsOf } from '../../worker/engine/channel/channel-scids.ts';
import { encodeMessage, type Message, type MessageOf } from '../../worker/engine/wire/message.ts';
import { fakeSecp256k1 } from '../simulation/fake-secp256k1.ts';
import { CHAIN_HASH, FEATURES } from '../simulation/node.ts';
import type { Arena } from './arena.ts';
import { arena } from './arena-start.ts';
import { addFor, commitmentSigned, dance, openChannelOf } from './forge.ts';
import { filled, RogueOpener } from './rogue-opener.ts';
import { claimableMsat, expectChannelWorks, expectOthersLive, expectSurvival, verdictOf } from './survival.ts';

/** What one peer may have under way, and all of them: each costs keys, memory and requests with every block. */
const MOST_UNFUNDED_OF_A_PEER = 10;
const MOST_UNFUNDED = 64;

describe('a flood of openings', () => {
  /** Names fundings that are never broadcast. */
  async function flood(world: Arena, count: number, name = 'rogue'): Promise<void> {
    for (let n = 0; n < count; n++) {
      const rogue = new RogueOpener(world, { name: `${name} ${n}` });
      const before = world.said.length;
      await world.say(rogue.message);
      if (!world.said.slice(before).includes('accept_channel')) continue;
      rogue.accepted();
      await world.say(rogue.fundingCreated(filled(`funding of ${name} ${n}`), 0));
    }
  }

  it('S5: of one peer, never funded, is bounded', async () => {
    const world = await arena('stranger');
    await flood(world, 40);
    expect(world.victim.channelsWith(world.attacker).length).toBeLessThanOrEqual(MOST_UNFUNDED_OF_A_PEER);
    expect(world.said).toContain('error');
    await expectOthersLive(world);
  });

  it('S5: of one peer that ends each by an error is bounded: what is closed is watched on', async () => {
    const world = await arena('stranger');
    for (let n = 0; n < 12; n++) {
      world.tick(60_000);
      await flood(world, 1, `ended ${n}`);
      const channelId = world.channelId;
      await world.say({ kind: 'error', channelId, data: new Uint8Array(0), tlvs: {} });
    }
    expect(world.victim.channelsWith(world.attacker).length).toBeLessThanOrEqual(MOST_UNFUNDED_OF_A_PEER);
    await expectOthersLive(world);
  });

  it('S5: is bounded across restarts', async () => {
    const world = await arena('stranger');
    for (let start = 0; start < 4; start++) {
      await flood(world, 10, `start ${start}`);
      world.restartVictim();
      await world.pump();
    }
    expect(world.victim.channelsWith(world.attacker).length).toBeLessThanOrEqual(MOST_UNFUNDED_OF_A_PEER);
    await expectOthersLive(world);
  });

  it('S5: of many peers is bounded over all of them', async () => {
    const world = await arena('stranger');
    for (let peer = 1; peer <= 40; peer++) {
      const nodeId = toHex(fakeSecp256k1.publicKey(new Uint8Array(32).fill(peer)));
      world.victim.attempt((node) => node.turn(() => node.manager.peerConnected(nodeId, 1_000 + peer, FEATURES)));
      for (let n = 0; n < 4; n++) {
        const { message } = new RogueOpener(world, { name: `${peer}/${n}` });
        world.victim.attempt((node) => node.turn(() => node.manager.receive(nodeId, 1_000 + peer, message)));
      }
    }
    await world.pump();
    const pending = world.victim.node.manager.channels().filter(({ state }) => state.kind === 'awaitingFundingCreated');
    expect(pending.length).toBeLessThanOrEqual(MOST_UNFUNDED);
    await expectOthersLive(world);
    expect(world.victim.faults).toEqual([]);
  });

  it('S5: is forgotten after 2,016 blocks, whatever restarts come between', async () => {
    const world = await arena('stranger');
    await flood(world, 1);
    world.skip(1_010);
    world.restartVictim();
    world.skip(1_010);
    await world.pump();
    expect(world.victim.channelsWith(world.attacker).filter(({ state }) => state.kind === 'open')).toHaveLength(0);
    world.restartVictim();
    await world.pump();
    expect(world.victim.channelsWith(world.attacker).filter(({ state }) => state.kind === 'open')).toHaveLength(0);
    await expectOthersLive(world);
  });

  it('with one temporary id is one attempt', async () => {
    const world = await arena('stranger');
    const { message } = new RogueOpener(world);
    await world.say(...Array.from({ length: 100 }, () => message));
    expect(world.victim.channelsWith(world.attacker)).toHaveLength(1);
    expect(world.said.filter((kind) => kind === 'accept_channel')).toHaveLength(1);
    await expectOthersLive(world);
  });
});

describe('a flood of updates', () => {
  it('of update_fee that are never signed keeps no more than the last', async () => {
    const world = await arena('fundee');
    world.silenced = true;
    const { channelId } = openChannelOf(world).params;
    const fee = (feeratePerKw: number): Message => ({ kind: 'update_fee', channelId, feeratePerKw, tlvs: {} });
    await world.say(...Array.from({ length: 3_000 }, (_, n) => fee(1_000 + (n % 100))));
    expect(openChannelOf(world).commitments.counterpartyChanges.proposed).toHaveLength(1);
    expect(verdictOf(world)).toBe('open');
    await world.reconnect();
    await expectChannelWorks(world);
    await expectSurvival(world, 400_000_000n - 20_000n);
  });

  it('of parts that are never completed is failed after a minute', async () => {
    const world = await arena('fundee');
    world.silenced = true;
    const dueMsat = claimableMsat(world);
    const text = world.victim.node.invoice(50_000_000n);
    for (let part = 0; part < 30; part++) await world.say(addFor(world, text, { amountMsat: 1_000_000n }));
    await dance(world);
    expect(world.said).not.toContain('update_fulfill_htlc');
    world.tick(61_000);
    await world.pump();
    await dance(world);
    expect(world.said.filter((kind) => kind === 'update_fail_htlc')).toHaveLength(30);
    await expectSurvival(world, dueMsat);
  });

  it('of empty commitments does not let anything grow', async () => {
    const world = await arena('fundee');
    world.silenced = true;
    for (let round = 0; round < 100 && world.isConnected; round++) await world.say(commitmentSigned(world));
    expect(recordCount(world)).toBeLessThan(120);
    await expectSurvival(world, 400_000_000n);
  });

  it.each<[string, (world: Arena) => Message]>([
    [
      'channel_ready',
      (world) => ({
        kind: 'channel_ready',
        channelId: world.channelId,
        secondPerCommitmentPoint: Uint8Array.of(2, ...new Uint8Array(32).fill(3)),
        tlvs: { shortChannelId: 7n },
      }),
    ],
    [
      'accept_channel',
      (world) => ({ ...new RogueOpener(world).message, kind: 'accept_channel', minimumDepth: 1, tlvs: {} }) as Message,
    ],
    [
      'funding_signed',
      (world) => ({ kind: 'funding_signed', channelId: world.channelId, signature: new Uint8Array(64), tlvs: {} }),
    ],
    [
      'funding_created',
      (world) => ({
        kind: 'funding_created',
        temporaryChannelId: world.channelId,
        fundingTxid: filled('a'),
        fundingOutputIndex: 0,
        signature: new Uint8Array(64),
        tlvs: {},
      }),
    ],
  ])('of %s for a channel that is ready changes nothing', async (_name, message) => {
    const world = await arena('fundee');
    const dueMsat = claimableMsat(world);
    const flood = message(world);
    await world.say(...Array.from({ length: 300 }, () => flood));
    world.silenced = false;
    expect(verdictOf(world)).toBe('open');
    await expectChannelWorks(world);
    await expectSurvival(world, dueMsat - 20_000n);
  });
});

/** A `channel_update` of the attacker's for its channel with the victim. */
function channelUpdate(world: Arena, change: Partial<MessageOf<'channel_update'>> = {}): MessageOf<'channel_update'> {
  const [shortChannelId = 0n] = scidsOf(openChannelOf(world)).filter((scid) => scid !== 0n);
  const unsigned: MessageOf<'channel_update'> = {
    kind: 'channel_update',
    signature: new Uint8Array(64),
    chainHash: CHAIN_HASH,
    shortChannelId,
    // After what the honest node in it has told of itself.
    timestamp: 1_700_001_000,
    messageFlags: 1,
    channelFlags: compareBytes(world.attacker.node.keys.nodeId, world.victim.node.keys.nodeId) < 0 ? 0 : 1,
    cltvExpiryDelta: 40,
    htlcMinimumMsat: 1n,
    feeBaseMsat: 1_000,
    feeProportionalMillionths: 10,
    htlcMaximumMsat: 990_000_000n,
    tlvs: {},
    ...change,
  };
  return { ...unsigned, signature: world.attacker.node.keys.signGossip(sha256d(encodeMessage(unsigned).slice(66))) };
}

describe('channel_update', () => {
  it.each<[string, (world: Arena) => Message]>([
    ['without a signature', (world) => ({ ...channelUpdate(world), signature: new Uint8Array(64) })],
    ['changed after it was signed', (world) => ({ ...channelUpdate(world), feeBaseMsat: 5 })],
    ['of another chain', (world) => channelUpdate(world, { chainHash: new Uint8Array(32) })],
    ['for a base fee of 2^32 - 1', (world) => channelUpdate(world, { feeBaseMsat: 0xffff_ffff })],
    ['for a proportional fee of 2^32 - 1', (world) => channelUpdate(world, { feeProportionalMillionths: 0xffff_ffff })],
    ['for a delta of 65,535', (world) => channelUpdate(world, { cltvExpiryDelta: 0xffff })],
  ])('%s is not repeated in our invoices', async (_name, message) => {
    const world = await arena('fundee');
    const dueMsat = claimableMsat(world);
    const { forwarding } = world.channel;
    await world.say(message(world));
    expect(world.channel.forwarding).toEqual(forwarding);
    expect(verdictOf(world)).toBe('open');
    await expectSurvival(world, dueMsat);
  });

  it('that is right is, and one for a channel of another peer is not', async () => {
    const world = await arena('fundee');
    await world.say(channelUpdate(world));
    expect(world.channel.forwarding).toMatchObject({ feeBaseMsat: 1_000, cltvExpiryDelta: 40 });
    const [other] = world.victim.channelsWith(world.honest);
    if (other?.state.kind !== 'open') throw new Error('the channel is not open');
    const { forwarding } = other;
    for (const shortChannelId of scidsOf(other.state)) await world.say(channelUpdate(world, { shortChannelId }));
    expect(other.forwarding).toEqual(forwarding);
    await expectSurvival(world, 400_000_000n);
  });
});

const recordCount = ({ victim }: Arena): number => victim.disk.durable.size;
