import { describe, expect, it } from 'vitest';
import type { MessageKind, MessageOf } from '../../worker/engine/wire/message.ts';
import type { Arena } from './arena.ts';
import { arena } from './arena-start.ts';
import { addFor, dance, openChannelOf, reestablish } from './forge.ts';
import { claimableMsat, expectChannelWorks, expectSurvival, verdictOf, type Verdict } from './survival.ts';

type Add = MessageOf<'update_add_htlc'>;

const U64 = 0xffff_ffff_ffff_ffffn;
const AMOUNT_MSAT = 5_000_000n;
const REMOVALS: readonly MessageKind[] = ['update_fulfill_htlc', 'update_fail_htlc', 'update_fail_malformed_htlc'];

async function silenced(name: 'fundee' | 'opener' = 'fundee'): Promise<Arena> {
  const world = await arena(name);
  world.silenced = true;
  return world;
}

const flipped = (bytes: Uint8Array, at: number): Uint8Array => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));

const refusedAdds: readonly [string, (honest: Add, world: Arena) => Partial<Add>, Verdict?][] = [
  ['whose id is one too high', ({ id }) => ({ id: id + 1n })],
  ['whose id is 2^64 - 1', () => ({ id: U64 })],
  ['of nothing', () => ({ amountMsat: 0n })],
  ['of a millisatoshi more than its sender has', (_, world) => ({ amountMsat: senderMsat(world) + 1n })],
  ['of all that its sender has', (_, world) => ({ amountMsat: senderMsat(world) })],
  ['of all but the reserve', (_, world) => ({ amountMsat: senderMsat(world) - 10_000_000n })],
  ['of the channel’s capacity', () => ({ amountMsat: 1_000_000_000n })],
  ['of a millisatoshi more than the capacity', () => ({ amountMsat: 1_000_000_001n })],
  ['of 21 million bitcoin', () => ({ amountMsat: 2_100_000_000_000_000_000n })],
  ['of more than there is', () => ({ amountMsat: 2_100_000_000_000_000_001n })],
  ['of 2^64 - 1 msat', () => ({ amountMsat: U64 })],
  ['that expires at 500,000,000', () => ({ cltvExpiry: 500_000_000 })],
  ['that expires at 2^32 - 1', () => ({ cltvExpiry: 0xffff_ffff })],
];

const removedAdds: readonly [string, (honest: Add, world: Arena) => Partial<Add>, MessageKind][] = [
  ['that is right', () => ({}), 'update_fulfill_htlc'],
  [
    'whose hash is not that of its onion',
    () => ({ paymentHash: new Uint8Array(32).fill(1) }),
    'update_fail_malformed_htlc',
  ],
  [
    'for an invoice that is not ours',
    (_, world) => addFor(world, world.attacker.node.invoice(AMOUNT_MSAT)),
    'update_fail_htlc',
  ],
  [
    'S43: that expires in more than two weeks',
    (_, world) => ({ cltvExpiry: world.chain.height + 2_017 }),
    'update_fail_htlc',
  ],
  ['S43: that expires at 499,999,999', () => ({ cltvExpiry: 499_999_999 }), 'update_fail_htlc'],
  ['that has expired', (_, world) => ({ cltvExpiry: world.chain.height - 1 }), 'update_fail_htlc'],
  ['that expires at height 0', () => ({ cltvExpiry: 0 }), 'update_fail_htlc'],
  [
    'that expires before it could be claimed',
    (_, world) => ({ cltvExpiry: world.chain.height + 10 }),
    'update_fail_htlc',
  ],
  [
    'of a millisatoshi less than its onion says',
    ({ amountMsat }) => ({ amountMsat: amountMsat - 1n }),
    'update_fail_htlc',
  ],
  [
    'whose onion has another version',
    ({ onionRoutingPacket }) => ({ onionRoutingPacket: flipped(onionRoutingPacket, 0) }),
    'update_fail_malformed_htlc',
  ],
  [
    'whose onion’s key is not on the curve',
    ({ onionRoutingPacket }) => ({ onionRoutingPacket: onionRoutingPacket.map((byte, at) => (at === 1 ? 5 : byte)) }),
    'update_fail_malformed_htlc',
  ],
  [
    'whose onion has another HMAC',
    ({ onionRoutingPacket }) => ({ onionRoutingPacket: flipped(onionRoutingPacket, 1365) }),
    'update_fail_malformed_htlc',
  ],
  [
    'whose onion was changed in the middle',
    ({ onionRoutingPacket }) => ({ onionRoutingPacket: flipped(onionRoutingPacket, 700) }),
    'update_fail_malformed_htlc',
  ],
  ['whose onion is zeros', () => ({ onionRoutingPacket: new Uint8Array(1366) }), 'update_fail_malformed_htlc'],
  [
    'whose onion is ones',
    () => ({ onionRoutingPacket: new Uint8Array(1366).fill(0xff) }),
    'update_fail_malformed_htlc',
  ],
];

describe('update_add_htlc', () => {
  it.each(refusedAdds)('%s is warned of, and the channel goes on', async (_name, change, verdict = 'warned') => {
    const world = await silenced();
    const dueMsat = claimableMsat(world);
    const honest = addFor(world, world.victim.node.invoice(AMOUNT_MSAT));
    await world.say({ ...honest, ...change(honest, world) });
    expect(verdictOf(world)).toBe(verdict);
    await expectChannelWorks(world);
    await expectSurvival(world, dueMsat - 20_000n);
  });

  it.each(removedAdds)('%s is taken, and fulfilled or failed', async (_name, change, removal) => {
    const world = await silenced();
    const dueMsat = claimableMsat(world);
    const honest = addFor(world, world.victim.node.invoice(AMOUNT_MSAT));
    await world.say({ ...honest, ...change(honest, world) });
    await dance(world);
    expect(verdictOf(world)).toBe('open');
    expect(world.said.filter((kind) => REMOVALS.includes(kind))).toEqual([removal]);
    const paidMsat = removal === 'update_fulfill_htlc' ? AMOUNT_MSAT : 0n;
    await expectSurvival(world, dueMsat + paidMsat);
  });

  it('fills every slot that we offer, and one more is warned of', async () => {
    const world = await silenced();
    const most = openChannelOf(world).params.holder.maxAcceptedHtlcs;
    const text = world.victim.node.invoice(400_000_000n);
    const add = addFor(world, text, { amountMsat: 1_000n });
    await world.say(...Array.from({ length: most }, (_, id) => ({ ...add, id: BigInt(id) })));
    expect(verdictOf(world)).toBe('open');
    await world.say({ ...add, id: BigInt(most) });
    expect(verdictOf(world)).toBe('warned');
    await expectSurvival(world, 400_000_000n);
  });

  it('S8: that is just not dust pays for its output, and dust does not', async () => {
    const world = await silenced();
    const { params } = openChannelOf(world);
    const spare = senderMsat(world) - params.holder.channelReserveSat * 1_000n;
    // The fee of a commitment without HTLCs, two anchors, and half of what an output costs.
    const left = (1_124n + 660n + 86n + 354n) * 1_000n;
    await world.say(addFor(world, world.victim.node.invoice(spare - left)));
    await dance(world);
    const dueMsat = claimableMsat(world);
    const text = world.victim.node.invoice(10_000_000n);
    await world.say(addFor(world, text, { amountMsat: 353_999n }));
    expect(verdictOf(world)).toBe('open');
    world.disconnect();
    await world.say(reestablish(world));
    await world.say(addFor(world, text, { amountMsat: 354_000n }));
    expect(verdictOf(world)).toBe('warned');
    await expectSurvival(world, dueMsat);
  });

  it('offers at most 50 slots to a peer: each can be made to cost a claim', async () => {
    const world = await arena('stranger');
    world.attacker.node.open(world.victim.node, 500_000n);
    await world.pump();
    const accept = world.heard.find((message) => message.kind === 'accept_channel');
    expect(accept).toMatchObject({ kind: 'accept_channel' });
    expect(accept?.kind === 'accept_channel' && accept.maxAcceptedHtlcs).toBeLessThanOrEqual(50);
  });
});

describe('the end of an HTLC of the attacker’s', () => {
  it.each(['update_fulfill_htlc', 'update_fail_htlc'] as const)('by its own %s is warned of', async (kind) => {
    const world = await silenced();
    const text = world.victim.node.invoice(AMOUNT_MSAT);
    await world.say(addFor(world, text, { amountMsat: 1_000_000n }));
    await dance(world);
    const { channelId } = openChannelOf(world).params;
    const [preimage] = world.victim.node.manager.inboundPayments.all().map((payment) => payment.preimage);
    await world.say(
      kind === 'update_fail_htlc'
        ? { kind, channelId, id: 0n, reason: new Uint8Array(0), tlvs: {} }
        : { kind, channelId, id: 0n, paymentPreimage: preimage ?? new Uint8Array(32), tlvs: {} },
    );
    expect(verdictOf(world)).toBe('warned');
    await expectSurvival(world, 400_000_000n);
  });
});

/** What the attacker has in the victim's commitment. */
const senderMsat = (world: Arena): bigint => openChannelOf(world).commitments.holderCommit.spec.toCounterpartyMsat;
