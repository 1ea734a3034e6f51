import { describe, expect, it } from 'vitest';
import { fromHex } from '../../worker/engine/primitives/bytes.ts';
import { GlowwormError } from '../../worker/engine/primitives/errors.ts';
import type { MessageOf } from '../../worker/engine/wire/message.ts';
import type { Arena } from './arena.ts';
import { arena, type ArenaName } from './arena-start.ts';
import { addFor, commitmentSigned, openChannelOf, reestablish, revokeAndAck } from './forge.ts';
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

type Reestablish = MessageOf<'channel_reestablish'>;
type Change = (honest: Reestablish, world: Arena) => Partial<Reestablish>;

const U64 = 0xffff_ffff_ffff_ffffn;

/** A channel with some commitments behind it, whose connection is lost; the attacker speaks for itself. */
async function disconnected(name: ArenaName): Promise<Arena> {
  const world = await arena(name);
  for (const [from, to] of [
    [world.attacker, world.victim],
    [world.victim, world.attacker],
    [world.attacker, world.victim],
  ] as const)
    await world.pay(from, to, 1_000_000n);
  world.disconnect();
  world.silenced = true;
  world.forget();
  return world;
}

/** The secret of a commitment of the victim, released or not. */
const secret = ({ channel }: Arena, number: number): Uint8Array => channel.signer.perCommitmentPoint(number).slice(1);

const holderNumber = (world: Arena): number => openChannelOf(world).commitments.holderCommit.number;

const cases: readonly [name: string, change: Change, verdict: Verdict][] = [
  ['that has lost nothing', () => ({}), 'open'],
  ['whose current point is another one', () => ({ myCurrentPerCommitmentPoint: filledPoint(7) }), 'open'],
  [
    'S2: one commitment ahead without a proof',
    (m) => ({ nextCommitmentNumber: m.nextCommitmentNumber + 1n }),
    'failed',
  ],
  ['ten commitments ahead without a proof', (m) => ({ nextCommitmentNumber: m.nextCommitmentNumber + 10n }), 'failed'],
  ['with a next_commitment_number of 2^48', () => ({ nextCommitmentNumber: 1n << 48n }), 'failed'],
  ['with a next_commitment_number of 2^53 + 1', () => ({ nextCommitmentNumber: (1n << 53n) + 1n }), 'failed'],
  ['with a next_commitment_number of 2^64 - 1', () => ({ nextCommitmentNumber: U64 }), 'failed'],
  ['with a next_commitment_number of 0', () => ({ nextCommitmentNumber: 0n }), 'failed'],
  ['with a next_commitment_number of 1', () => ({ nextCommitmentNumber: 1n }), 'failed'],
  [
    'S1: one commitment behind, which is revoked',
    (m) => ({ nextCommitmentNumber: m.nextCommitmentNumber - 1n }),
    'failed',
  ],
  ['two commitments behind', (m) => ({ nextCommitmentNumber: m.nextCommitmentNumber - 2n }), 'failed'],
  ['two revocations behind', (m) => ({ nextRevocationNumber: m.nextRevocationNumber - 2n }), 'failed'],
  ['with a next_revocation_number of 0', () => ({ nextRevocationNumber: 0n }), 'failed'],
  [
    'one revocation ahead with zeros for a proof',
    (m) => ({ nextRevocationNumber: m.nextRevocationNumber + 1n, yourLastPerCommitmentSecret: new Uint8Array(32) }),
    'failed',
  ],
  [
    'one revocation ahead with the last secret for a proof',
    (m) => ({ nextRevocationNumber: m.nextRevocationNumber + 1n }),
    'failed',
  ],
  [
    'one revocation ahead with the secret of another number',
    (m, world) => ({
      nextRevocationNumber: m.nextRevocationNumber + 1n,
      yourLastPerCommitmentSecret: secret(world, holderNumber(world) + 5),
    }),
    'failed',
  ],
  ['with a next_revocation_number of 2^48 - 1', () => ({ nextRevocationNumber: (1n << 48n) - 1n }), 'failed'],
  ['with a next_revocation_number of 2^48', () => ({ nextRevocationNumber: 1n << 48n }), 'failed'],
  ['with a next_revocation_number of 2^48 + 1', () => ({ nextRevocationNumber: (1n << 48n) + 1n }), 'failed'],
  ['with a next_revocation_number of 2^53 + 1', () => ({ nextRevocationNumber: (1n << 53n) + 1n }), 'failed'],
  ['with a next_revocation_number of 2^63', () => ({ nextRevocationNumber: 1n << 63n }), 'failed'],
  ['with a next_revocation_number of 2^64 - 1', () => ({ nextRevocationNumber: U64 }), 'failed'],
  ['both of whose numbers are 2^64 - 1', () => ({ nextCommitmentNumber: U64, nextRevocationNumber: U64 }), 'failed'],
  ['both of whose numbers are 0', () => ({ nextCommitmentNumber: 0n, nextRevocationNumber: 0n }), 'failed'],
  [
    'with right numbers and zeros for our last secret',
    () => ({ yourLastPerCommitmentSecret: new Uint8Array(32) }),
    'failed',
  ],
  [
    'with right numbers and another secret than our last',
    () => ({ yourLastPerCommitmentSecret: new Uint8Array(32).fill(3) }),
    'failed',
  ],
  [
    'with right numbers and a number that is no secret',
    () => ({ yourLastPerCommitmentSecret: new Uint8Array(32).fill(0xff) }),
    'failed',
  ],
  [
    'with right numbers and the secret before the last',
    (_, world) => ({ yourLastPerCommitmentSecret: secret(world, holderNumber(world) - 2) }),
    'failed',
  ],
  [
    'that proves one revocation which we do not remember',
    (m, world) => ({
      nextRevocationNumber: m.nextRevocationNumber + 1n,
      yourLastPerCommitmentSecret: secret(world, holderNumber(world)),
    }),
    'stale',
  ],
  [
    'that proves five revocations which we do not remember',
    (m, world) => ({
      nextRevocationNumber: m.nextRevocationNumber + 5n,
      yourLastPerCommitmentSecret: secret(world, holderNumber(world) + 4),
    }),
    'stale',
  ],
  [
    'that proves revocations, with a commitment number far off',
    (m, world) => ({
      nextCommitmentNumber: U64,
      nextRevocationNumber: m.nextRevocationNumber + 1n,
      yourLastPerCommitmentSecret: secret(world, holderNumber(world)),
    }),
    'stale',
  ],
];

describe.each(['fundee', 'opener'] as const)('channel_reestablish to the %s', (name) => {
  it.each(cases)('of a peer %s', async (_name, change, verdict) => {
    const world = await disconnected(name);
    const dueMsat = claimableMsat(world);
    const honest = reestablish(world);
    await world.say({ ...honest, ...change(honest, world) });
    expect(verdictOf(world)).toBe(verdict);
    expect(world.said).not.toContain('commitment_signed');
    if (verdict !== 'open') expect(world.said).toContain('error');
    await expectSurvival(world, dueMsat);
  });
});

describe('re-establishing', () => {
  it('is answered once on a connection, however often it is asked for', async () => {
    const world = await disconnected('fundee');
    const text = world.victim.node.invoice(5_000_000n);
    world.connect();
    await world.say(reestablish(world));
    for (let count = 0; count < 3; count++) await world.say(addFor(world, text));
    await world.say(commitmentSigned(world));
    world.disconnect();
    world.forget();
    const message = reestablish(world, 1);
    await world.say(message);
    const once = world.said.filter((kind) => kind !== 'channel_reestablish').length;
    for (let count = 0; count < 20; count++) if (world.isConnected) await world.say(message);
    expect(once).toBeGreaterThan(0);
    expect(world.said.filter((kind) => kind !== 'warning' && kind !== 'channel_reestablish').length).toBe(once);
    await expectSurvival(world, 0n);
  });

  it('says nothing else before channel_reestablish has come', async () => {
    const world = await disconnected('fundee');
    world.connect();
    await world.say(addFor(world, world.victim.node.invoice(1_000_000n)), commitmentSigned(world), revokeAndAck(world));
    expect(world.said.filter((kind) => kind !== 'channel_reestablish')).toEqual([]);
    expect(verdictOf(world)).toBe('open');
    await expectSurvival(world, 0n);
  });

  it.each([
    ['a channel that nobody has', () => new Uint8Array(32).fill(1)],
    ['a channel of another peer', ({ victim, honest }: Arena) => fromHex(victim.channelsWith(honest)[0]?.key ?? '')],
    ['all channels', () => new Uint8Array(32)],
  ] as const)('of %s gets an error for it, and changes nothing', async (_name, channelId) => {
    const world = await disconnected('fundee');
    const dueMsat = claimableMsat(world);
    await world.say({ ...reestablish(world), channelId: channelId(world) });
    expect(verdictOf(world)).toBe('refused');
    await expectSurvival(world, dueMsat);
  });

  it('goes on where the peer is silent until the funding is deep and then says channel_ready', async () => {
    const world = await arena('stranger');
    world.attacker.node.open(world.victim.node, 500_000n, 100_000_000n);
    await world.pump();
    world.tamper = (message) => (message.kind === 'channel_reestablish' ? [] : [message]);
    await world.reconnect();
    world.mine(6);
    await world.pump();
    expect(world.hungUp).toHaveLength(1);
    await expectChannelWorks(world);
    expect(world.victim.faults).toEqual([]);
  });

  it('tells a close by the peer while we were away as that, and not as a broken protocol', async () => {
    const world = await disconnected('fundee');
    const key = world.channel.key;
    closeAlone(world.attacker, key);
    world.silenced = false;
    await world.pump();
    world.connect();
    await world.pump();
    const { state } = world.channel;
    expect(state).not.toMatchObject({ kind: 'closed', reason: { kind: 'violation' } });
    world.mine();
    await world.pump();
    expect(world.channel.state).toMatchObject({ kind: 'closed', reason: { kind: 'counterpartyForceClosed' } });
    await expectOthersLive(world);
  });
});

describe('a wallet that starts from an old copy of its disk', () => {
  async function old(): Promise<Arena> {
    const world = await arena('fundee');
    const copy = world.victim.disk.durable;
    for (let count = 0; count < 2; count++) await world.pay(world.victim, world.attacker, 2_000_000n);
    world.silenced = true;
    world.restartVictimFrom(copy);
    world.forget();
    return world;
  }

  it('refuses to close alone before the peer has confirmed its state, and broadcasts nothing', async () => {
    const world = await old();
    const { manager } = world.victim.node;
    const { key } = world.channel;
    const { params } = openChannelOf(world);
    expect(() => world.victim.node.turn(() => manager.forceCloseChannel(key))).toThrow(GlowwormError);
    await world.pump();
    expect(spendOf(world.victim, params)).toBeUndefined();
    await expectOthersLive(world);
  });

  it('learns by the proof that it is old, asks for a close, and never broadcasts', async () => {
    const world = await old();
    const { params } = openChannelOf(world);
    world.silenced = false;
    await world.reconnect();
    expect(verdictOf(world)).toBe('stale');
    expect(world.said).toContain('error');
    world.mine(3);
    await world.pump();
    expect(spendOf(world.victim, params)).toBeUndefined();
    await expectOthersLive(world);
  });
});

describe('a turn that fails', () => {
  it('leaves no trace in memory that a block could write, and every channel opens after a restart', async () => {
    const world = await arena('fundee');
    const { key } = world.channel;
    const { commitments } = openChannelOf(world);
    const { manager } = world.victim.node;
    expect(() =>
      world.victim.node.turn(() => {
        manager.chainMonitor.updateChannel(key, [
          {
            ...commitments.holderCommit,
            kind: 'latestHolderCommitment',
            number: 1,
            signature: new Uint8Array(64),
            htlcSignatures: [],
          },
        ]);
        throw new Error('planted');
      }),
    ).toThrow('planted');
    closeAlone(world.attacker, key);
    await world.pump();
    world.mine();
    await world.pump();
    world.restartVictim();
    await world.pump();
    expect(world.victim.view.monitors.get(key)?.holderCommitment.number).toBe(0);
    await expectOthersLive(world);
  });
});

const filledPoint = (fill: number): Uint8Array => Uint8Array.of(2, ...new Uint8Array(32).fill(fill));
