import { compareOutpoints, isConfirmed, isSpendable, type Coin } from './coin.ts';
import { CHANGE_DUST_SAT, feeForWeight, INPUT_WEIGHT, outputWeight, OVERHEAD_WEIGHT } from './coin-selection.ts';
import { isFound } from './descriptors.ts';
import { sumOf } from './wallet-transaction.ts';

/** What one transaction takes from BIP 44 and 49 addresses to one of the wallet's own. */
export interface FoundSweep {
  readonly coins: readonly Coin[];
  /** What arrives. */
  readonly amountSat: bigint;
  readonly feeSat: bigint;
}

/** A legacy signature hashes the whole transaction: the work grows with the square of its inputs. */
const MOST_INPUTS = 20;
const P2WPKH_LENGTH = 22;

/** How what was found is taken: all confirmed coins that are worth their input at a feerate. */
export function foundSweeps(coins: readonly Coin[], bestHeight: number, feeratePerKw: number): readonly FoundSweep[] {
  const isWorth = ({ amountSat, branch }: Coin): boolean =>
    amountSat > feeForWeight(INPUT_WEIGHT[branch], feeratePerKw);
  const worth = coins
    .filter((coin) => isFound(coin) && isConfirmed(coin) && isSpendable(coin, bestHeight) && isWorth(coin))
    .toSorted((a, b) => Number(b.amountSat - a.amountSat) || compareOutpoints(a, b));
  const groups = Array.from({ length: Math.ceil(worth.length / MOST_INPUTS) }, (_, at) =>
    worth.slice(at * MOST_INPUTS, (at + 1) * MOST_INPUTS),
  );
  return groups.map((group) => sweepOf(group, feeratePerKw)).filter(({ amountSat }) => amountSat >= CHANGE_DUST_SAT);
}

function sweepOf(coins: readonly Coin[], feeratePerKw: number): FoundSweep {
  const ownWeight = OVERHEAD_WEIGHT + outputWeight(P2WPKH_LENGTH);
  const weight = coins.reduce((sum, { branch }) => sum + INPUT_WEIGHT[branch], ownWeight);
  const feeSat = feeForWeight(weight, feeratePerKw);
  return { coins: coins.toSorted(compareOutpoints), amountSat: sumOf(coins) - feeSat, feeSat };
}
