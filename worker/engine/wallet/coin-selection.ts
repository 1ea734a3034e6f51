import { GlowwormError } from '../primitives/errors.ts';
import { greatest, least } from '../primitives/bigints.ts';
import { compareOutpoints, type Coin, type PaidWeight } from './coin.ts';
import type { Branch } from './descriptors.ts';

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
}

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
/** Beyond this the transaction is more than the network relays, or an input count needs a second byte. */
const MAX_INPUTS = 250;
const MAX_TRIES = 20_000;

/** Weight of an output with a script of that length. */
export const outputWeight = (scriptLength: number): number => (9 + scriptLength) * 4;

/** The fee for a weight, rounded up so that the feerate is reached. */
export const feeForWeight = (weight: number, feeratePerKw: number): bigint =>
  (BigInt(weight) * BigInt(feeratePerKw) + 999n) / 1000n;

/** What a transaction's fee lacks of a feerate. */
export const lackingSat = ({ weight, feeSat }: PaidWeight, feeratePerKw: number): bigint =>
  greatest(0n, feeForWeight(weight, feeratePerKw) - feeSat);

/**
 * Chooses coins for a payment, always the same for the same request: confirmed coins before change of our own that is
 * not confirmed, a set that needs no change if there is one, otherwise the largest first. Throws `InsufficientFunds`
 * with `availableSat`, `neededSat`, `feeSat` and `reserveSat`.
 */
export function selectCoins(request: SelectionRequest): Selection {
  const candidates = worthwhile(request);
  const exact = withoutChange(request, candidates);
  if (exact && leavesReserve(request, exact)) return exact;
  const selection = largestFirst(request, candidates);
  if (selection && leavesReserve(request, selection)) return selection;
  throw insufficient(request, candidates);
}

/** Spends every coin that is worth its input; what is left is the payment. `reserveSat` comes back as change. */
export function selectAll(request: Omit<SelectionRequest, 'targetSat'>): Selection & { readonly paymentSat: bigint } {
  const coins = worthwhile({ ...request, targetSat: 0n });
  const changeSat = request.reserveSat >= CHANGE_DUST_SAT ? request.reserveSat : 0n;
  const weight = weightOf(request.baseWeight, coins) + (changeSat > 0n ? CHANGE_WEIGHT : 0);
  const feeSat = feeForWeight(weight, request.feeratePerKw);
  const paymentSat = total(coins) - feeSat - changeSat;
  if (coins.length === 0 || paymentSat <= 0n) throw insufficient({ ...request, targetSat: 0n }, coins);
  return { coins, feeSat, changeSat, paymentSat };
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

/** In the order of preference, and without coins that cost more than they bring. */
function worthwhile({ coins, feeratePerKw }: SelectionRequest): readonly Coin[] {
  return coins
    .filter((coin) => effectiveSat(coin, feeratePerKw) > 0n)
    .toSorted(
      (a, b) =>
        Number(a.height === undefined) - Number(b.height === undefined) ||
        Number(b.amountSat - a.amountSat) ||
        compareOutpoints(a, b),
    )
    .slice(0, MAX_INPUTS);
}

function largestFirst(request: SelectionRequest, candidates: readonly Coin[]): Selection | undefined {
  for (let count = 0; count <= candidates.length; count++) {
    const selection = complete(request, candidates.slice(0, count));
    if (selection) return selection;
  }
  return undefined;
}

/** The selection of exactly these coins, with change if it is worth an output; `undefined` when they are too few. */
function complete(request: SelectionRequest, coins: readonly Coin[]): Selection | undefined {
  const weight = weightOf(request.baseWeight, coins);
  const restSat = total(coins) - request.targetSat;
  const changeSat = restSat - feeForWeight(weight + CHANGE_WEIGHT, request.feeratePerKw);
  if (changeSat >= CHANGE_DUST_SAT) return { coins, feeSat: restSat - changeSat, changeSat };
  return restSat >= feeForWeight(weight, request.feeratePerKw) ? { coins, feeSat: restSat, changeSat: 0n } : undefined;
}

/** Branch and bound: depth first over taking or leaving each confirmed coin, for a sum that leaves nothing over. */
function withoutChange(request: SelectionRequest, candidates: readonly Coin[]): Selection | undefined {
  const { feeratePerKw } = request;
  const confirmed = candidates.filter(({ height }) => height !== undefined);
  const values = confirmed.map((coin) => effectiveSat(coin, feeratePerKw));
  const neededSat = request.targetSat + feeForWeight(request.baseWeight, feeratePerKw);
  // More than a change output and its later spending would cost is not worth giving away.
  const mostSat = neededSat + feeForWeight(CHANGE_WEIGHT + INPUT_WEIGHT.change, feeratePerKw);
  let tries = 0;
  const search = (at: number, sumSat: bigint, leftSat: bigint, taken: readonly Coin[]): readonly Coin[] | undefined => {
    if (++tries > MAX_TRIES || sumSat > mostSat || sumSat + leftSat < neededSat) return undefined;
    if (sumSat >= neededSat) return taken;
    const [coin, value] = [confirmed[at], values[at]];
    if (!coin || value === undefined) return undefined;
    return (
      search(at + 1, sumSat + value, leftSat - value, [...taken, coin]) ??
      search(at + 1, sumSat, leftSat - value, taken)
    );
  };
  const coins = search(
    0,
    0n,
    values.reduce((sum, value) => sum + value, 0n),
    [],
  );
  return coins && { coins, feeSat: total(coins) - request.targetSat, changeSat: 0n };
}

function leavesReserve({ coins, reserveSat, feeratePerKw }: SelectionRequest, selection: Selection): boolean {
  if (reserveSat === 0n) return true;
  const left = coins.filter((coin) => !selection.coins.includes(coin));
  const change: Spendable = { amountSat: selection.changeSat, branch: 'change' };
  return reserveValueSat(selection.changeSat > 0n ? [...left, change] : left, feeratePerKw) >= reserveSat;
}

/**
 * What coins are worth that are kept to pay for closes: less what each costs to spend, but for one, which the reserve has counted
 * in. A hundred small coins could otherwise be kept that bring nothing where blocks are dear.
 */
export function reserveValueSat(coins: readonly Spendable[], feeratePerKw: number): bigint {
  const worth = coins.filter((coin) => effectiveSat(coin, feeratePerKw) > 0n);
  if (worth.length === 0) return 0n;
  const brought = worth.reduce((sum, coin) => sum + effectiveSat(coin, feeratePerKw), 0n);
  return brought + feeForWeight(Math.min(...worth.map(({ branch }) => INPUT_WEIGHT[branch])), feeratePerKw);
}

type Spendable = Pick<Coin, 'amountSat' | 'branch'>;

function insufficient(request: SelectionRequest, candidates: readonly Coin[]): GlowwormError {
  const { targetSat, reserveSat, feeratePerKw } = request;
  const feeSat = feeForWeight(weightOf(request.baseWeight, candidates), feeratePerKw);
  const availableSat = reserveSat === 0n ? total(request.coins) : reserveValueSat(request.coins, feeratePerKw);
  const neededSat = targetSat + feeSat + reserveSat;
  const sentence = `the wallet has ${availableSat} sat to spend, but ${neededSat} sat are needed with fee and reserve`;
  return new GlowwormError('InsufficientFunds', sentence, { availableSat, neededSat, feeSat, reserveSat });
}

function effectiveSat(coin: Spendable, feeratePerKw: number): bigint {
  return coin.amountSat - feeForWeight(INPUT_WEIGHT[coin.branch], feeratePerKw);
}

const total = (coins: readonly Coin[]): bigint => coins.reduce((sum, { amountSat }) => sum + amountSat, 0n);

const weightOf = (baseWeight: number, coins: readonly Coin[]): number =>
  coins.reduce((sum, { branch }) => sum + INPUT_WEIGHT[branch], baseWeight);
