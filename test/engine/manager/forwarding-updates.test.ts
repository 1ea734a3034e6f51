import { describe, expect, it } from 'vitest';
import type { ChannelEntry } from '../../../worker/engine/manager/channel-entry.ts';
import { compareBytes, toHex } from '../../../worker/engine/primitives/bytes.ts';
import { sha256d } from '../../../worker/engine/primitives/hash.ts';
import { encodeMessage, type MessageOf } from '../../../worker/engine/wire/message.ts';
import { CHAIN_HASH, FORWARDING } from '../../simulation/node.ts';
import type { Side } from '../../simulation/side.ts';
import { startOf } from '../../simulation/starts.ts';
import { World } from '../../simulation/world.ts';

type Update = MessageOf<'channel_update'>;

/** After the peer has told what it asked at first. */
const NOW = 1_700_001_000_000;
const CONNECTION = 1;

/** A node with a channel, whose peer has terms to tell. */
class Listener {
  readonly #side: Side;
  readonly #peer: Side;
  now = NOW;

  constructor(side: Side, peer: Side) {
    this.#side = side;
    this.#peer = peer;
  }

  static async begin(): Promise<Listener> {
    const world = new World(await startOf('wide', 'fake'));
    await world.settle();
    world.connect();
    await world.pump();
    return new Listener(world.a, world.b);
  }

  get entry(): ChannelEntry {
    const [entry] = this.#side.node.manager.channels();
    if (entry === undefined) throw new Error('no channel');
    return entry;
  }

  /** What the peer would sign, with changes. */
  update(over: Partial<Update> = {}, signer: 'peer' | 'us' = 'peer'): Update {
    const { state } = this.entry;
    const [us, peer] = [this.#side.node.keys, this.#peer.node.keys];
    const unsigned: Update = {
      kind: 'channel_update',
      signature: new Uint8Array(64),
      chainHash: CHAIN_HASH,
      shortChannelId: state.kind === 'open' ? state.holderAlias : 0n,
      timestamp: NOW / 1000,
      messageFlags: 3,
      channelFlags: compareBytes(peer.nodeId, us.nodeId) < 0 ? 0 : 1,
      cltvExpiryDelta: 80,
      htlcMinimumMsat: 1n,
      feeBaseMsat: 1_000,
      feeProportionalMillionths: 7,
      htlcMaximumMsat: 1_000_000n,
      tlvs: {},
      ...over,
    };
    const hash = sha256d(encodeMessage(unsigned).slice(66));
    return { ...unsigned, signature: (signer === 'peer' ? peer : us).signGossip(hash) };
  }

  /** How often something about forwarding is written for an update. */
  hear(update: Update): number {
    const { manager } = this.#side.node;
    const { result } = manager.run(this.now, () =>
      manager.receive(toHex(this.#peer.node.keys.nodeId), CONNECTION, update),
    );
    return [...result.writes.keys()].filter((key) => key.endsWith('/fwd')).length;
  }
}

const ASKED = { feeBaseMsat: 1_000, feeProportionalMillionths: 7, cltvExpiryDelta: 80 };

describe('a channel_update of the peer', () => {
  it('tells what it asks for forwarding to us', async () => {
    const listener = await Listener.begin();
    expect(listener.hear(listener.update())).toBe(1);
    expect(listener.entry.forwarding).toEqual(ASKED);
  });

  it.each([
    ['of another chain', { chainHash: new Uint8Array(32) }],
    ['of a channel that is not ours', { shortChannelId: 77n }],
    ['without a time', { timestamp: 0 }],
    ['from the day after tomorrow', { timestamp: NOW / 1000 + 86_401 }],
    ['with a base fee of millions', { feeBaseMsat: 10_000_001 }],
    ['with more than all of the amount as its fee', { feeProportionalMillionths: 1_000_001 }],
    ['with a lock that no node accepts', { cltvExpiryDelta: 2_016 }],
  ])('%s is left', async (_name, over) => {
    const listener = await Listener.begin();
    listener.hear(listener.update(over));
    expect(listener.entry.forwarding).toEqual(FORWARDING);
  });

  it('is left when it is about our own end, or not signed by the peer', async () => {
    const listener = await Listener.begin();
    const { channelFlags } = listener.update();
    listener.hear(listener.update({ channelFlags: channelFlags ^ 1 }));
    listener.hear(listener.update({}, 'us'));
    listener.hear({ ...listener.update(), feeBaseMsat: 2 });
    expect(listener.entry.forwarding).toEqual(FORWARDING);
  });

  it('counts only when it is newer than the one before', async () => {
    const listener = await Listener.begin();
    listener.hear(listener.update());
    listener.hear(listener.update({ feeBaseMsat: 5 }));
    listener.hear(listener.update({ feeBaseMsat: 6, timestamp: NOW / 1000 - 1 }));
    expect(listener.entry.forwarding).toEqual(ASKED);
    listener.hear(listener.update({ feeBaseMsat: 7, timestamp: NOW / 1000 + 1 }));
    expect(listener.entry.forwarding).toEqual({ ...ASKED, feeBaseMsat: 7 });
  });

  it('is written once a minute at most, and only when it says something new', async () => {
    const listener = await Listener.begin();
    const next = (second: number, feeBaseMsat: number): number =>
      listener.hear(listener.update({ timestamp: NOW / 1000 + second, feeBaseMsat }));
    const burst = Array.from({ length: 50 }, (_, index) => next(index, index));
    expect(burst.reduce((sum, writes) => sum + writes, 0)).toBe(1);
    expect(listener.entry.forwarding?.feeBaseMsat).toBe(49);
    listener.now += 60_000;
    expect(next(60, 49)).toBe(1);
    listener.now += 60_000;
    expect(next(61, 49)).toBe(0);
  });
});

describe('what we ask for forwarding', () => {
  it('is told to the peer with each connection, and its invoices say so', async () => {
    const world = new World(await startOf('wide', 'fake'));
    await world.settle();
    world.connect();
    await world.pump();
    const [entry] = world.b.node.manager.channels();
    expect(entry?.forwarding).toEqual(FORWARDING);
    expect(world.problems).toEqual([]);
  });
});
