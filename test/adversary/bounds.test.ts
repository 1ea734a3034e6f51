import { describe, expect, it } from 'vitest';
import { transactionId, type Transaction } from '../../worker/engine/transactions/transaction.ts';
import { arena } from './arena-start.ts';
import { closeAlone, expectOthersLive, spendOf } from './survival.ts';

// An exception costs nobody else anything. (The proxy of the page bounds this value; the engine does not.)
describe('a limit that no record can hold', () => {
  it.each([1n << 64n])('of a close (%s) does not stop the wallet', async (maxFeeSat) => {
    const world = await arena('opener');
    const { node } = world.victim;
    const { key } = world.channel;
    try {
      node.turn(() => node.manager.closeChannel(key, maxFeeSat));
    } catch {
      // To refuse it is right too.
    }
    await world.pump();
    expect(node.problem).toBeUndefined();
    await expectOthersLive(world);
  });
});

describe('an agreed close that won over the commitment which was to replace it', () => {
  // an agreed close that does not confirm can be replaced.
  it('and leaves the chain again leaves a way out', async () => {
    const world = await arena('fundee');
    const { key, state } = world.channel;
    if (state.kind !== 'open') throw new Error('it is not open');
    const { params } = state;
    world.victim.attempt((node) => node.turn(() => node.manager.closeChannel(key)));
    await world.pump();
    const agreed = spendOf(world.victim, params) as Transaction;
    closeAlone(world.victim, key);
    await world.pump();
    expect(world.channel.state).toMatchObject({ kind: 'closed', reason: { kind: 'holderForceClosed' } });
    world.confirmForVictim(world.chain.height + 1, agreed);
    await world.pump();
    world.unconfirmForVictim(agreed);
    await world.pump();
    world.victim.broadcasts.length = 0;
    world.victim.faults.length = 0;
    closeAlone(world.victim, key);
    world.victim.attempt((node) => node.turn(() => node.manager.bestBlockUpdated(world.chain.height + 2)));
    await world.pump();
    const spends = world.victim.broadcasts.filter(({ inputs }) => inputs[0]?.txid.join() === params.fundingTxid.join());
    expect(spends.some((spend) => transactionId(spend).join() !== transactionId(agreed).join())).toBe(true);
  });
});
