import { describe, expect, it } from 'vitest';
import { fromUtf8 } from '../../worker/engine/primitives/bytes.ts';
import { arena } from './arena-start.ts';
import type { Arena } from './arena.ts';
import { fundWith, RogueOpener, transactionOf } from './rogue-opener.ts';

/** All coins of the wallet, and what the closed channels owe to it. */
function ownedSat({ victim }: Arena): bigint {
  const { confirmedSat, unconfirmedSat } = victim.node.wallet.balance(0n, 0);
  return confirmedSat + unconfirmedSat + victim.node.manager.sweepingSat();
}

describe('a channel in which the victim has next to nothing, failed by its opener', () => {
  it.each([
    ['1,000 sat at 50 sat/vB', 1_000n, 12_500],
    ['400 sat at 10 sat/vB', 400n, 2_500],
    ['5,000 sat at 200 sat/vB', 5_000n, 50_000],
  ])('does not cost the wallet more than it brings: %s', async (_name, pushSat, closing) => {
    const world = await arena('stranger');
    world.setFeerate(1_000, closing);
    const before = ownedSat(world);
    const rogue = new RogueOpener(world, { fundingSat: 100_000n, pushMsat: pushSat * 1_000n });
    await fundWith(world, rogue, () => transactionOf([rogue.output]));
    await world.say({ kind: 'error', channelId: world.channelId, data: fromUtf8('no'), tlvs: {} });
    world.mine(6);
    await world.pump();
    expect(world.channel.state.kind).toBe('closed');
    expect(ownedSat(world)).toBeGreaterThanOrEqual(before);
    expect(world.victim.faults).toEqual([]);
  });
});
