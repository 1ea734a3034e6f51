import { GlowwormError } from '../primitives/errors.ts';
import { REPLACEMENT_PER_KW } from '../primitives/feerates.ts';
import type { TransactionOutput } from '../transactions/transaction.ts';
import type { Coin, PaidWeight } from './coin.ts';
import {
  CHANGE_DUST_SAT,
  CHANGE_WEIGHT,
  feeForWeight,
  OVERHEAD_WEIGHT,
  selectCoins,
  weightOf,
} from './coin-selection.ts';
import { baseWeightOf, type PlannedTransaction } from './payment-plan.ts';
import { greatest } from '../primitives/bigints.ts';
import { sumOf, type SpendTerms } from './wallet-transaction.ts';

/** What a payment that is not confirmed is replaced by is made of. */
export interface ReplacementRequest {
  /** What the payment spends: all of it is spent again, so that only one of the two can confirm. */
  readonly kept: readonly Coin[];
  readonly replaced: PaidWeight;
  readonly terms: SpendTerms;
}

/** A transaction that pays more takes more coins, weighs more and has to pay for that; it ends with few. */
const MOST_BUILDS = 4;

/**
 * The same payment at a higher fee: out of its change, and where that does not suffice with more coins, which have to be confirmed
 * (BIP 125, rule 2). Throws `InsufficientFunds`.
 */
export function planReplacement(
  { kept, replaced, terms }: ReplacementRequest,
  outputs: readonly TransactionOutput[],
  confirmed: readonly Coin[],
): PlannedTransaction {
  const baseWeight = weightOf(baseWeightOf(outputs), kept);
  const request = { ...terms, coins: confirmed, targetSat: sumOf(outputs) - sumOf(kept), baseWeight };
  let { feeratePerKw } = terms;
  for (let build = 0; build < MOST_BUILDS; build++) {
    const selection = selectCoins({ ...request, feeratePerKw });
    const weight = weightOf(baseWeight, selection.coins) + (selection.changeSat > 0n ? CHANGE_WEIGHT : 0);
    const leastSat = leastFeeSat(replaced, weight);
    if (selection.feeSat >= leastSat) return { ...selection, coins: [...kept, ...selection.coins], outputs };
    feeratePerKw = Math.ceil((Number(leastSat) * 1000) / weight);
  }
  throw new GlowwormError('InsufficientFunds', 'the wallet has no coins to pay a higher fee with');
}

/** Nothing but change, out of the same coins. Throws `InsufficientFunds`. */
export function planCancellation({ kept, replaced, terms }: ReplacementRequest): PlannedTransaction {
  const weight = weightOf(OVERHEAD_WEIGHT + CHANGE_WEIGHT, kept);
  const feeSat = greatest(feeForWeight(weight, terms.feeratePerKw), leastFeeSat(replaced, weight));
  const changeSat = sumOf(kept) - feeSat;
  if (changeSat < CHANGE_DUST_SAT)
    throw new GlowwormError('InsufficientFunds', `to cancel it would cost ${feeSat} sat, and nothing would be left`, {
      feeSat,
    });
  return { coins: kept, outputs: [], changeSat, feeSat };
}

/** BIP 125, rules 3 and 4, and a higher feerate: what it takes the place of, its own relay, and more for each byte. */
function leastFeeSat({ feeSat, weight: of }: PaidWeight, weight: number): bigint {
  const higherPerKw = Math.floor((Number(feeSat) * 1000) / of) + 1;
  return greatest(feeSat + feeForWeight(weight, REPLACEMENT_PER_KW), feeForWeight(weight, higherPerKw));
}
