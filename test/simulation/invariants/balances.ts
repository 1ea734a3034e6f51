import { equalBytes } from '../../../worker/engine/primitives/bytes.ts';
import { transactionId, type TransactionOutput } from '../../../worker/engine/transactions/transaction.ts';
import { fundingOutput } from '../funding.ts';
import type { World } from '../world.ts';
import { UNECONOMIC_SAT } from './uneconomic.ts';

/**
 * When all closes are over, every satoshi that the sides had is in a wallet, in a channel, was a fee, or is too little to be
 * fetched: nothing is left behind in an output that nobody takes.
 */
export function checkBalances(world: World): void {
  if (world.honest.length < world.sides.length) return;
  for (const output of unspentOf(world))
    if (output.amountSat > UNECONOMIC_SAT && !isSomebodys(world, output))
      world.complain('both', `${output.amountSat} sat are left to nobody`);
}

/** But for the coins from nowhere that a chain begins with: some are of nobody in this world. */
function unspentOf({ chain }: World): readonly TransactionOutput[] {
  return chain.transactions
    .filter((transaction) => chain.spentBy(transaction).every((output) => output !== undefined))
    .flatMap((transaction) => {
      const txid = transactionId(transaction);
      return transaction.outputs.filter((_, vout) => !chain.isSpent({ txid, vout }));
    });
}

/** In a wallet, or in a channel that is open. */
const isSomebodys = (world: World, { amountSat, script }: TransactionOutput): boolean =>
  world.sides.some(
    ({ node }) =>
      node.wallet.owns(script) ||
      node.manager.channels().some(({ state }) => {
        if (state.kind !== 'open') return false;
        const funding = fundingOutput(state.params);
        return funding.amountSat === amountSat && equalBytes(funding.script, script);
      }),
  );
