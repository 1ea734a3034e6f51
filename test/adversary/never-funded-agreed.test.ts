import { describe, expect, it } from 'vitest';
import { equalBytes } from '../../worker/engine/primitives/bytes.ts';
import { transactionId } from '../../worker/engine/transactions/transaction.ts';
import { arena } from './arena-start.ts';
import type { Arena } from './arena.ts';
import { closingSigned, shutdown } from './forge-closing.ts';
import { filled, RogueOpener, transactionOf } from './rogue-opener.ts';

const SCRIPT = Uint8Array.of(0, 20, ...new Uint8Array(20).fill(7));

/** A channel whose funding never comes, and which its opener closes by agreement. */
async function openAndAgree(world: Arena, name: string, txid = filled(`${name} funding`)): Promise<void> {
  const rogue = new RogueOpener(world, { name, fundingSat: 100_000n, pushMsat: 10_000_000n, shutdownScript: SCRIPT });
  await rogue.open();
  await world.say(rogue.fundingCreated(txid, 0));
  world.forget();
  await world.say(shutdown(world, SCRIPT));
  await world.say(closingSigned(world, 700n));
  expect(world.channel.state).toMatchObject({ kind: 'closed', reason: { kind: 'cooperative' } });
}

describe('a channel that its opener never funds and closes by agreement', () => {
  it('counts among those that wait for their funding', async () => {
    const world = await arena('stranger');
    for (let n = 0; n < 4; n++) await openAndAgree(world, `n${n}`);
    await expect(openAndAgree(world, 'fifth')).rejects.toThrow('not accepted');
    expect(world.victim.channelsWith(world.attacker)).toHaveLength(4);
    expect(world.victim.faults).toEqual([]);
  });

  it('is forgotten after 2,016 blocks', async () => {
    const world = await arena('stranger');
    await openAndAgree(world, 'one');
    world.skip(2_100);
    await world.pump();
    expect(world.victim.channelsWith(world.attacker)).toHaveLength(0);
    world.restartVictim();
    await world.pump();
    expect(world.victim.channelsWith(world.attacker)).toHaveLength(0);
    expect(world.victim.faults).toEqual([]);
  });

  it('is closed as agreed where the funding comes after all', async () => {
    const world = await arena('stranger');
    const rogue = new RogueOpener(world, { fundingSat: 100_000n, pushMsat: 10_000_000n, shutdownScript: SCRIPT });
    await rogue.open();
    const funding = transactionOf([rogue.output]);
    await world.say(rogue.fundingCreated(transactionId(funding), 0));
    await world.say(shutdown(world, SCRIPT));
    await world.say(closingSigned(world, 700n));
    const { state } = world.channel;
    if (state.kind !== 'closed' || state.reason.kind !== 'cooperative') throw new Error('not agreed');
    world.confirmForVictim(world.chain.height + 1, funding);
    await world.pump();
    world.mine(2_100);
    await world.pump();
    expect(world.channel.state).toMatchObject({ kind: 'closed', reason: { kind: 'cooperative' } });
    const last = world.victim.broadcasts.at(-1);
    expect(last?.inputs[0]?.txid).toEqual(transactionId(funding));
    expect(last?.locktime).toBe(0);
    const spends = world.victim.broadcasts.filter(({ inputs }) =>
      inputs.some(({ txid }) => equalBytes(txid, transactionId(funding))),
    );
    // A commitment of ours would conflict with what was agreed upon, and has its number in the lock time.
    expect(new Set(spends.map(({ locktime }) => locktime))).toEqual(new Set([0]));
    expect(world.victim.faults).toEqual([]);
  });
});
