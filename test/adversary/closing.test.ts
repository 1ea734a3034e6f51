import { describe, expect, it } from 'vitest';
import { equalBytes } from '../../worker/engine/primitives/bytes.ts';
import type { Message, MessageOf } from '../../worker/engine/wire/message.ts';
import type { Arena } from './arena.ts';
import { arena } from './arena-start.ts';
import { addFor, commitmentSigned, dance, openChannelOf, revokeAndAck } from './forge.ts';
import { closingSigned, shutdown } from './forge-closing.ts';
import {
  claimableMsat,
  closeAlone,
  expectChannelWorks,
  expectOthersLive,
  expectSurvival,
  spendOf,
  verdictOf,
  type Verdict,
} from './survival.ts';

const U64 = 0xffff_ffff_ffff_ffffn;
const P2PKH = Uint8Array.of(0x76, 0xa9, 20, ...new Uint8Array(20).fill(9), 0x88, 0xac);
const TAPROOT = Uint8Array.of(0x51, 32, ...new Uint8Array(32).fill(9));

/** The victim has asked for a close and both have said `shutdown`; the attacker speaks for itself. */
async function closing(name: 'fundee' | 'opener'): Promise<Arena> {
  const world = await arena(name);
  world.silenced = true;
  const { key } = world.channel;
  world.victim.attempt((node) => node.turn(() => node.manager.closeChannel(key)));
  await world.pump();
  await world.say(shutdown(world, upfront(world)));
  return world;
}

/** What the attacker promised in the opening, or a script of its own. */
const upfront = (world: Arena): Uint8Array | undefined => {
  const { upfrontShutdownScript } = openChannelOf(world).params.counterparty;
  return upfrontShutdownScript.length > 0 ? upfrontShutdownScript : undefined;
};

const offers = (world: Arena): readonly MessageOf<'closing_signed'>[] =>
  world.heard.filter((message) => message.kind === 'closing_signed');

/** What the agreed transaction pays to the victim. */
function paidSat(world: Arena): bigint {
  const { params } = paramsOf(world);
  const spend = spendOf(world.victim, params);
  const own = params.holder.upfrontShutdownScript;
  return spend?.outputs.find(({ script }) => equalBytes(script, own))?.amountSat ?? 0n;
}

function paramsOf({ channel }: Arena) {
  if (!('params' in channel.state)) throw new Error('the channel has no funding');
  return channel.state;
}

describe('an opener of a channel that is closed by agreement', () => {
  const range = (world: Arena): readonly [bigint, bigint] => {
    const { feeRange } = offers(world)[0]?.tlvs ?? {};
    return [feeRange?.minFeeSatoshis ?? 0n, feeRange?.maxFeeSatoshis ?? 0n];
  };

  it('proposes a fee within the range that it names', async () => {
    const world = await closing('opener');
    const [least, most] = range(world);
    const fee = offers(world)[0]?.feeSatoshis ?? 0n;
    expect(fee >= least && fee <= most && least > 0n).toBe(true);
  });

  it.each([
    ['nearly all that it has', 598_000n],
    ['half of what it has', 300_000n],
    ['a thousand times its own', 1_348_000n / 3n],
    ['a little more than its most', 2_000n],
    ['one satoshi', 1n],
    ['nothing', 0n],
  ])('never signs a fee outside its range where %s is asked for again and again', async (_name, feeSat) => {
    const world = await closing('opener');
    const [least, most] = range(world);
    for (let round = 0; round < 30 && verdictOf(world) === 'open'; round++)
      await world.say(closingSigned(world, feeSat));
    expect(verdictOf(world)).toBe('warned');
    for (const { feeSatoshis } of offers(world)) {
      expect(feeSatoshis).toBeGreaterThanOrEqual(least);
      expect(feeSatoshis).toBeLessThanOrEqual(most);
    }
    await expectSurvival(world, 600_000_000n - 3_000_000n);
  });

  type Answer = { readonly feeSat: bigint; readonly range?: readonly [bigint, bigint] };
  const answers: readonly [string, (least: bigint, most: bigint) => Answer, Verdict][] = [
    ['its own fee', (_, most) => ({ feeSat: most }), 'closed'],
    ['a fee within both ranges', (least, most) => ({ feeSat: (least + most) / 2n, range: [0n, most] }), 'closed'],
    ['a fee above the overlap', (_, most) => ({ feeSat: most + 1n, range: [0n, most * 10n] }), 'failed'],
    ['a fee below the overlap', (least, most) => ({ feeSat: least - 1n, range: [0n, most] }), 'failed'],
    ['a range above ours', (_, most) => ({ feeSat: most + 9n, range: [most + 1n, most + 20n] }), 'warned'],
    ['a range below ours', (least) => ({ feeSat: 1n, range: [0n, least - 1n] }), 'warned'],
    ['a range to the end of numbers', (_, most) => ({ feeSat: most + 1n, range: [most + 1n, U64] }), 'warned'],
  ];

  it.each(answers)('that is answered with %s', async (_name, answer, verdict) => {
    const world = await closing('opener');
    const [least, most] = range(world);
    const { feeSat, range: theirs } = answer(least, most);
    await world.say(closingSigned(world, feeSat, theirs));
    expect(verdictOf(world)).toBe(verdict);
    if (verdict === 'closed') expect(paidSat(world)).toBeGreaterThanOrEqual(600_000n - most);
    await expectSurvival(world, 600_000_000n - 3_000_000n);
  });
});

/** A `closing_signed` that is wrong in itself. */
const wrongOffers: readonly [string, (world: Arena) => Message][] = [
  ['with another signature', (world) => ({ ...closingSigned(world, 674n), signature: new Uint8Array(64).fill(1) })],
  ['for another fee than was signed', (world) => ({ ...closingSigned(world, 674n), feeSatoshis: 675n })],
  ['of more than the opener has', (world) => closingSigned(world, 600_001n)],
  ['of all bitcoin', (world) => closingSigned(world, 2_100_000_000_000_000n)],
  ['of 2^64 - 1', (world) => ({ ...closingSigned(world, 674n), feeSatoshis: U64 })],
  ['without our output', (world) => closingSigned(world, 674n, undefined, 'without ours')],
];

describe.each(['fundee', 'opener'] as const)('closing_signed to the %s', (name) => {
  it.each(wrongOffers)('%s is warned of', async (_name, message) => {
    const world = await closing(name);
    const dueMsat = claimableMsat(world);
    await world.say(message(world));
    expect(verdictOf(world)).toBe('warned');
    await expectSurvival(world, dueMsat);
  });

  it('without the attacker’s own output is taken: it gives that away', async () => {
    const world = await closing(name);
    const fee = name === 'opener' ? (offers(world)[0]?.feeSatoshis ?? 0n) : 674n;
    await world.say(closingSigned(world, fee, [fee, fee], 'without theirs'));
    expect(verdictOf(world)).toBe('closed');
    expect(paidSat(world)).toBe(name === 'opener' ? ourSat(world) - fee : 400_000n);
    await expectOthersLive(world);
  });

  it('before shutdown is warned of', async () => {
    const world = await arena(name);
    world.silenced = true;
    const dueMsat = claimableMsat(world);
    const { channelId } = openChannelOf(world).params;
    await world.say({ kind: 'closing_signed', channelId, feeSatoshis: 674n, signature: new Uint8Array(64), tlvs: {} });
    expect(verdictOf(world)).toBe('warned');
    await expectChannelWorks(world);
    await expectSurvival(world, dueMsat - 20_000n);
  });
});

describe('a fundee', () => {
  it.each([0n, 1n, 50n])('does not agree to %d satoshi, which nobody relays', async (feeSat) => {
    const world = await closing('fundee');
    for (let round = 0; round < 10 && world.isConnected; round++)
      await world.say(closingSigned(world, feeSat, [0n, 60n]));
    expect(['open', 'warned', 'failed']).toContain(verdictOf(world));
    await expectSurvival(world, 400_000_000n);
  });

  it('is paid in full whatever the opener pays for the close', async () => {
    const world = await closing('fundee');
    await world.say(closingSigned(world, 700n, [500n, 1_000n]));
    expect(verdictOf(world)).toBe('closed');
    expect(paidSat(world)).toBe(400_000n);
    await expectSurvival(world, 400_000_000n);
  });

  it('revokes and signs before it says shutdown, where a fee comes with it', async () => {
    const world = await arena('fundee');
    world.silenced = true;
    await world.say(...feeAndShutdown(world));
    expect(world.said).toEqual(['revoke_and_ack', 'commitment_signed', 'shutdown']);
    await expectSurvival(world, 400_000_000n);
  });

  it('takes a closing_signed while nothing but a fee is unrevoked', async () => {
    const world = await arena('fundee');
    world.silenced = true;
    const { key } = world.channel;
    const [fee, signed] = feeAndShutdown(world);
    world.victim.attempt((node) => node.turn(() => node.manager.closeChannel(key)));
    await world.pump();
    await world.say(fee, signed, shutdown(world, upfront(world)));
    await world.say(closingSigned(world, 700n, [500n, 1_000n]));
    if (verdictOf(world) === 'open') await world.say(revokeAndAck(world));
    expect(verdictOf(world)).toBe('closed');
    expect(paidSat(world)).toBe(400_000n);
    await expectOthersLive(world);
  });
});

const shutdowns: readonly [string, Uint8Array, Verdict][] = [
  ['an empty script', new Uint8Array(0), 'warned'],
  ['a script of no standard', Uint8Array.of(0x51), 'warned'],
  ['OP_RETURN', Uint8Array.of(0x6a, 6, 1, 2, 3, 4, 5, 6), 'warned'],
  ['a witness program of one byte', Uint8Array.of(0x51, 1, 1), 'warned'],
  ['a witness program of 41 bytes', Uint8Array.of(0x51, 41, ...new Uint8Array(41)), 'warned'],
  ['a program of version 0 and 25 bytes', Uint8Array.of(0, 25, ...new Uint8Array(25)), 'warned'],
  ['10,000 bytes', new Uint8Array(10_000), 'warned'],
  ['another script than was promised', P2PKH, 'warned'],
  ['taproot, which was not promised', TAPROOT, 'warned'],
];

describe('shutdown', () => {
  it.each(shutdowns)('to %s is warned of', async (_name, script, verdict) => {
    const world = await arena('fundee');
    world.silenced = true;
    const dueMsat = claimableMsat(world);
    await world.say(shutdown(world, script));
    expect(verdictOf(world)).toBe(verdict);
    await expectChannelWorks(world);
    await expectSurvival(world, dueMsat - 20_000n);
  });

  it('may be repeated, and takes no new HTLC', async () => {
    const world = await closing('fundee');
    await world.say(shutdown(world, upfront(world)));
    expect(verdictOf(world)).toBe('open');
    await world.say(addFor(world, world.victim.node.invoice(1_000_000n)));
    expect(verdictOf(world)).toBe('warned');
    await expectSurvival(world, 400_000_000n);
  });

  it('with an HTLC in flight waits for it', async () => {
    const world = await arena('fundee');
    world.silenced = true;
    await world.say(addFor(world, world.victim.node.invoice(10_000_000n), { amountMsat: 5_000_000n }));
    await dance(world);
    await world.say(shutdown(world, upfront(world)));
    await world.say(closingSigned(world, 700n, [500n, 1_000n]));
    expect(verdictOf(world)).toBe('warned');
    await expectSurvival(world, 400_000_000n);
  });
});

describe('a close that was agreed', () => {
  async function agreed(): Promise<Arena> {
    const world = await closing('fundee');
    await world.say(closingSigned(world, 700n, [500n, 1_000n]));
    expect(verdictOf(world)).toBe('closed');
    return world;
  }

  it('and does not confirm can be replaced by our commitment', async () => {
    const world = await agreed();
    const { params, key } = { ...paramsOf(world), key: world.channel.key };
    const agreedOn = spendOf(world.victim, params);
    closeAlone(world.victim, key);
    await world.pump();
    expect(world.victim.faults).toEqual([]);
    const newest = spendOf(world.victim, params);
    expect(newest).not.toEqual(agreedOn);
    expect(newest?.locktime).toBeGreaterThan(500_000_000);
  });

  it('is told again to a peer that did not hear of it', async () => {
    const world = await arena('fundee');
    const { key } = world.channel;
    world.cutOn = 'closing_signed';
    world.victim.attempt((node) => node.turn(() => node.manager.closeChannel(key)));
    await world.pump();
    expect(world.isConnected).toBe(false);
    world.forget();
    await world.reconnect();
    expect(world.said.some((kind) => ['channel_reestablish', 'closing_signed', 'error'].includes(kind))).toBe(true);
    expect(verdictOf(world)).toBe('closed');
    await expectOthersLive(world);
  });
});

describe('a commitment of the attacker’s that leaves the chain again', () => {
  it('is followed by ours', async () => {
    const world = await arena('fundee');
    const { params } = paramsOf(world);
    closeAlone(world.attacker, world.channel.key);
    world.silenced = true;
    await world.pump();
    const theirs = spendOf(world.attacker, params);
    if (theirs === undefined) throw new Error('the attacker did not close');
    world.mine();
    await world.pump();
    expect(world.channel.state.kind).toBe('closed');
    world.unconfirmForVictim(theirs);
    world.mine();
    await world.pump();
    expect(spendOf(world.victim, params)).toBeDefined();
    await expectSurvival(world, 400_000_000n);
  });
});

/** As Core Lightning closes what it opened: all in one go. */
function feeAndShutdown(world: Arena): readonly [Message, Message, Message] {
  const { channelId } = openChannelOf(world).params;
  const feeratePerKw = 1_500;
  return [
    { kind: 'update_fee', channelId, feeratePerKw, tlvs: {} },
    commitmentSigned(world, (spec) => ({ ...spec, feeratePerKw: feeratePerKw as typeof spec.feeratePerKw })),
    shutdown(world, upfront(world)),
  ];
}

/** What the victim had when the channel closed. */
const ourSat = ({ channel }: Arena): bigint =>
  channel.state.kind === 'closed' ? channel.state.holderMsat / 1000n : 0n;
