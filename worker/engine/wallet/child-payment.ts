import { GlowwormError } from '../primitives/errors.ts';
import type { Coin, PaidWeight } from './coin.ts';
import {
  CHANGE_DUST_SAT,
  CHANGE_WEIGHT,
  feeForWeight,
  lackingSat,
  OVERHEAD_WEIGHT,
  weightOf,
} from './coin-selection.ts';
import type { PlannedTransaction } from './payment-plan.ts';
import { sumOf } from './wallet-transaction.ts';

/**
 * What a transaction in no block has paid us, paid to the wallet again, so that both together reach a feerate: miners who want the
 * child take its parent. Throws `PaymentNotReplaceable` where the parent reaches it alone, and `InsufficientFunds`.
 */
export function planChild(coins: readonly Coin[], parent: PaidWeight, feeratePerKw: number): PlannedTransaction {
  const missingSat = lackingSat(parent, feeratePerKw);
  if (missingSat === 0n)
    throw new GlowwormError('PaymentNotReplaceable', 'The payment has this fee already: it waits for its block.');
  const feeSat = missingSat + feeForWeight(weightOf(OVERHEAD_WEIGHT + CHANGE_WEIGHT, coins), feeratePerKw);
  const changeSat = sumOf(coins) - feeSat;
  if (changeSat < CHANGE_DUST_SAT)
    throw new GlowwormError('InsufficientFunds', `To speed it up would cost ${feeSat} sat, more than it brings.`, {
      feeSat,
    });
  return { coins, outputs: [], changeSat, feeSat };
}
