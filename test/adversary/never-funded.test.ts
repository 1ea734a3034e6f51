import { describe, expect, it } from 'vitest';
import { fromUtf8 } from '../../worker/engine/primitives/bytes.ts';
import { transactionId } from '../../worker/engine/transactions/transaction.ts';
import { arena } from './arena-start.ts';
import type { Arena } from './arena.ts';
import { filled, RogueOpener, transactionOf } from './rogue-opener.ts';

/** A channel whose funding never comes, in which the victim would have something, and which its opener fails at once. */
async function openAndFail(world: Arena, name: string): Promise<void> {
  const rogue = new RogueOpener(world, { name, fundingSat: 100_000n, pushMsat: 10_000_000n });
  await rogue.open();
  await world.say(rogue.fundingCreated(filled(`${name} funding`), 0));
  const { channelId } = world;
  await world.say({ kind: 'error', channelId, data: fromUtf8('no'), tlvs: {} });
}

const spendable = ({ victim }: Arena): bigint => victim.node.wallet.balance(0n, 0).spendableSat;

describe('a channel that its opener never funds and then fails', () => {
  it('takes no coins of the wallet for the child of a commitment that nothing can confirm', async () => {
    const world = await arena('stranger');
    world.setFeerate(1_000, 5_000);
    const before = spendable(world);
    await openAndFail(world, 'one');
    expect(world.victim.faults).toEqual([]);
    expect(spendable(world)).toBe(before);
  });

  it('leaves the wallet its coins when it is forgotten after 2,016 blocks', async () => {
    const world = await arena('stranger');
    world.setFeerate(1_000, 5_000);
    const before = spendable(world);
    for (const name of ['a', 'b', 'c', 'd', 'e']) await openAndFail(world, name);
    world.skip(2_100);
    await world.pump();
    world.restartVictim();
    await world.pump();
    expect(spendable(world)).toBe(before);
  });

  it('has the child of its commitment once the funding is there after all', async () => {
    const world = await arena('stranger');
    world.setFeerate(1_000, 5_000);
    const rogue = new RogueOpener(world, { fundingSat: 100_000n, pushMsat: 10_000_000n });
    await rogue.open();
    const funding = transactionOf([rogue.output]);
    await world.say(rogue.fundingCreated(transactionId(funding), 0));
    await world.say({ kind: 'error', channelId: world.channelId, data: fromUtf8('no'), tlvs: {} });
    const before = world.victim.broadcasts.length;
    world.confirmForVictim(world.chain.height + 1, funding);
    await world.pump();
    // The commitment, and its child.
    expect(world.victim.broadcasts.length - before).toBeGreaterThanOrEqual(2);
    expect(world.victim.faults).toEqual([]);
  });

  it('is counted among those that wait for their funding, so that there are never more than 4 of a peer', async () => {
    const world = await arena('stranger');
    let refused = 0;
    for (let n = 0; n < 8; n++) {
      try {
        await openAndFail(world, `n${n}`);
      } catch {
        refused++;
      }
      world.tick(60_000);
    }
    const kept = world.victim.channelsWith(world.attacker).length;
    expect(kept).toBeLessThanOrEqual(4);
  });
});
