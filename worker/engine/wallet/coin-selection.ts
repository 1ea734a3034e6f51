import { GlowwormError } from '../primitives/errors.ts';
import { greatest, least } from '../primitives/bigints.ts';
import { branchAndBound, type Lot } from './branch-and-bound.ts';
import { compareOutpoints, isConfirmed, type Coin, type PaidWeight } from './coin.ts';
import { BRANCHES, type Branch } from './descriptors.ts';
import { sumOf } from './wallet-transaction.ts';

export interface SelectionRequest {
  /** Coins that may be spent. */
  readonly coins: readonly Coin[];
  /** What the outputs need beside the fee, in satoshi. */
  readonly targetSat: bigint;
  /** Weight of the transaction without wallet inputs and without change. */
  readonly baseWeight: number;
  readonly feeratePerKw: number;
  /** Kept in the wallet to bump the fees of commitment transactions with anchors. */
  readonly reserveSat: bigint;
  /** As in `SpendTerms`. */
  readonly reservePerKw: number;
}

/** Where all is spent but a sum that is kept, whatever that is worth later. */
export type EverythingRequest = Omit<SelectionRequest, 'targetSat' | 'reservePerKw'>;

export interface Selection {
  readonly coins: readonly Coin[];
  readonly feeSat: bigint;
  /** Zero without a change output. */
  readonly changeSat: bigint;
}

/** Weights of an input with its witness: a signature of 71 bytes (low r, low s) and a key, or a Schnorr signature. */
export const INPUT_WEIGHT: Readonly<Record<Branch, number>> = {
  receive: 272,
  change: 272,
  taproot: 230,
  taprootChange: 230,
  legacy: 592,
  legacyChange: 592,
  nested: 364,
  nestedChange: 364,
};
/** Version, locktime, counts, and the two bytes that announce witnesses. */
export const OVERHEAD_WEIGHT = 42;
export const CHANGE_WEIGHT = 124;
/** The least that is worth an output of its own (P2WPKH). */
export const CHANGE_DUST_SAT = 294n;
/**
 * A standard transaction has at most 400,000 weight units. What is left of that is for change in several outputs, and for
 * signatures that are longer than thought.
 */
export const MOST_WEIGHT = 390_000;
/** From here on a transaction's count of inputs takes three bytes instead of one. */
const LONG_COUNT = 253;
const LONG_COUNT_WEIGHT = 8;
/** 10 sat/vB, as Bitcoin Core has it: what a coin is spent at some day, where nothing hurries. */
const LONG_TERM_PER_KW = 2_500;
/**
 * What the choice may cost more than the cheapest way: a change output, and three inputs. Confirmed coins are worth that much, and
 * so are having no change, and having fewer small coins where fees are low.
 */
export const LEEWAY_WEIGHT: number = CHANGE_WEIGHT + 3 * INPUT_WEIGHT.receive;

/** Weight of an output with a script of that length. */
export const outputWeight = (scriptLength: number): number => (9 + scriptLength) * 4;

/** The fee for a weight, rounded up so that the feerate is reached. */
export const feeForWeight = (weight: number, feeratePerKw: number): bigint =>
  (BigInt(weight) * BigInt(feeratePerKw) + 999n) / 1000n;

/** What a transaction's fee lacks of a feerate. */
export const lackingSat = ({ weight, feeSat }: PaidWeight, feeratePerKw: number): bigint =>
  greatest(0n, feeForWeight(weight, feeratePerKw) - feeSat);

/**
 * Chooses coins for a payment, always the same for the same request, and none that cost more than they bring. Of what pays
 * little more than the cheapest way (`LEEWAY_WEIGHT`) that is taken which spends confirmed coins only, and of those what
 * wastes least: by inputs that would be cheaper later, change, or what is given away for having none. `undefined` where one
 * transaction does not suffice.
 */
export function findSelection(request: SelectionRequest): Selection | undefined {
  const coins = worthwhile(request);
  const confirmed = coins.filter(isConfirmed);
  const cheap = largestFirst(request, coins);
  const [fewest] = cheap;
  if (fewest === undefined) return undefined;
  const others = confirmed.length === coins.length ? [] : largestFirst(request, confirmed);
  const exact = withoutChange(request, confirmed, weightOf(0, fewest.coins) + LEEWAY_WEIGHT);
  return best(
    request,
    [...cheap, ...others, ...exact].filter((selection) => leavesReserve(request, selection)),
  );
}

/** As `findSelection`. Throws `InsufficientFunds` with `availableSat`, `neededSat`, `feeSat` and `reserveSat`. */
export function selectCoins(request: SelectionRequest): Selection {
  const selection = findSelection(request);
  if (selection === undefined) throw insufficient(request);
  return selection;
}

/**
 * As many of the coins as fit into one transaction with an output for all of them, the most valuable first; what is left after the
 * fee is the payment. `reserveSat` comes back as change.
 */
export function selectAll(request: EverythingRequest): Selection & { readonly paymentSat: bigint } {
  const changeSat = request.reserveSat >= CHANGE_DUST_SAT ? request.reserveSat : 0n;
  const baseWeight = request.baseWeight + (changeSat > 0n ? CHANGE_WEIGHT : 0);
  const coins = fitting({ ...request, baseWeight });
  const feeSat = feeForWeight(weightOf(baseWeight, coins), request.feeratePerKw);
  const paymentSat = sumOf(coins) - feeSat - changeSat;
  if (coins.length === 0 || paymentSat <= 0n)
    throw insufficient({ ...request, targetSat: 0n, reservePerKw: request.feeratePerKw });
  return { coins, feeSat, changeSat, paymentSat };
}

/** As many coins as one transaction has room for, the most valuable first. */
export function fitting(request: Omit<EverythingRequest, 'reserveSat'>): readonly Coin[] {
  let weight = request.baseWeight + LONG_COUNT_WEIGHT;
  const coins = worthwhile(request);
  const end = coins.findIndex(({ branch }) => (weight += INPUT_WEIGHT[branch]) > MOST_WEIGHT);
  return end < 0 ? coins : coins.slice(0, end);
}

/**
 * Change as several coins of a size, where it suffices for more than one, and what is left as the first. `spareSat` is what may be
 * spent on having them, and on spending them.
 */
export function splitChange(
  { changeSat, spareSat }: { readonly changeSat: bigint; readonly spareSat: bigint },
  coins: bigint,
  coinSat: bigint,
  feeratePerKw: number,
): readonly bigint[] {
  const eachSat = coinSat + feeForWeight(CHANGE_WEIGHT, feeratePerKw);
  const affordable = spareSat / (feeForWeight(CHANGE_WEIGHT + INPUT_WEIGHT.change, feeratePerKw) || 1n);
  const more = least(least(coins - 1n, affordable), (changeSat - coinSat) / eachSat);
  if (more <= 0n) return changeSat > 0n ? [changeSat] : [];
  return [changeSat - more * eachSat, ...Array.from({ length: Number(more) }, () => coinSat)];
}

/** What brings most first, and without what costs more than it brings. */
function worthwhile({ coins, feeratePerKw }: Pick<SelectionRequest, 'coins' | 'feeratePerKw'>): readonly Coin[] {
  const valueSat = effectiveSat(feeratePerKw);
  return (
    coins
      // Of thousands that are compared, numbers are: no sum of satoshi is beyond them.
      .map((coin) => ({ coin, value: Number(valueSat(coin)) }))
      .filter(({ value }) => value > 0)
      .toSorted((a, b) => b.value - a.value || compareOutpoints(a.coin, b.coin))
      .map(({ coin }) => coin)
  );
}

/** The fewest coins that suffice, and where they leave nothing worth an output, the fewest that leave change too. */
function largestFirst(request: SelectionRequest, coins: readonly Coin[]): readonly Selection[] {
  const found: Selection[] = [];
  let [sumSat, weight] = [0n, request.baseWeight];
  for (const [count, coin] of [...coins, undefined].entries()) {
    const settled = settle(request, sumSat, count < LONG_COUNT ? weight : weight + LONG_COUNT_WEIGHT);
    if (settled && (found.length === 0 || settled.changeSat > 0n))
      found.push({ coins: coins.slice(0, count), ...settled });
    if (coin === undefined || (settled && settled.changeSat > 0n)) break;
    [sumSat, weight] = [sumSat + coin.amountSat, weight + INPUT_WEIGHT[coin.branch]];
  }
  return found;
}

/** What becomes of coins that are worth a sum, with change if it is worth an output; `undefined` when they are too few. */
function settle(
  { targetSat, feeratePerKw }: SelectionRequest,
  sumSat: bigint,
  weight: number,
): Omit<Selection, 'coins'> | undefined {
  const restSat = sumSat - targetSat;
  const changeSat = restSat - feeForWeight(weight + CHANGE_WEIGHT, feeratePerKw);
  if (weight > MOST_WEIGHT) return undefined;
  if (changeSat >= CHANGE_DUST_SAT) return { feeSat: restSat - changeSat, changeSat };
  return restSat >= feeForWeight(weight, feeratePerKw) ? { feeSat: restSat, changeSat: 0n } : undefined;
}

/** A set that leaves nothing over, or nothing that is worth a change output. */
function withoutChange(request: SelectionRequest, coins: readonly Coin[], mostWeight: number): readonly Selection[] {
  const { targetSat, baseWeight, feeratePerKw } = request;
  const neededSat = targetSat + feeForWeight(baseWeight, feeratePerKw);
  const valueSat = effectiveSat(feeratePerKw);
  const wasteSat = ofBranch((weight) => wasteOfWeight(weight, feeratePerKw));
  const lots = coins.map((coin): Lot => ({
    valueSat: valueSat(coin),
    wasteSat: wasteSat[coin.branch],
    weight: INPUT_WEIGHT[coin.branch],
  }));
  const bounds = { neededSat, mostSat: neededSat + changeCostSat(feeratePerKw), mostWeight };
  const indexes = branchAndBound(lots, bounds);
  if (indexes === undefined) return [];
  const taken = indexes.flatMap((index) => coins[index] ?? []);
  const [weight, feeSat] = [weightOf(baseWeight, taken), sumOf(taken) - targetSat];
  // The count of the inputs may have become longer.
  if (weight > MOST_WEIGHT || feeSat < feeForWeight(weight, feeratePerKw)) return [];
  return [{ coins: taken, feeSat, changeSat: 0n }];
}

function best(request: SelectionRequest, found: readonly Selection[]): Selection | undefined {
  const leastSat = found.reduce((sat, { feeSat }) => least(sat, feeSat), found[0]?.feeSat ?? 0n);
  const mostSat = leastSat + feeForWeight(LEEWAY_WEIGHT, request.feeratePerKw);
  const [first] = found
    .filter(({ feeSat }) => feeSat <= mostSat)
    .map((selection) => ({
      selection,
      wasteSat: wasteSat(request, selection),
      isSure: selection.coins.every(isConfirmed),
    }))
    .toSorted((a, b) => Number(b.isSure) - Number(a.isSure) || Number(a.wasteSat - b.wasteSat));
  return first?.selection;
}

/** Bitcoin Core's measure: what is spent now and would not be later, and what is lost with change, or without it. */
function wasteSat({ baseWeight, feeratePerKw }: SelectionRequest, { coins, feeSat, changeSat }: Selection): bigint {
  const overSat = feeSat - feeForWeight(weightOf(baseWeight, coins), feeratePerKw);
  return inputWasteSat(coins, feeratePerKw) + (changeSat > 0n ? changeCostSat(feeratePerKw) : overSat);
}

const inputWasteSat = (coins: readonly Coin[], feeratePerKw: number): bigint =>
  wasteOfWeight(weightOf(0, coins), feeratePerKw);

const wasteOfWeight = (weight: number, feeratePerKw: number): bigint =>
  (BigInt(weight) * BigInt(feeratePerKw - LONG_TERM_PER_KW)) / 1000n;

/** What a change output costs, now and when it is spent. */
const changeCostSat = (feeratePerKw: number): bigint =>
  feeForWeight(CHANGE_WEIGHT, feeratePerKw) +
  feeForWeight(INPUT_WEIGHT.change, Math.min(feeratePerKw, LONG_TERM_PER_KW));

function leavesReserve(request: SelectionRequest, selection: Selection): boolean {
  const { coins, reserveSat, reservePerKw } = request;
  if (reserveSat === 0n) return true;
  const taken = new Set(selection.coins);
  const left = coins.filter((coin) => !taken.has(coin));
  const change: Spendable = { amountSat: selection.changeSat, branch: 'change' };
  return reserveValueSat(selection.changeSat > 0n ? [...left, change] : left, reservePerKw) >= reserveSat;
}

/**
 * What coins are worth that are kept to pay for closes: less what each costs to spend, but for one, which the reserve has counted
 * in. A hundred small coins could otherwise be kept that bring nothing where blocks are dear.
 */
export function reserveValueSat(coins: readonly Spendable[], feeratePerKw: number): bigint {
  const valueSat = effectiveSat(feeratePerKw);
  let [broughtSat, leastWeight] = [0n, Infinity];
  for (const coin of coins) {
    const coinSat = valueSat(coin);
    if (coinSat <= 0n) continue;
    broughtSat += coinSat;
    leastWeight = Math.min(leastWeight, INPUT_WEIGHT[coin.branch]);
  }
  return broughtSat === 0n ? 0n : broughtSat + feeForWeight(leastWeight, feeratePerKw);
}

type Spendable = Pick<Coin, 'amountSat' | 'branch'>;

/** Coins that cost more than they bring are not there to be spent. */
export function insufficient(request: SelectionRequest): GlowwormError {
  const { targetSat, reserveSat, feeratePerKw, reservePerKw } = request;
  const coins = worthwhile(request);
  const feeSat = feeForWeight(weightOf(request.baseWeight, coins), feeratePerKw);
  const availableSat = reserveSat === 0n ? sumOf(coins) : reserveValueSat(coins, reservePerKw);
  const neededSat = targetSat + feeSat + reserveSat;
  const sentence = `The wallet has ${availableSat} sat to spend, but ${neededSat} sat are needed with fee and reserve.`;
  return new GlowwormError('InsufficientFunds', sentence, { availableSat, neededSat, feeSat, reserveSat });
}

/** What coins bring at a feerate; what their inputs cost is reckoned once, for thousands of them. */
function effectiveSat(feeratePerKw: number): (coin: Spendable) => bigint {
  const costSat = ofBranch((weight) => feeForWeight(weight, feeratePerKw));
  return ({ amountSat, branch }) => amountSat - costSat[branch];
}

/** Something that follows from the weight of an input, for each branch. */
const ofBranch = <T>(of: (weight: number) => T): Readonly<Record<Branch, T>> =>
  Object.fromEntries(BRANCHES.map((branch) => [branch, of(INPUT_WEIGHT[branch])])) as Record<Branch, T>;

/** Weight of a transaction with the inputs that spend coins. */
export const weightOf = (baseWeight: number, coins: readonly Coin[]): number =>
  coins.reduce(
    (sum, { branch }) => sum + INPUT_WEIGHT[branch],
    baseWeight + (coins.length < LONG_COUNT ? 0 : LONG_COUNT_WEIGHT),
  );
