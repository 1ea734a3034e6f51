import { GlowwormError } from '../primitives/errors.ts';
import { dustLimitSat } from '../transactions/shutdown-script.ts';
import type { TransactionOutput } from '../transactions/transaction.ts';
import type { Coin } from './coin.ts';
import {
  CHANGE_DUST_SAT,
  CHANGE_WEIGHT,
  feeForWeight,
  findSelection,
  fitting,
  insufficient,
  outputWeight,
  OVERHEAD_WEIGHT,
  selectAll,
  weightOf,
  type Selection,
} from './coin-selection.ts';
import { earlierUnsettled } from './rival-coins.ts';
import { sumOf, type SpendTerms } from './wallet-transaction.ts';

/** One of the transactions that a payment is made as; change is not among its outputs yet. */
export interface PlannedTransaction extends Selection {
  readonly outputs: readonly TransactionOutput[];
}

/** Who gets what, or one script that gets everything. */
export type PaymentTarget = readonly TransactionOutput[] | { readonly everythingTo: Uint8Array };

/** Each has a hundred kilobytes: what needs more of them is not paid at once. */
const MOST_TRANSACTIONS = 20;

/**
 * The transactions that pay somebody, one if that is enough, and none of them needs another one. Where coins are `required` it is
 * one that spends them all, or none: beside a second one an earlier payment could arrive that was taken back. Throws
 * `AmountBelowDust`, `InsufficientFunds` and `EarlierPaymentUnsettled`.
 */
export function planPayment(
  coins: readonly Coin[],
  target: PaymentTarget,
  terms: SpendTerms,
  required: readonly Coin[] = [],
): readonly PlannedTransaction[] {
  if ('everythingTo' in target) {
    const planned = planEverything(coins, target.everythingTo, terms);
    const isOne = planned.length === 1 && required.every((coin) => planned[0]?.coins.includes(coin) === true);
    if (required.length > 0 && !isOne) throw earlierUnsettled();
    return planned;
  }
  for (const output of target) checkDust(output);
  return required.length > 0
    ? [planWith(required, coins, target, terms)]
    : planParts(coins, target, terms, MOST_TRANSACTIONS);
}

function planWith(
  required: readonly Coin[],
  coins: readonly Coin[],
  outputs: readonly TransactionOutput[],
  terms: SpendTerms,
): PlannedTransaction {
  const selection = findSelection({
    ...terms,
    coins: without(coins, required),
    targetSat: sumOf(outputs) - sumOf(required),
    baseWeight: weightOf(baseWeightOf(outputs), required),
  });
  if (selection === undefined) {
    // Throws where the coins are too few; where they are too many, each of several transactions would have to spend them all.
    planParts(coins, outputs, terms, MOST_TRANSACTIONS);
    throw earlierUnsettled();
  }
  return { ...selection, coins: [...required, ...selection.coins], outputs };
}

function planParts(
  coins: readonly Coin[],
  outputs: readonly TransactionOutput[],
  terms: SpendTerms,
  most: number,
): readonly PlannedTransaction[] {
  const request = { coins, targetSat: sumOf(outputs), baseWeight: baseWeightOf(outputs), ...terms };
  const whole = findSelection(request);
  if (whole !== undefined) return [{ ...whole, outputs }];
  const part = most > 1 ? fullTransaction(coins, outputs, terms) : undefined;
  if (part === undefined) throw insufficient(request);
  return [part, ...planParts(without(coins, part.coins), part.later, terms, most - 1)];
}

/** As many coins as one transaction has room for, and what they pay of the outputs; `undefined` where that is all or nothing. */
function fullTransaction(
  coins: readonly Coin[],
  outputs: readonly TransactionOutput[],
  { feeratePerKw }: SpendTerms,
): (PlannedTransaction & { readonly later: readonly TransactionOutput[] }) | undefined {
  const taken = fitting({ coins, baseWeight: baseWeightOf(outputs), feeratePerKw });
  const sumSat = sumOf(taken);
  const { now, later } = divided(outputs, sumSat - feeForWeight(weightOf(baseWeightOf(outputs), taken), feeratePerKw));
  if (now.length === 0 || later.length === 0) return undefined;
  const weight = weightOf(baseWeightOf(now), taken);
  const overSat = sumSat - sumOf(now) - feeForWeight(weight + CHANGE_WEIGHT, feeratePerKw);
  const changeSat = overSat >= CHANGE_DUST_SAT ? overSat : 0n;
  return { coins: taken, outputs: now, changeSat, feeSat: sumSat - sumOf(now) - changeSat, later };
}

/** Outputs as far as a sum goes, and the rest; one may be in both, and no part of it is too small to be relayed. */
function divided(
  [output, ...others]: readonly TransactionOutput[],
  sumSat: bigint,
): { readonly now: readonly TransactionOutput[]; readonly later: readonly TransactionOutput[] } {
  if (output === undefined) return { now: [], later: [] };
  const { amountSat, script } = output;
  if (amountSat <= sumSat) {
    const { now, later } = divided(others, sumSat - amountSat);
    return { now: [output, ...now], later };
  }
  const leastSat = dustLimitSat(script);
  const partSat = amountSat - sumSat < leastSat ? amountSat - leastSat : sumSat;
  if (partSat < leastSat) return { now: [], later: [output, ...others] };
  return {
    now: [{ amountSat: partSat, script }],
    later: [{ amountSat: amountSat - partSat, script }, ...others],
  };
}

/** What is kept comes back out of the first; coins that could not pay for a transaction of their own stay. */
function planEverything(
  coins: readonly Coin[],
  script: Uint8Array,
  { feeratePerKw, reserveSat }: SpendTerms,
): readonly PlannedTransaction[] {
  const baseWeight = OVERHEAD_WEIGHT + outputWeight(script.length);
  const { paymentSat, ...first } = selectAll({ coins, baseWeight, feeratePerKw, reserveSat });
  checkDust({ amountSat: paymentSat, script });
  const planned: PlannedTransaction[] = [{ ...first, outputs: [{ amountSat: paymentSat, script }] }];
  let others = without(coins, first.coins);
  while (planned.length < MOST_TRANSACTIONS) {
    const taken = fitting({ coins: others, baseWeight, feeratePerKw });
    const feeSat = feeForWeight(weightOf(baseWeight, taken), feeratePerKw);
    const amountSat = sumOf(taken) - feeSat;
    if (taken.length === 0 || amountSat < dustLimitSat(script)) break;
    planned.push({ coins: taken, feeSat, changeSat: 0n, outputs: [{ amountSat, script }] });
    others = without(others, taken);
  }
  return planned;
}

function without(coins: readonly Coin[], taken: readonly Coin[]): readonly Coin[] {
  const gone = new Set(taken);
  return coins.filter((coin) => !gone.has(coin));
}

function checkDust({ amountSat, script }: TransactionOutput): void {
  const leastSat = dustLimitSat(script);
  if (amountSat < leastSat)
    throw new GlowwormError('AmountBelowDust', `The network does not relay payments below ${leastSat} sat.`, {
      leastSat,
    });
}

/** Weight of a transaction with outputs, before its inputs and its change. */
export const baseWeightOf = (outputs: readonly TransactionOutput[]): number =>
  outputs.reduce((sum, { script }) => sum + outputWeight(script.length), OVERHEAD_WEIGHT);
