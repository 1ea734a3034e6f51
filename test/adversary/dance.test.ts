import { describe, expect, it } from 'vitest';
import type { Message, MessageOf } from '../../worker/engine/wire/message.ts';
import { outcomeOf, type Arena } from './arena.ts';
import { arena } from './arena-start.ts';
import { addFor, commitmentSigned, dance, openChannelOf, revokeAndAck } from './forge.ts';
import { claimableMsat, expectChannelWorks, expectSurvival, verdictOf, type Verdict } from './survival.ts';

type Signed = MessageOf<'commitment_signed'>;
type Revoke = MessageOf<'revoke_and_ack'>;

const OFF_CURVE = Uint8Array.of(3, ...new Uint8Array(32).fill(4));
const AMOUNT_MSAT = 5_000_000n;

/** The attacker speaks for itself. */
async function silenced(name: 'fundee' | 'opener' = 'fundee'): Promise<Arena> {
  const world = await arena(name);
  world.silenced = true;
  return world;
}

/** An HTLC of the attacker's is proposed to the victim. */
async function proposed(): Promise<Arena> {
  const world = await silenced();
  await world.say(addFor(world, world.victim.node.invoice(AMOUNT_MSAT)));
  return world;
}

/** The victim has signed and waits for a revocation. */
async function awaitingRevocation(): Promise<Arena> {
  const world = await proposed();
  await world.say(commitmentSigned(world));
  world.forget();
  return world;
}

const flipped = (bytes: Uint8Array, at = 0): Uint8Array => bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));

const wrongSignatures: readonly [string, (honest: Signed, world: Arena) => Partial<Signed>][] = [
  ['whose signature is another one', ({ signature }) => ({ signature: flipped(signature, 5) })],
  ['whose signature is zeros', () => ({ signature: new Uint8Array(64) })],
  ['whose signature is ones', () => ({ signature: new Uint8Array(64).fill(0xff) })],
  [
    'whose HTLC signature is another one',
    ({ htlcSignature }) => ({ htlcSignature: htlcSignature.map((each) => flipped(each, 9)) }),
  ],
  ['without the HTLC signature', () => ({ htlcSignature: [] })],
  ['with an HTLC signature too many', ({ htlcSignature }) => ({ htlcSignature: [...htlcSignature, ...htlcSignature] })],
  ['with 483 HTLC signatures', ({ signature }) => ({ htlcSignature: Array.from({ length: 483 }, () => signature) })],
  ['that leaves out the HTLC', (_, world) => commitmentSigned(world, (spec) => ({ ...spec, htlcs: [] }))],
  [
    'that keeps the HTLC’s amount',
    (_, world) =>
      commitmentSigned(world, (spec) => ({
        ...spec,
        htlcs: spec.htlcs.map((htlc) => ({
          ...htlc,
          amountMsat: (htlc.amountMsat - 1_000n) as typeof htlc.amountMsat,
        })),
      })),
  ],
  [
    'that gives the HTLC another expiry',
    (_, world) =>
      commitmentSigned(world, (spec) => ({
        ...spec,
        htlcs: spec.htlcs.map((htlc) => ({ ...htlc, cltvExpiry: htlc.cltvExpiry + 1 })),
      })),
  ],
  [
    'that gives the HTLC another hash',
    (_, world) =>
      commitmentSigned(world, (spec) => ({
        ...spec,
        htlcs: spec.htlcs.map((htlc) => ({ ...htlc, paymentHash: new Uint8Array(32) })),
      })),
  ],
  [
    'that turns the HTLC round',
    (_, world) =>
      commitmentSigned(world, (spec) => ({
        ...spec,
        htlcs: spec.htlcs.map((htlc) => ({ ...htlc, direction: 'outbound' as const })),
      })),
  ],
  [
    'that takes a satoshi of ours',
    (_, world) =>
      commitmentSigned(world, (spec) => ({
        ...spec,
        toHolderMsat: (spec.toHolderMsat - 1_000n) as typeof spec.toHolderMsat,
      })),
  ],
  [
    'that takes all of ours',
    (_, world) => commitmentSigned(world, (spec) => ({ ...spec, toHolderMsat: 0n as typeof spec.toHolderMsat })),
  ],
  [
    'at another feerate',
    (_, world) =>
      commitmentSigned(world, (spec) => ({
        ...spec,
        feeratePerKw: (spec.feeratePerKw + 1) as typeof spec.feeratePerKw,
      })),
  ],
];

describe('commitment_signed', () => {
  it.each(wrongSignatures)('%s is warned of, and the channel goes on', async (_name, change) => {
    const world = await proposed();
    const dueMsat = claimableMsat(world);
    const honest = commitmentSigned(world);
    await world.say({ ...honest, ...change(honest, world) });
    expect(verdictOf(world)).toBe('warned');
    expect(world.said).not.toContain('revoke_and_ack');
    await expectChannelWorks(world);
    await expectSurvival(world, dueMsat - 20_000n);
  });

  it.each([1, 2, 10])('without any change, %d times, is answered: other implementations send such', async (times) => {
    const world = await silenced();
    const dueMsat = claimableMsat(world);
    for (let count = 0; count < times; count++) await world.say(commitmentSigned(world));
    expect(verdictOf(world)).toBe('open');
    expect(world.said).toEqual(Array.from({ length: times }, () => 'revoke_and_ack'));
    await expectSurvival(world, dueMsat);
  });

  it('that comes twice is taken once', async () => {
    const world = await proposed();
    const message = commitmentSigned(world);
    await world.say(message, message);
    expect(verdictOf(world)).toBe('warned');
    expect(world.said.filter((kind) => kind === 'revoke_and_ack').length).toBeLessThanOrEqual(1);
    await expectSurvival(world, 0n);
  });

  it.each([
    ['unknown', () => new Uint8Array(32).fill(1)],
    ['another peer’s', ({ victim, honest }: Arena) => openOf(victim.channelsWith(honest)[0]?.state)],
  ] as const)('for a channel that is %s changes nothing', async (_name, channelId) => {
    const world = await proposed();
    const dueMsat = claimableMsat(world);
    await world.say({ ...commitmentSigned(world), channelId: channelId(world) });
    expect(world.said).not.toContain('revoke_and_ack');
    expect(verdictOf(world)).not.toBe('failed');
    await expectSurvival(world, dueMsat);
  });
});

const wrongRevocations: readonly [string, (honest: Revoke) => Partial<Revoke>][] = [
  ['with another secret', () => ({ perCommitmentSecret: new Uint8Array(32).fill(9) })],
  ['with a changed secret', ({ perCommitmentSecret }) => ({ perCommitmentSecret: flipped(perCommitmentSecret, 31) })],
  ['with zeros for a secret', () => ({ perCommitmentSecret: new Uint8Array(32) })],
  ['with a secret above the order', () => ({ perCommitmentSecret: new Uint8Array(32).fill(0xff) })],
  ['whose next point is not on the curve', () => ({ nextPerCommitmentPoint: OFF_CURVE })],
];

describe('revoke_and_ack', () => {
  it.each(wrongRevocations)('%s closes the channel', async (_name, change) => {
    const world = await awaitingRevocation();
    const dueMsat = claimableMsat(world);
    const honest = revokeAndAck(world);
    await world.say({ ...honest, ...change(honest) });
    expect(verdictOf(world)).toBe('failed');
    expect(world.said).toContain('error');
    await expectSurvival(world, dueMsat);
  });

  it('whose secret does not come from the seed of those before it closes the channel', async () => {
    const world = await awaitingRevocation();
    const dueMsat = claimableMsat(world);
    const foreign = Uint8Array.of(2, ...new Uint8Array(32).fill(8));
    for (let round = 0; round < 6 && verdictOf(world) === 'open'; round++) {
      const { counterpartyNext } = openChannelOf(world).commitments;
      if (counterpartyNext.kind === 'ready') {
        await world.say(addFor(world, world.victim.node.invoice(1_000n)));
        await world.say(commitmentSigned(world));
      } else await world.say({ ...revokeAndAck(world), nextPerCommitmentPoint: foreign });
    }
    expect(verdictOf(world)).toBe('failed');
    await expectSurvival(world, dueMsat);
  });

  it('without a commitment to revoke is warned of', async () => {
    const world = await silenced();
    const dueMsat = claimableMsat(world);
    await world.say(revokeAndAck(world));
    expect(verdictOf(world)).toBe('warned');
    await expectChannelWorks(world);
    await expectSurvival(world, dueMsat - 20_000n);
  });

  it('that comes twice is taken once', async () => {
    const world = await awaitingRevocation();
    const message = revokeAndAck(world);
    await world.say(message, message);
    expect(verdictOf(world)).toBe('warned');
    await expectSurvival(world, 0n);
  });

  it('does not count the HTLC as received before it is in both commitments', async () => {
    const world = await awaitingRevocation();
    expect(world.victim.node.manager.inboundPayments.all().some(({ received }) => received !== undefined)).toBe(false);
    await world.say(revokeAndAck(world));
    await dance(world);
    expect(claimableMsat(world)).toBe(400_000_000n + AMOUNT_MSAT);
    await expectSurvival(world, 400_000_000n + AMOUNT_MSAT);
  });
});

/** `update_fee` as the attacker, who opened. */
const feeTo = (world: Arena, feeratePerKw: number): Message => ({
  kind: 'update_fee',
  channelId: openChannelOf(world).params.channelId,
  feeratePerKw,
  tlvs: {},
});

const fees: readonly [feerate: number, verdict: Verdict][] = [
  [0, 'warned'],
  [1, 'warned'],
  [252, 'warned'],
  [253, 'open'],
  [1_001, 'open'],
  [50_000, 'open'],
  [50_001, 'warned'],
  [1_000_000, 'warned'],
  [0xffff_ffff, 'warned'],
];

describe('update_fee', () => {
  it.each(fees)('of %d sat per kw, signed, leaves the channel %s', async (feerate, verdict) => {
    const world = await silenced();
    const dueMsat = claimableMsat(world);
    await world.say(feeTo(world, feerate));
    if (world.isConnected) await dance(world);
    expect(verdictOf(world)).toBe(verdict);
    await expectSurvival(world, dueMsat);
  });

  it('from the side that does not pay is warned of', async () => {
    const world = await silenced('opener');
    const dueMsat = claimableMsat(world);
    await world.say(feeTo(world, 1_000));
    expect(verdictOf(world)).toBe('warned');
    await expectChannelWorks(world);
    await expectSurvival(world, dueMsat - 20_000n);
  });

  it('that the opener cannot pay is warned of', async () => {
    const world = await silenced();
    const { commitments, params } = openChannelOf(world);
    const spare = commitments.holderCommit.spec.toCounterpartyMsat - params.holder.channelReserveSat * 1_000n;
    await world.say(addFor(world, world.victim.node.invoice(spare - 10_000_000n)));
    await dance(world);
    const dueMsat = claimableMsat(world);
    await world.say(feeTo(world, 40_000));
    expect(verdictOf(world)).toBe('warned');
    await expectSurvival(world, dueMsat);
  });

  it('that would turn HTLCs in flight into more dust than we risk is not taken', async () => {
    const world = await arena('staticRemotekey');
    world.silenced = true;
    const text = world.victim.node.invoice(500_000_000n);
    for (let count = 0; count < 8; count++) await world.say(addFor(world, text, { amountMsat: 30_000_000n }));
    await dance(world);
    const dueMsat = claimableMsat(world);
    await world.say(feeTo(world, 50_000));
    if (world.isConnected) await dance(world);
    expect(['warned', 'failed']).toContain(verdictOf(world));
    await expectSurvival(world, dueMsat);
  });
});

describe('what stands behind a violation', () => {
  it('in the same chunk is not handled: the connection is over', async () => {
    const world = await silenced();
    const dueMsat = claimableMsat(world);
    const wrong = revokeAndAck(world);
    await world.say(wrong, wrong, feeTo(world, 0), {
      kind: 'shutdown',
      channelId: world.channelId,
      scriptpubkey: new Uint8Array(0),
      tlvs: {},
    });
    expect(world.said).toEqual(['warning']);
    await expectChannelWorks(world);
    await expectSurvival(world, dueMsat - 20_000n);
  });
});

describe('a cut connection', () => {
  it.each(['commitment_signed', 'revoke_and_ack', 'update_fulfill_htlc'] as const)(
    'at our %s is repaired, and the payment ends well',
    async (kind) => {
      const world = await arena('fundee');
      world.cutOn = kind;
      const hash = await world.pay(world.attacker, world.victim, 3_000_000n);
      expect(world.isConnected).toBe(false);
      await world.reconnect();
      expect(outcomeOf(world.attacker, hash)).toBe('succeeded');
      await expectChannelWorks(world);
      await expectSurvival(world, 403_000_000n - 20_000n);
    },
  );
});

const openOf = (state: unknown): Uint8Array => (state as { params: { channelId: Uint8Array } }).params.channelId;
