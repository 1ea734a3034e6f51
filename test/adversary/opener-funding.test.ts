import { describe, expect, it } from 'vitest';
import { equalBytes, fromUtf8 } from '../../worker/engine/primitives/bytes.ts';
import { transactionId } from '../../worker/engine/transactions/transaction.ts';
import { arena } from './arena-start.ts';
import type { Arena } from './arena.ts';

const spendable = ({ victim }: Arena): bigint => victim.node.wallet.balance(0n, 0).spendableSat;

describe('an opener whose peer fails the channel right after funding_signed', () => {
  it('goes on broadcasting the funding, on which its commitment and the child of it wait', async () => {
    const world = await arena('stranger');
    world.setFeerate(1_000, 5_000);
    const before = spendable(world);
    // The server did not take it, as happens.
    const broadcast = world.chain.broadcast.bind(world.chain);
    world.chain.broadcast = () => {};
    world.victim.node.open(world.attacker.node, 500_000n);
    await world.pump();
    const { state } = world.channel;
    if (state.kind !== 'open') throw new Error(`the channel is ${state.kind}`);
    const { fundingTxid } = state.params;
    await world.say({ kind: 'error', channelId: world.channelId, data: fromUtf8('no'), tlvs: {} });
    expect(world.channel.state).toMatchObject({ kind: 'closed', reason: { kind: 'counterpartyError' } });
    world.chain.broadcast = broadcast;
    for (let n = 0; n < 200; n++) {
      world.mine();
      if (n % 20 === 0) await world.pump();
    }
    await world.pump();
    const isThere = world.chain.blocks.some(({ transactions }) =>
      transactions.some((transaction) => equalBytes(transactionId(transaction), fundingTxid)),
    );
    expect(isThere).toBe(true);
    expect(spendable(world)).toBeGreaterThan(before - 30_000n);
  });
});
