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
import { feesOf, sumOf, type SpendTerms } from './wallet-transaction.ts';

/** What a payment that is not confirmed is replaced by is made of. */
export interface ReplacementRequest {
  /** What the payment spends: all of it is spent again, so that only one of the two can confirm. */
  readonly kept: readonly Coin[];
  readonly replaced: PaidWeight;
  readonly terms: SpendTerms;
}

/** Something that takes the place of others, as it was built. */
interface BuiltReplacement {
  readonly feeSat: bigint;
  readonly weight: number;
  readonly displaced: readonly PaidWeight[];
}

/** What pays more may take more coins, weigh more, and take the place of more; it ends with few. */
const MOST_BUILDS = 4;

/** The first of what is built at rising feerates that pays as much as it must. Throws `InsufficientFunds` where the first few do not. */
export function buildReplacement<T extends BuiltReplacement>(feeratePerKw: number, build: (perKw: number) => T): T {
  let perKw = feeratePerKw;
  for (let builds = 0; builds < MOST_BUILDS; builds++) {
    const built = build(perKw);
    const { feeSat, weight, displaced } = built;
    if (feeSat >= leastFeeSat(displaced, weight)) return built;
    // Estimates of weights are a little off: what is missing still is added to what was asked for.
    const missingPerKw = Math.max(0, perKw - Math.floor((Number(feeSat) * 1000) / weight));
    perKw = leastFeerate(displaced, weight) + missingPerKw;
  }
  throw new GlowwormError('InsufficientFunds', 'The wallet has no coins to pay a higher fee with.');
}

/**
 * The same payment at a higher fee: out of its change, and where that does not suffice with more coins, which have to be confirmed
 * (BIP 125, rule 2). Throws `InsufficientFunds`.
 */
export function planReplacement(
  { kept, replaced, terms }: ReplacementRequest,
  outputs: readonly TransactionOutput[],
  confirmed: readonly Coin[],
): PlannedTransaction {
  const ownWeight = baseWeightOf(outputs);
  const request = {
    ...terms,
    coins: confirmed,
    targetSat: sumOf(outputs) - sumOf(kept),
    baseWeight: weightOf(ownWeight, kept),
  };
  return buildReplacement(terms.feeratePerKw, (feeratePerKw) => {
    const { feeSat, changeSat, ...selection } = selectCoins({ ...request, feeratePerKw });
    const coins = [...kept, ...selection.coins];
    const weight = weightOf(ownWeight, coins) + (changeSat > 0n ? CHANGE_WEIGHT : 0);
    return { coins, feeSat, changeSat, outputs, weight, displaced: [replaced] };
  });
}

/** Nothing but change, out of the same coins. Throws `InsufficientFunds`. */
export function planCancellation({ kept, replaced, terms }: ReplacementRequest): PlannedTransaction {
  const weight = weightOf(OVERHEAD_WEIGHT + CHANGE_WEIGHT, kept);
  const feeSat = greatest(feeForWeight(weight, terms.feeratePerKw), leastFeeSat([replaced], weight));
  const changeSat = sumOf(kept) - feeSat;
  if (changeSat < CHANGE_DUST_SAT)
    throw new GlowwormError('InsufficientFunds', `To cancel it would cost ${feeSat} sat, and nothing would be left.`, {
      feeSat,
    });
  return { coins: kept, outputs: [], changeSat, feeSat };
}

/**
 * The least fee of a transaction that takes the place of others, so that nodes let it: what those paid together and its own relay
 * (BIP 125, rules 3 and 4), and a higher feerate than each (Bitcoin Core's rule 6). They reckon in whole vbytes, and in whole satoshi
 * for each thousand of them. Nothing where it takes no place.
 */
export function leastFeeSat(displaced: readonly PaidWeight[], weight: number): bigint {
  if (displaced.length === 0) return 0n;
  const ownSat = feesOf(displaced) + feeForWeight(weight, REPLACEMENT_PER_KW);
  return displaced.reduce((leastSat, { feeSat, weight: of }) => {
    const higherPerKvb = (feeSat * 1000n) / vbytes(of) + 1n;
    return greatest(leastSat, (higherPerKvb * vbytes(weight) + 999n) / 1000n);
  }, ownSat);
}

/** As `leastFeeSat`, as a feerate per 1000 weight. */
export const leastFeerate = (displaced: readonly PaidWeight[], weight: number): number =>
  Math.ceil((Number(leastFeeSat(displaced, weight)) * 1000) / weight);

const vbytes = (weight: number): bigint => BigInt(Math.ceil(weight / 4));
