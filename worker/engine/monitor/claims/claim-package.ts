import { toHex } from '../../primitives/bytes.ts';
import type { ChannelMonitor } from '../channel-monitor.ts';
import {
  decodeTransaction,
  transactionId,
  transactionWeight,
  type Outpoint,
  type Transaction,
} from '../../transactions/transaction.ts';
import { isSameOutpoint } from '../../wallet/coin.ts';
import { leastFeerate } from '../../wallet/replacement.ts';
import { sumOf, type Replaced } from '../../wallet/wallet-transaction.ts';
import type { Claim } from './claim.ts';
import { deadlineOf, grouped, isContested } from './claim-groups.ts';
import {
  budgetPerKw,
  fallingFeerates,
  isBumpDue,
  RELAYED_PER_KW,
  REPLACEMENT_PER_KW,
  wantedFeerate,
} from './claim-fees.ts';
import {
  buildClaim,
  claimName,
  claimWeight,
  isFixed,
  isSameClaims,
  takesCoins,
  worthTaking,
  type ClaimParts,
} from './claim-transaction.ts';

/**
 * Claims that are taken together, for as long as any of them can still be lost in a reorganisation, and the transaction that
 * was last made for those of them that are there.
 */
export interface ClaimPackage {
  readonly outpoints: readonly Outpoint[];
  readonly tx: Transaction;
  readonly feeratePerKw: number;
  /** The height at which `tx` was made. */
  readonly height: number;
  /** The height at which the first was made. */
  readonly since: number;
}

/** What decides about claims at a moment. */
export interface ClaimConditions {
  /** Of the best block. */
  readonly height: number;
  /** The estimate for what should be in the chain soon. */
  readonly feeratePerKw: number;
}

/** As LDK has it: what is buried deeper stays in the chain. */
export const ANTI_REORG_DELAY = 6;

/**
 * Gives back the coins of packages of which another has taken something: before any other is made, of whatever channel. Those that
 * have to wait again after a reorganisation keep theirs.
 */
export function returnDeadCoins(
  parts: Pick<ClaimParts, 'coins'>,
  claims: readonly Claim[],
  packages: readonly ClaimPackage[],
): void {
  for (const each of packages) if (!takesOnly(each, claims)) returnCoins(parts, each.tx);
}

/** Takes the coins of those that can, where they are free, and lends them: another channel's claim may need them. */
export function lendLiveCoins(
  parts: ClaimParts,
  claims: readonly Claim[],
  packages: readonly ClaimPackage[],
  conditions: ClaimConditions,
): void {
  for (const each of packages) {
    if (!isLive(each, claims, conditions.height) || !hasCoins(parts, each)) continue;
    lendCoins(parts, each, claims, conditions);
  }
}

/** Whether a package's transaction should be in the mempool: what it takes is there, and the wallet keeps its coins for it. */
export const isBroadcast = (
  parts: Pick<ClaimParts, 'coins'>,
  each: ClaimPackage,
  claims: readonly Claim[],
  height: number,
): boolean => isLive(each, claims, height) && hasCoins(parts, each);

/**
 * The packages of a channel's claims after a block, each with the transaction that should be in the mempool. Those that could
 * not be made for want of coins, or were not worth it, are tried again with the next block.
 */
export function nextPackages(
  parts: ClaimParts,
  claims: readonly Claim[],
  before: readonly ClaimPackage[],
  conditions: ClaimConditions,
): readonly ClaimPackage[] {
  const kept = before.map((each) => {
    const next = renewed(parts, each, claims, conditions);
    lendCoins(parts, next, claims, conditions);
    return next;
  });
  const known = new Set(kept.flatMap(({ outpoints }) => outpoints.map(claimName)));
  const fresh = readyAt(claims, conditions.height).filter(({ outpoint }) => !known.has(claimName(outpoint)));
  const groups = grouped(fresh, conditions.height);
  const worth = groups.filter((group) => isWorthEstimate(parts, group, conditions));
  const others = groups.filter((group) => !worth.includes(group));
  return [...kept, ...[...worth, ...others].flatMap((group) => begun(parts, group, conditions))];
}

/**
 * Without those that are over: no reorganisation brings a claim back that was taken six blocks deep, or whose commitment another
 * has replaced so deep.
 */
export function withoutSettled(
  parts: Pick<ClaimParts, 'coins'>,
  packages: readonly ClaimPackage[],
  { confirmedSpend, outputSpends }: Pick<ChannelMonitor, 'confirmedSpend' | 'outputSpends'>,
  height: number,
): readonly ClaimPackage[] {
  const isDeep = (each: { readonly height: number } | undefined): boolean =>
    each !== undefined && height - each.height + 1 >= ANTI_REORG_DELAY;
  const settled = new Set(
    outputSpends.filter(isDeep).flatMap(({ transaction }) => decodeTransaction(transaction).inputs.map(claimName)),
  );
  const made = new Set(
    [confirmedSpend, ...outputSpends].flatMap((each) => (each === undefined ? [] : toHex(each.txid))),
  );
  const isOver = (outpoint: Outpoint): boolean =>
    settled.has(claimName(outpoint)) || (isDeep(confirmedSpend) && !made.has(toHex(outpoint.txid)));
  return packages.filter(({ outpoints, tx }) => {
    const isLeft = !outpoints.every(isOver);
    // Another has taken what it was to take.
    if (!isLeft) returnCoins(parts, tx);
    return isLeft;
  });
}

/** Whether a package's transaction can be in the next block: what it spends of the channel is there. */
export const isLive = (each: ClaimPackage, claims: readonly Claim[], height: number): boolean =>
  takesOnly(each, readyAt(claims, height));

function takesOnly({ tx, outpoints }: ClaimPackage, claims: readonly Claim[]): boolean {
  const there = new Set(claims.map(({ outpoint }) => claimName(outpoint)));
  const own = new Set(outpoints.map(claimName));
  return tx.inputs.map(claimName).every((name) => !own.has(name) || there.has(name));
}

/** What the next block may spend. */
const readyAt = (claims: readonly Claim[], height: number): readonly Claim[] =>
  claims.filter(({ validFrom }) => validFrom <= height + 1);

/** The packages of a group: what one leaves out, as not worth its fee, is tried on its own, at what is right for it. */
function begun(parts: ClaimParts, group: readonly Claim[], conditions: ClaimConditions): readonly ClaimPackage[] {
  const isAlone = takesCoins(group) && !isWorthEstimate(parts, group, conditions);
  const [found, left] = isAlone ? [undefined, group] : begunOnce(parts, group, conditions);
  if (found !== undefined) return [found, ...(left.length === 0 ? [] : begun(parts, left, conditions))];
  // The coins do not suffice for all, or others may need them: for the most valuable first, each alone.
  if (!isAlone && (group.length === 1 || !takesCoins(group))) return [];
  return group.toSorted(byValue).flatMap((claim) => begunOnce(parts, [claim], conditions)[0] ?? []);
}

/** A package at the highest of the feerates at which it can be made, and what it did not take. */
function begunOnce(
  parts: ClaimParts,
  group: readonly Claim[],
  conditions: ClaimConditions,
): readonly [ClaimPackage | undefined, readonly Claim[]] {
  const { height } = conditions;
  const lean = leanest(parts, group, conditions, height);
  const { wanted } = feerateFor(parts, lean, conditions, height);
  // Those that coins do not suffice for together are tried alone before they pay less than what is asked for.
  const isMany = takesCoins(group) && group.length > 1;
  const least = isMany ? Math.min(wanted, conditions.feeratePerKw) : RELAYED_PER_KW;
  for (const feeratePerKw of fallingFeerates(wanted, least)) {
    const taken = worthTaking(lean, feeratePerKw);
    const built = buildClaim(parts, taken, feeratePerKw, undefined);
    if (built === undefined) continue;
    keepCoins(parts, built.tx, taken);
    const outpoints = taken.map(({ outpoint }) => outpoint);
    const found = { ...built, outpoints, height, since: height };
    lendCoins(parts, found, taken, conditions);
    return [found, group.filter((claim) => !taken.includes(claim))];
  }
  return [undefined, group];
}

/** The same package with a new transaction, where one is due or what it took is not all there. */
function renewed(
  parts: ClaimParts,
  before: ClaimPackage,
  claims: readonly Claim[],
  conditions: ClaimConditions,
): ClaimPackage {
  const own = new Set(before.outpoints.map(claimName));
  const unspent = claims.filter(({ outpoint }) => own.has(claimName(outpoint)));
  const present = readyAt(unspent, conditions.height);
  // After a reorganisation some may have to wait again: the transaction that there is takes them then.
  if (present.length < unspent.length) return before;
  return takes(before, present) && hasCoins(parts, before)
    ? bumped(parts, before, present, conditions)
    : regrouped(parts, before, present, conditions);
}

/** All that the transaction takes is there: another takes its place when it is time, with the same claims and a higher fee. */
function bumped(
  parts: ClaimParts,
  before: ClaimPackage,
  present: readonly Claim[],
  conditions: ClaimConditions,
): ClaimPackage {
  const { height } = conditions;
  if (isFixed(present)) return before;
  const lean = leanest(parts, present, conditions, before.since);
  const alone = lean.length < present.length ? leaner(parts, before, present, lean, conditions) : undefined;
  if (alone !== undefined) return alone;
  const wanted = dueFeerate(parts, before, present, conditions);
  if (wanted === undefined) return before;
  const feerates = fallingFeerates(wanted, before.feeratePerKw + REPLACEMENT_PER_KW);
  return (
    replaced(parts, before, present, feerates, height, { tx: before.tx, feeSat: paidBy(parts, before.tx, present) }) ??
    before
  );
}

/** The feerate for claims, where what takes them should make way for a transaction that pays as much. */
function dueFeerate(
  parts: ClaimParts,
  before: ClaimPackage,
  claims: readonly Claim[],
  conditions: ClaimConditions,
): number | undefined {
  const { height } = conditions;
  const { wanted } = feerateFor(parts, claims, conditions, before.since);
  const now = { deadline: deadlineOf(claims), isContested: isContested(claims, height), ...conditions };
  return isBumpDue(before, wanted, now) ? wanted : undefined;
}

/**
 * Those of some claims that are worth what they add at the feerate which is right for them. A package can pay no more than what
 * it brings allows, and a peer could let what is worth much expire with a hundred HTLCs that are worth little.
 */
function leanest(
  parts: ClaimParts,
  claims: readonly Claim[],
  conditions: ClaimConditions,
  since: number,
): readonly Claim[] {
  const taken = worthTaking(claims, feerateFor(parts, claims, conditions, since).wanted);
  return taken.length === 0 || taken.length === claims.length ? claims : leanest(parts, taken, conditions, since);
}

/**
 * A package that does without what is not worth its fee any more, which then has one of its own. BIP 125: it pays more than what it
 * takes the place of, however much smaller it is; `undefined` where that is more than what is left is worth.
 */
function leaner(
  parts: ClaimParts,
  before: ClaimPackage,
  present: readonly Claim[],
  lean: readonly Claim[],
  conditions: ClaimConditions,
): ClaimPackage | undefined {
  const due = dueFeerate(parts, before, lean, conditions);
  if (due === undefined) return undefined;
  const feeSat = paidBy(parts, before.tx, present);
  const displaced = [{ feeSat, weight: transactionWeight(before.tx) }];
  const least = leastFeerate(displaced, claimWeight(lean, parts.destinationScript));
  if (least > feerateFor(parts, lean, conditions, before.since).most) return undefined;
  const feerates = fallingFeerates(Math.max(due, least), least);
  const alone = replaced(parts, before, lean, feerates, conditions.height, { tx: before.tx, feeSat });
  return alone && { ...alone, outpoints: lean.map(({ outpoint }) => outpoint) };
}

/** The fee of a transaction that takes some claims, and coins that the wallet keeps for it. */
const paidBy = ({ coins }: ClaimParts, tx: Transaction, claims: readonly Claim[]): bigint =>
  sumOf(claims) + sumOf(coins.coinsSpentBy(transactionId(tx))) - sumOf(tx.outputs);

/**
 * Some of what the transaction takes was taken by another, or is there again: what is there is taken anew. The fee does not
 * start anew with it (S15), as far as what is left is worth it.
 */
function regrouped(
  parts: ClaimParts,
  before: ClaimPackage,
  present: readonly Claim[],
  conditions: ClaimConditions,
): ClaimPackage {
  const isValid = isLive(before, present, conditions.height) && hasCoins(parts, before);
  if (!isValid) returnCoins(parts, before.tx);
  if (present.length === 0) return before;
  const { wanted, most } = feerateFor(parts, present, conditions, before.since);
  const kept = isValid ? before.feeratePerKw + REPLACEMENT_PER_KW : Math.min(before.feeratePerKw, most);
  // What is still valid makes way only for more.
  const feerates = fallingFeerates(Math.max(wanted, kept), isValid ? kept : RELAYED_PER_KW);
  const taken = present.filter(({ outpoint }) => before.tx.inputs.some((input) => isSameOutpoint(input, outpoint)));
  const replaces = isValid ? { tx: before.tx, feeSat: paidBy(parts, before.tx, taken) } : undefined;
  const next = replaced(parts, before, present, feerates, conditions.height, replaces);
  // It goes on being broadcast, and what pays for it must not go elsewhere.
  if (next === undefined && isValid) keepCoins(parts, before.tx, taken);
  return next ?? before;
}

/** A package with a transaction that takes some claims at the first of several feerates at which it can be made. */
function replaced(
  parts: ClaimParts,
  before: ClaimPackage,
  claims: readonly Claim[],
  feerates: readonly number[],
  height: number,
  replaces: Replaced | undefined,
): ClaimPackage | undefined {
  for (const feeratePerKw of feerates) {
    const built = buildClaim(parts, claims, feeratePerKw, replaces);
    if (built === undefined) continue;
    returnCoins(parts, before.tx);
    keepCoins(parts, built.tx, claims);
    return { ...before, ...built, height };
  }
  return undefined;
}

/** The wallet spends no coins elsewhere that are to pay for a claim. */
function keepCoins({ coins }: ClaimParts, tx: Transaction, claims: readonly Claim[]): void {
  if (tx.inputs.length > claims.length) coins.transactionMade(tx);
}

/**
 * Coins do not wait for what is not worth the estimate: whatever pays that may take its place and its coins. A peer could otherwise
 * hold every coin by HTLCs of little worth, until one of much worth has expired.
 */
function lendCoins(parts: ClaimParts, each: ClaimPackage, claims: readonly Claim[], conditions: ClaimConditions): void {
  const { tx, outpoints } = each;
  const names = new Set(outpoints.map(claimName));
  const own = claims.filter(({ outpoint }) => names.has(claimName(outpoint)));
  if (!takesCoins(own) || isWorthEstimate(parts, own, conditions) || !hasCoins(parts, each)) return;
  const { feeratePerKw } = conditions;
  parts.coins.lend({
    txid: transactionId(tx),
    weight: transactionWeight(tx),
    feeSat: paidBy(parts, tx, own),
    feeratePerKw,
  });
}

/**
 * Whether claims may pay what is asked for. What may not takes a coin alone: BIP 125 has whatever takes the coin pay the fee of the
 * whole transaction, and many of little worth pay more together than one of much worth can.
 */
const isWorthEstimate = (parts: ClaimParts, claims: readonly Claim[], conditions: ClaimConditions): boolean =>
  feerateFor(parts, leanest(parts, claims, conditions, conditions.height), conditions, conditions.height).most >=
  conditions.feeratePerKw;

/** Of a transaction that cannot be in the chain any more, or is to be replaced: what it spent is there, and what it paid is not. */
function returnCoins({ coins }: Pick<ClaimParts, 'coins'>, tx: Transaction): void {
  const txid = transactionId(tx);
  if (!coins.isConfirmed(txid)) coins.transactionDropped(txid);
}

/** The inputs that take claims; the rest are coins. */
function claimInputs({ tx, outpoints }: ClaimPackage): number {
  const own = new Set(outpoints.map(claimName));
  return tx.inputs.filter((input) => own.has(claimName(input))).length;
}

/** Whether a package's transaction takes these claims, and no others. */
const takes = (before: ClaimPackage, claims: readonly Claim[]): boolean =>
  claimInputs(before) === claims.length && isSameClaims(before.tx, claims);

/** Whether the coins that were to pay are there; those that the mempool is said to have dropped are taken again. */
function hasCoins({ coins }: Pick<ClaimParts, 'coins'>, before: ClaimPackage): boolean {
  const { tx } = before;
  const expected = tx.inputs.length - claimInputs(before);
  const has = (): boolean => coins.coinsSpentBy(transactionId(tx)).length >= expected;
  if (has()) return true;
  coins.transactionMade(tx);
  return has();
}

/** The feerate for claims, and the most that they are worth. */
function feerateFor(
  { destinationScript }: ClaimParts,
  claims: readonly Claim[],
  { height, feeratePerKw }: ClaimConditions,
  since: number,
): { readonly wanted: number; readonly most: number } {
  const terms = {
    weight: claimWeight(claims, destinationScript),
    valueSat: sumOf(claims),
    deadline: deadlineOf(claims),
    since,
    isContested: isContested(claims, height),
  };
  return { wanted: wantedFeerate(terms, feeratePerKw, height), most: budgetPerKw(terms) };
}

const byValue = (a: Claim, b: Claim): number => Number(b.amountSat - a.amountSat);
