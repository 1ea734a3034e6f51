import { describe, expect, it } from 'vitest';
import { fromHex, fromUtf8 } from '../../../worker/engine/primitives/bytes.ts';
import { decodeMessage, encodeMessage, type Message } from '../../../worker/engine/wire/message.ts';
import { startOf } from '../../simulation/starts.ts';
import { World } from '../../simulation/world.ts';

/** Two nodes with a channel that `a` opened; connection 1. */
async function connected() {
  const world = new World(await startOf('wide', 'fake'));
  await world.settle();
  world.connect();
  await world.pump();
  const key = world.a.node.manager.channels()[0]?.key ?? '';
  const close = (maxFeeSat?: bigint): void =>
    world.a.node.turn(() => world.a.node.manager.closeChannel(key, maxFeeSat));
  return { world, key, close, kindOf: () => world.a.node.manager.channels()[0]?.state.kind };
}

type Said = { readonly kind: string; readonly tlvs?: unknown };

/** Takes what `a` has to say once everything that it waits for is durable; nothing of it arrives. */
async function said(world: World): Promise<readonly Said[]> {
  for (let round = 0; round < 10; round++) {
    await world.settle();
    world.complete(world.a);
  }
  return world.intercept(world.a).map((bytes) => decodeMessage(bytes) as Said);
}

/** `a` has offered a fee for a close that it accepts to pay `maxFeeSat` for; what it offered. */
async function offered(maxFeeSat?: bigint) {
  const setUp = await connected();
  const { world } = setUp;
  setUp.close(maxFeeSat);
  for (let round = 0; round < 20; round++) {
    await world.settle();
    for (const side of world.sides) world.complete(side);
    world.deliver(world.a);
    if (world.underWay(world.a).every((bytes) => decodeMessage(bytes)?.kind !== 'closing_signed'))
      world.deliver(world.b);
  }
  const hear = (message: Message): void => world.a.node.receive(world.b.node, 1, encodeMessage(message));
  return { ...setUp, hear, first: await said(world) };
}

const range = (minFeeSatoshis: bigint, maxFeeSatoshis: bigint) => ({
  kind: 'closing_signed',
  tlvs: { feeRange: { minFeeSatoshis, maxFeeSatoshis } },
});

describe('the fee of a close', () => {
  it('is quoted, and the close does not begin where it has risen above what was agreed to', async () => {
    const { world, key, close, kindOf } = await connected();
    const { manager } = world.a.node;
    expect(manager.quoteClose(key)).toEqual({ feeSat: 674n, maxFeeSat: 3_022n });
    expect(world.b.node.manager.quoteClose(key)).toEqual({ feeSat: 0n, maxFeeSat: 0n });
    world.setFeerate(world.a, 1000, 2000);
    expect(() => close(1_000n)).toThrow(expect.objectContaining({ code: 'FeeTooHigh' }));
    expect(kindOf()).toBe('open');
    expect(manager.channels()[0]?.state).toMatchObject({ shutdown: { kind: 'none' } });
  });

  it('is never above what was agreed to, also where the estimate rises after the close began', async () => {
    const { world, close } = await connected();
    close(1_000n);
    world.setFeerate(world.a, 1000, 20_000);
    await world.pump();
    const state = world.a.node.manager.channels()[0]?.state;
    expect(state?.kind === 'closed' && state.negotiated?.shutdown.terms.agreedSat).toBe(1_000n);
    expect(world.problems).toEqual([]);
  });

  it('has a wider range after a warning for the channel, and not for another', async () => {
    const { world, key, hear, first } = await offered();
    expect(first).toMatchObject([range(169n, 1_348n)]);
    const data = fromUtf8('fees do not overlap');
    hear({ kind: 'warning', channelId: new Uint8Array(32), data, tlvs: {} });
    expect(await said(world)).toEqual([]);
    hear({ kind: 'warning', channelId: fromHex(key), data, tlvs: {} });
    expect(await said(world)).toMatchObject([range(169n, 2_696n)]);
  });

  it('that nobody can agree upon is a warning and a new connection, and the channel stays', async () => {
    const { world, hear, kindOf } = await offered();
    const entry = world.b.node.manager.channels()[0];
    if (entry?.state.kind !== 'open') throw new Error('no channel');
    hear({
      kind: 'closing_signed',
      channelId: entry.state.params.channelId,
      feeSatoshis: 50_000n,
      signature: new Uint8Array(64),
      tlvs: {},
    });
    await world.settle();
    world.complete(world.a);
    await world.settle();
    expect(world.problems.splice(0).join()).toContain(
      'disconnected: the signature of the closing transaction is not valid',
    );
    expect(kindOf()).toBe('open');
  });
});
