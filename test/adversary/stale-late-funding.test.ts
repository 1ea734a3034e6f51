import { describe, expect, it } from 'vitest';
import { equalBytes } from '../../worker/engine/primitives/bytes.ts';
import { transactionId, type Transaction } from '../../worker/engine/transactions/transaction.ts';
import { arena } from './arena-start.ts';
import type { Arena } from './arena.ts';
import { spendOf } from './survival.ts';

function fundingOf(world: Arena): Transaction {
  const { state } = world.channel;
  if (!('params' in state)) throw new Error('no funding');
  const { fundingTxid } = state.params;
  const found = world.chain.blocks
    .flatMap(({ transactions }) => transactions)
    .find((transaction) => equalBytes(transactionId(transaction), fundingTxid));
  if (found === undefined) throw new Error('the funding is not in the chain');
  return found;
}

describe('a fundee that is started from an old copy while its chain source does not show the funding', () => {
  it('never broadcasts what the peer has proven revoked, also when the funding is shown after all', async () => {
    const world = await arena('fundee');
    await world.pay(world.attacker, world.victim, 1_000_000n);
    const copy = world.victim.disk.durable;
    for (let n = 0; n < 3; n++) await world.pay(world.attacker, world.victim, 1_000_000n);
    const funding = fundingOf(world);
    world.restartVictimFrom(copy);
    // A reorganisation, or a server that is behind.
    world.unconfirmForVictim(funding);
    await world.reconnect();
    const { state } = world.channel;
    expect(state).toMatchObject({ kind: 'closed', reason: { kind: 'stale' } });
    if (!('params' in state)) throw new Error('closed without a funding');
    expect(spendOf(world.victim, state.params)).toBeUndefined();

    world.confirmForVictim(world.chain.height, funding);
    await world.pump();
    expect(world.victim.faults).toEqual([]);
    // Its old commitment is revoked: whoever broadcasts it gives all of the channel away.
    expect(spendOf(world.victim, state.params)).toBeUndefined();
  });
});
