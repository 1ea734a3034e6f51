import { describe, expect, it } from 'vitest';
import { routeHints } from '../../worker/client/invoice-hints.ts';
import { availableToReceiveMsat } from '../../worker/engine/channel/channel-limits.ts';
import { decryptFailure } from '../../worker/engine/onion/failures.ts';
import { decodeInvoice } from '../../worker/engine/payments/bolt11.ts';
import { toHex } from '../../worker/engine/primitives/bytes.ts';
import { GlowwormError } from '../../worker/engine/primitives/errors.ts';
import { fakeSecp256k1 } from '../simulation/fake-secp256k1.ts';
import { outcomeOf, receivedBy, type Arena } from './arena.ts';
import { arena } from './arena-start.ts';
import { addFor, commitmentSigned, dance, openChannelOf, payeeSecret, reestablish } from './forge.ts';
import { claimableMsat, closeAlone, expectExit, expectOthersLive, expectSurvival, verdictOf } from './survival.ts';

const AMOUNT_MSAT = 9_000_000n;
const PART_MSAT = 5_000_000n;

const hashOf = (text: string): string => toHex(decodeInvoice(fakeSecp256k1, text).paymentHash);

/** A part of a payment is in both commitments of the first of two channels, and waits for the rest. */
async function held(cltvIn?: number) {
  const world = await arena('two');
  world.silenced = true;
  const [first = '', second = ''] = world.victim.channelsWith(world.attacker).map(({ key }) => key);
  const text = world.victim.node.invoice(AMOUNT_MSAT);
  world.focus = first;
  const expiry = cltvIn === undefined ? {} : { cltvExpiry: world.chain.height + cltvIn };
  await world.say(addFor(world, text, { amountMsat: PART_MSAT, ...expiry }));
  await dance(world);
  world.forget();
  return { world, first, second, text, hash: hashOf(text) };
}

/** The rest of the payment comes over the second channel. */
async function complete({ world, second, text }: Awaited<ReturnType<typeof held>>): Promise<void> {
  world.focus = second;
  await world.say(addFor(world, text, { amountMsat: AMOUNT_MSAT - PART_MSAT }));
  await dance(world);
}

/** A payment that counts as received can be claimed in every part; one that does not has given no preimage away. */
async function expectAllOrNothing({ world, first, second, hash }: Awaited<ReturnType<typeof held>>): Promise<void> {
  const received = receivedBy(world.victim, hash) > 0n;
  for (const key of [first, second]) expect(hasClaim(world, key, hash)).toBe(received);
  if (!received) expect(world.said).not.toContain('update_fulfill_htlc');
}

/** The preimage is in the channel's monitor while there is an HTLC to claim, or it has been claimed. */
function hasClaim({ victim }: Arena, key: string, hash: string): boolean {
  const monitor = victim.view.monitors.get(key);
  const pending = monitor?.holderCommitment.spec.htlcs.some(({ paymentHash }) => toHex(paymentHash) === hash);
  if (pending === true) return monitor?.preimages.has(hash) === true;
  return (monitor?.holderCommitment.spec.toHolderMsat ?? 0n) > 400_000_000n;
}

describe('a payment in two parts', () => {
  it('is received whole', async () => {
    const payment = await held();
    await complete(payment);
    expect(receivedBy(payment.world.victim, payment.hash)).toBe(AMOUNT_MSAT);
    await expectAllOrNothing(payment);
    await expectSurvival(payment.world, 800_000_000n + AMOUNT_MSAT);
  });

  it.each<[string, (world: Arena, first: string) => Promise<void>]>([
    [
      'by an error of the attacker',
      async (world) => world.say({ kind: 'error', channelId: world.channelId, data: new Uint8Array(0), tlvs: {} }),
    ],
    ['by us', async (world, first) => closeAlone(world.victim, first)],
  ])('whose first channel is closed %s can be claimed in both, or is not received', async (_name, close) => {
    const payment = await held();
    await close(payment.world, payment.first);
    await payment.world.pump();
    await complete(payment);
    await expectAllOrNothing(payment);
    payment.world.restartVictim();
    await payment.world.pump();
    await expectAllOrNothing(payment);
    await expectExit(payment.world, payment.first);
    await expectOthersLive(payment.world);
  });

  it('whose first channel is not there when the second part comes is not failed back after a restart', async () => {
    const payment = await held();
    const { world, first, second, hash } = payment;
    world.disconnect();
    world.focus = second;
    await world.say(reestablish(world));
    await complete(payment);
    await expectAllOrNothing(payment);
    const received = receivedBy(world.victim, hash);
    world.restartVictim();
    world.focus = first;
    await world.say(reestablish(world));
    await dance(world);
    expect(world.said).not.toContain(received > 0n ? 'update_fail_htlc' : 'update_fulfill_htlc');
    await expectAllOrNothing(payment);
    await expectOthersLive(world);
  });

  it('whose first part has nearly expired when the second comes is not claimed', async () => {
    const payment = await held(50);
    payment.world.skip(45);
    await complete(payment);
    expect(receivedBy(payment.world.victim, payment.hash)).toBe(0n);
    await expectAllOrNothing(payment);
    await expectOthersLive(payment.world);
  });

  it('whose first part has expired while we were away is not claimed', async () => {
    const payment = await held(50);
    const { world, first, second } = payment;
    world.disconnect();
    for (let block = 0; block < 60; block++) world.chain.mine();
    world.restartVictim();
    world.tellChain(world.honest);
    for (const key of [first, second]) {
      world.focus = key;
      if (world.channel.state.kind === 'open') await world.say(reestablish(world));
    }
    await complete(payment);
    expect(receivedBy(world.victim, payment.hash)).toBe(0n);
    await expectAllOrNothing(payment);
    await expectOthersLive(world);
  });

  it('of different totals is failed, with the height at which that was', async () => {
    const payment = await held();
    const { world, second, text } = payment;
    world.focus = second;
    await world.say(addFor(world, text, { amountMsat: PART_MSAT, totalMsat: AMOUNT_MSAT + 1n }));
    await dance(world);
    const failed = world.heard.find((message) => message.kind === 'update_fail_htlc');
    if (failed?.kind !== 'update_fail_htlc') throw new Error('it was not failed');
    const { failure } = decryptFailure([payeeSecret(world)], failed.reason) ?? {};
    expect(failure).toMatchObject({ kind: 'incorrect_or_unknown_payment_details', height: world.chain.height });
    expect(receivedBy(world.victim, payment.hash)).toBe(0n);
    await expectSurvival(world, 800_000_000n);
  });
});

describe('a payment to us', () => {
  const offers: readonly [string, { amountMsat?: bigint; totalMsat?: bigint }, bigint][] = [
    ['of what was asked', {}, AMOUNT_MSAT],
    ['of twice what was asked', { amountMsat: 2n * AMOUNT_MSAT, totalMsat: 2n * AMOUNT_MSAT }, 2n * AMOUNT_MSAT],
    ['of more than twice', { amountMsat: 2n * AMOUNT_MSAT + 1n, totalMsat: 2n * AMOUNT_MSAT + 1n }, 0n],
    ['of less', { amountMsat: AMOUNT_MSAT - 1n, totalMsat: AMOUNT_MSAT - 1n }, 0n],
    ['of a part alone', { amountMsat: AMOUNT_MSAT - 1n }, 0n],
    ['whose total is nothing', { amountMsat: AMOUNT_MSAT, totalMsat: 0n }, 0n],
  ];

  it.each(offers)('%s is received as it should be', async (_name, terms, receivedMsat) => {
    const world = await arena('fundee');
    world.silenced = true;
    const text = world.victim.node.invoice(AMOUNT_MSAT);
    await world.say(addFor(world, text, terms));
    await dance(world);
    expect(receivedBy(world.victim, hashOf(text))).toBe(receivedMsat);
    await expectSurvival(world, 400_000_000n + receivedMsat);
  });

  it('is taken once, however often it is sent', async () => {
    const world = await arena('fundee');
    world.silenced = true;
    const text = world.victim.node.invoice(AMOUNT_MSAT);
    for (let count = 0; count < 3; count++) {
      await world.say(addFor(world, text));
      await dance(world);
    }
    expect(world.said.filter((kind) => kind === 'update_fulfill_htlc')).toHaveLength(1);
    await expectSurvival(world, 400_000_000n + AMOUNT_MSAT);
  });

  it('after its invoice has expired is failed', async () => {
    const world = await arena('fundee');
    world.silenced = true;
    const text = world.victim.node.invoice(AMOUNT_MSAT);
    world.tick(3_601_000);
    world.disconnect();
    await world.say(reestablish(world));
    await world.say(addFor(world, text));
    await dance(world);
    expect(receivedBy(world.victim, hashOf(text))).toBe(0n);
    await expectSurvival(world, 400_000_000n);
  });

  it('of all that is said to be receivable arrives', async () => {
    const world = await arena('fundee');
    const { params, commitments } = openChannelOf(world);
    const amountMsat = availableToReceiveMsat(params, commitments);
    // Less the reserve, two anchors and, at twice the feerate, the fee with this HTLC and another one (BOLT 2's spike buffer).
    expect(amountMsat).toBeLessThanOrEqual(600_000_000n - 10_000_000n - 660_000n - 2_000n * (1_124n + 2n * 172n));
    expect(amountMsat).toBeGreaterThan(500_000_000n);
    const hash = await world.pay(world.attacker, world.victim, amountMsat);
    expect(outcomeOf(world.attacker, hash)).toBe('succeeded');
    await expectSurvival(world, 400_000_000n + amountMsat);
  });

  it('is hinted at also while the peer is not connected: it will be when the payer pays', async () => {
    const world = await arena('fundee');
    world.disconnect();
    const { manager } = world.victim.node;
    const hints = routeHints(manager.channels(), manager.blockHeight);
    const nodes = hints.map(([hop]) => toHex(hop?.nodeId ?? new Uint8Array(0)));
    expect(nodes).toContain(world.attacker.node.nodeId);
  });
});

describe('a payment of ours', () => {
  it('that was offered and never signed has failed when its channel closes, and can be made again', async () => {
    const world = await arena('two');
    world.silenced = true;
    await world.say(addFor(world, world.victim.node.invoice(1_000_000n)));
    await world.say(commitmentSigned(world));
    const text = world.attacker.node.invoice(390_000_000n);
    for (const { key } of world.victim.channelsWith(world.attacker).slice(0, -1)) {
      world.focus = key;
      await world.say({ kind: 'error', channelId: world.channelId, data: new Uint8Array(0), tlvs: {} });
    }
    world.focus = undefined;
    const hash = world.victim.node.pay(text);
    await world.pump();
    expect(world.said).toContain('update_add_htlc');
    await world.say({ kind: 'error', channelId: world.channelId, data: new Uint8Array(0), tlvs: {} });
    expect(verdictOf(world)).toBe('failed');
    expect(outcomeOf(world.victim, hash)).toBe('failed');
    expect(codeOf(() => world.victim.node.pay(text))).not.toBe('PaymentPending');
    await expectOthersLive(world);
  });

  it('that is under way is not made twice, nor one that has been made', async () => {
    const world = await arena('fundee');
    world.silenced = true;
    const text = world.attacker.node.invoice(1_000_000n);
    const hash = world.victim.node.pay(text);
    expect(codeOf(() => world.victim.node.pay(text))).toBe('PaymentPending');
    await world.pump();
    world.silenced = false;
    await world.reconnect();
    expect(outcomeOf(world.victim, hash)).toBe('succeeded');
    expect(codeOf(() => world.victim.node.pay(text))).toBe('PaymentAlreadySent');
    await expectSurvival(world, 399_000_000n);
  });

  it.each<[string, bigint]>([
    ['more than the channel has', 400_000_001n],
    ['all of the balance, reserve included', 400_000_000n],
    ['the capacity', 1_000_000_000n],
  ])('of %s is refused with a reason, and nothing is offered', async (_name, amountMsat) => {
    const world = await arena('fundee');
    const dueMsat = claimableMsat(world);
    const text = world.attacker.node.invoice(amountMsat);
    expect(codeOf(() => world.victim.node.pay(text))).toMatch(/^[A-Z]\w+$/);
    await world.pump();
    expect(world.said).not.toContain('update_add_htlc');
    await expectSurvival(world, dueMsat);
  });
});

/** The code with which something is refused. */
function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof GlowwormError) return error.code;
    throw error;
  }
  return 'none';
}
