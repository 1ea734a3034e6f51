import { equalBytes } from '../../../worker/engine/primitives/bytes.ts';
import { encodeTransaction, type Transaction } from '../../../worker/engine/transactions/transaction.ts';
import type { Side } from '../side.ts';
import type { World } from '../world.ts';

/** A commitment goes out only when that is decided and durable. */
export function checkBroadcast(world: World, side: Side, transaction: Transaction): void {
  const { inputs } = transaction;
  for (const [key, { params, closed, broadcastTransaction }] of side.view.monitors) {
    const spends = inputs.some(
      ({ txid, vout }) => vout === params.fundingOutputIndex && equalBytes(txid, params.fundingTxid),
    );
    if (!spends) continue;
    if (closed === 'no') world.complain(side.name, `broadcast a close of ${key.slice(0, 8)} that is not durable`);
    else if (closed === 'broadcast' && !equalBytes(encodeTransaction(transaction), broadcastTransaction))
      world.complain(side.name, 'broadcast a commitment that is not the decided one');
    else if (closed === 'broadcast' && !world.forced && !world.opened && world.honest.length === world.sides.length)
      world.complain(side.name, 'closed a channel alone without a reason');
  }
}
