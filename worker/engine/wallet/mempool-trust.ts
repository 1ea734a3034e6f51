import { equalBytes } from '../primitives/bytes.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import { MAX_SAT } from '../primitives/units.ts';
import { transactionId, transactionWeight, type Transaction } from '../transactions/transaction.ts';
import { among, outpointName } from './coin.ts';
import type { Descriptors } from './descriptors.ts';
import { hasSignatures } from './spend-check.ts';
import type { WalletState } from './wallet-state.ts';
import { sumOf } from './wallet-transaction.ts';

/** Nodes relay nothing heavier: of a mempool it is an invention, and its outputs could be a hundred thousand. */
const MOST_RELAYED_WEIGHT = 400_000;

/**
 * Whether a transaction that is said to be in a mempool may be in one. What spends coins of ours counts only where we have signed that,
 * here or elsewhere with the same words: a server could otherwise invent money, or spend it.
 */
export function isBelieved(secp: Secp256k1, descriptors: Descriptors, state: WalletState, tx: Transaction): boolean {
  const txid = transactionId(tx);
  const coins = new Map(state.coins.filter(among(tx.inputs)).map((coin) => [outpointName(coin), coin]));
  const own = tx.inputs.flatMap((input, inputIndex) => {
    const coin = coins.size === 0 ? undefined : coins.get(outpointName(input));
    if (coin === undefined) return [];
    return { spentBy: coin.spentBy, inputIndex, amountSat: coin.amountSat, script: descriptors.script(coin) };
  });
  if (own.length > 0 && own.every(({ spentBy }) => spentBy !== undefined && equalBytes(spentBy.txid, txid)))
    return true;
  if (sumOf(tx.outputs) > MAX_SAT || transactionWeight(tx) > MOST_RELAYED_WEIGHT) return false;
  if (own.length === tx.inputs.length && sumOf(own) < sumOf(tx.outputs)) return false;
  // Of two that are in no block the one that was seen first stays.
  if (own.some(({ spentBy }) => spentBy !== undefined && !equalBytes(spentBy.txid, txid))) return false;
  return own.length === 0 || hasSignatures(secp, tx, own);
}
