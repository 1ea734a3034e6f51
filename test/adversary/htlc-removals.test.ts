import { describe, expect, it } from 'vitest';
import { failureMessages, type Failure } from '../../worker/engine/onion/failure-message.ts';
import { buildFailure } from '../../worker/engine/onion/failures.ts';
import { peelOnion } from '../../worker/engine/onion/sphinx.ts';
import { sha256 } from '../../worker/engine/primitives/hash.ts';
import type { Message, MessageOf } from '../../worker/engine/wire/message.ts';
import { fakeSecp256k1 } from '../simulation/fake-secp256k1.ts';
import { outcomeOf, type Arena } from './arena.ts';
import { arena } from './arena-start.ts';
import { addFor, dance, openChannelOf } from './forge.ts';
import { expectSurvival, verdictOf, type Verdict } from './survival.ts';

const U64 = 0xffff_ffff_ffff_ffffn;
const AMOUNT_MSAT = 5_000_000n;

/** The victim pays the attacker, whose engine is silent: the HTLC is in both commitments. */
async function paying() {
  const world = await arena('fundee');
  world.silenced = true;
  const text = world.attacker.node.invoice(AMOUNT_MSAT);
  const hash = world.victim.node.pay(text);
  await world.pump();
  await dance(world);
  const preimage = world.attacker.node.manager.inboundPayments.all().at(-1)?.preimage ?? new Uint8Array(32);
  const { channelId } = openChannelOf(world).params;
  const fulfill: MessageOf<'update_fulfill_htlc'> = {
    kind: 'update_fulfill_htlc',
    channelId,
    id: 0n,
    paymentPreimage: preimage,
    tlvs: {},
  };
  const fail: MessageOf<'update_fail_htlc'> = {
    kind: 'update_fail_htlc',
    channelId,
    id: 0n,
    reason: new Uint8Array(292),
    tlvs: {},
  };
  const malformed: MessageOf<'update_fail_malformed_htlc'> = {
    kind: 'update_fail_malformed_htlc',
    channelId,
    id: 0n,
    sha256OfOnion: sha256(preimage),
    failureCode: 0xc005,
    tlvs: {},
  };
  return { world, hash, fulfill, fail, malformed };
}

type Paying = Awaited<ReturnType<typeof paying>>;

/** What a removal of ours makes of the channel and of the payment, once everything is signed. */
const removals: readonly [string, (paying: Paying) => readonly Message[], Verdict, string][] = [
  ['that is right', ({ fulfill }) => [fulfill], 'open', 'succeeded'],
  ['S45: that comes twice', ({ fulfill }) => [fulfill, fulfill], 'warned', 'succeeded'],
  ['with a failure behind it', ({ fulfill, fail }) => [fulfill, fail], 'warned', 'succeeded'],
  ['behind a failure', ({ fulfill, fail }) => [fail, fulfill], 'warned', 'pending'],
  [
    'with another preimage',
    ({ fulfill }) => [{ ...fulfill, paymentPreimage: new Uint8Array(32).fill(1) }],
    'failed',
    'pending',
  ],
  [
    'with zeros for a preimage',
    ({ fulfill }) => [{ ...fulfill, paymentPreimage: new Uint8Array(32) }],
    'failed',
    'pending',
  ],
  ['of an HTLC that there is not', ({ fulfill }) => [{ ...fulfill, id: 1n }], 'warned', 'pending'],
  ['of HTLC 2^64 - 1', ({ fulfill }) => [{ ...fulfill, id: U64 }], 'warned', 'pending'],
  ['that is a failure', ({ fail }) => [fail], 'open', 'failed'],
  ['S45: that is a failure twice', ({ fail }) => [fail, fail], 'warned', 'pending'],
  ['that is a failure of an HTLC that there is not', ({ fail }) => [{ ...fail, id: 7n }], 'warned', 'pending'],
  ['that is a failure without a reason', ({ fail }) => [{ ...fail, reason: new Uint8Array(0) }], 'open', 'failed'],
  [
    'that is a failure with one byte for a reason',
    ({ fail }) => [{ ...fail, reason: new Uint8Array(1) }],
    'open',
    'failed',
  ],
  [
    'that is a failure with 31 bytes for a reason',
    ({ fail }) => [{ ...fail, reason: new Uint8Array(31) }],
    'open',
    'failed',
  ],
  [
    'that is a failure with 1,000 bytes for a reason',
    ({ fail }) => [{ ...fail, reason: new Uint8Array(1_000) }],
    'open',
    'failed',
  ],
  ['that is malformed', ({ malformed }) => [malformed], 'open', 'failed'],
  [
    'that is malformed without the BADONION bit',
    ({ malformed }) => [{ ...malformed, failureCode: 5 }],
    'warned',
    'pending',
  ],
  [
    'that is malformed with a code that nobody knows',
    ({ malformed }) => [{ ...malformed, failureCode: 0xffff }],
    'open',
    'failed',
  ],
  [
    'that is malformed for another onion',
    ({ malformed }) => [{ ...malformed, sha256OfOnion: new Uint8Array(32) }],
    'open',
    'failed',
  ],
];

describe('the end of an HTLC of ours', () => {
  it.each(removals)('%s settles the payment once, if at all', async (_name, messages, verdict, payment) => {
    const attack = await paying();
    const { world, hash } = attack;
    await world.say(...messages(attack));
    if (world.isConnected) await dance(world);
    expect(verdictOf(world)).toBe(verdict);
    expect(outcomeOf(world.victim, hash)).toBe(payment);
    expect(world.victim.node.manager.pendingEvents().filter(({ kind }) => kind === 'paymentSent').length).toBe(
      payment === 'succeeded' ? 1 : 0,
    );
    await expectSurvival(world, 400_000_000n - (payment === 'succeeded' ? AMOUNT_MSAT : 0n));
  });

  it('that is a failure of 65,000 bytes leaves no more than a sentence behind', async () => {
    const { world, fail, hash } = await paying();
    const before = stored(world);
    await world.say({ ...fail, reason: new Uint8Array(65_000).fill(1) });
    expect(stored(world) - before).toBeLessThan(5_000);
    if (world.isConnected) await dance(world);
    expect(stored(world) - before).toBeLessThan(5_000);
    expect(['failed', 'pending']).toContain(outcomeOf(world.victim, hash));
    await expectSurvival(world, 400_000_000n);
  });

  it('S10: is the peer’s to spend only where it is fulfilled', async () => {
    const failed = await paying();
    const { world } = failed;
    await world.say(failed.fail);
    await world.say(
      addFor(world, world.victim.node.invoice(AMOUNT_MSAT), { amountMsat: spendableMsat(world) + 2_000_000n }),
    );
    expect(verdictOf(world)).toBe('warned');
    await expectSurvival(world, 400_000_000n);

    const fulfilled = await paying();
    const other = fulfilled.world;
    const before = spendableMsat(other);
    await other.say(fulfilled.fulfill);
    await other.say(addFor(other, other.victim.node.invoice(AMOUNT_MSAT), { amountMsat: before + 2_000_000n }));
    expect(verdictOf(other)).toBe('open');
    await expectSurvival(other, 400_000_000n - AMOUNT_MSAT);
  });

  it.each(Object.keys(failureMessages) as Failure['kind'][])(
    'S44: by a %s of the payee, behind whom there is nobody, ends the payment and nothing else',
    async (kind) => {
      const { world, hash, fail } = await paying();
      // What may have been chance is tried again, some times.
      for (let id = 0n; id < 10n && outcomeOf(world.victim, hash) === 'pending'; id++) {
        await world.say({ ...fail, id, reason: buildFailure(sharedSecretOf(world), failureOf(kind)) });
        await dance(world);
      }
      expect(verdictOf(world)).toBe('open');
      expect(outcomeOf(world.victim, hash)).toBe('failed');
      await expectSurvival(world, 400_000_000n);
    },
  );
});

/** What it may offer in one HTLC that has an output. */
const spendableMsat = (world: Arena): bigint =>
  openChannelOf(world).commitments.holderCommit.spec.toCounterpartyMsat -
  (10_000n + 1_124n + 660n + 172n * BigInt(1 + openChannelOf(world).commitments.holderCommit.spec.htlcs.length)) *
    1_000n;

/** Bytes on the victim's disk. */
const stored = ({ victim }: Arena): number =>
  [...victim.disk.durable.values()].reduce((sum, { length }) => sum + length, 0);

/** What the payee of the victim's newest HTLC encrypts its answer with. */
function sharedSecretOf({ heard, attacker }: Arena): Uint8Array {
  const add = heard.findLast((message) => message.kind === 'update_add_htlc');
  if (add?.kind !== 'update_add_htlc') throw new Error('nothing was offered');
  const nodeSecretEcdh = (point: Uint8Array): Uint8Array => attacker.node.keys.ecdh(point);
  const peeled = peelOnion(fakeSecp256k1, {
    nodeSecretEcdh,
    packet: add.onionRoutingPacket,
    associatedData: add.paymentHash,
  });
  if (peeled.kind === 'malformed') throw new Error('the onion is malformed');
  return peeled.sharedSecret;
}

/** A failure of a kind with every field at its largest. */
const failureOf = (kind: Failure['kind']): Failure =>
  ({
    kind,
    sha256OfOnion: new Uint8Array(32).fill(0xff),
    channelUpdate: new Uint8Array(130).fill(0xff),
    htlcMsat: U64,
    incomingHtlcAmt: U64,
    cltvExpiry: 0xffff_ffff,
    height: 0xffff_ffff,
    disabledFlags: 0xffff,
    feeBaseMsat: 0xffff_ffff,
    feeProportionalMillionths: 0xffff_ffff,
    cltvExpiryDelta: 0xffff,
    type: U64,
    offset: 0xffff,
    code: 0,
    data: new Uint8Array(0),
  }) as Failure;
