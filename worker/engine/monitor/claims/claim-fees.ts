import { REPLACEMENT_PER_KW, ROUNDED_RELAY_PER_KW as RELAYED_PER_KW } from '../../primitives/feerates.ts';

export { REPLACEMENT_PER_KW, RELAYED_PER_KW };

/** What a claim's transaction is paid by: what it may cost, and by when it has to be in the chain. */
export interface FeeTerms {
  readonly weight: number;
  /** What the claims bring before fees. */
  readonly valueSat: bigint;
  /** The first block in which the counterparty could take one of them, where there is such a block. */
  readonly deadline: number | undefined;
  /** The height at which these claims were first made. */
  readonly since: number;
  /** The counterparty may take them too: then they cannot wait for a cheaper time. */
  readonly isContested: boolean;
}

/** 2,000 sat/vB: nothing has ever had to pay as much, and Bitcoin Core's RPC refuses 10,000 as a mistake. */
const MOST_PER_KW = 500_000;
/** A rise of the estimate by this much is followed at once; smaller ones cost more in replacements than they bring. */
const FOLLOWED_RISE = 1.25;

/**
 * Half of what is at stake, as lnd has it: with more a thief who can only burn fees would cost us more than half. A tenth where
 * nobody else can take it: it waits for a cheaper time.
 */
export function budgetPerKw({ valueSat, isContested, weight }: FeeTerms): number {
  const budgetSat = valueSat / (isContested ? 2n : 10n);
  const perKw = Number((budgetSat * 1000n) / BigInt(weight));
  return Math.min(Math.max(perKw, RELAYED_PER_KW), MOST_PER_KW);
}

/**
 * The feerate for a claim at a height: the estimate, within the claim's budget. By a deadline it rises in a line from there to
 * the whole budget, one block before the counterparty could take it.
 */
export function wantedFeerate(terms: FeeTerms, estimatePerKw: number, height: number): number {
  const start = Math.max(estimatePerKw, RELAYED_PER_KW);
  const most = budgetPerKw(terms);
  if (most <= start) return most;
  if (terms.deadline === undefined) return start;
  // What is broadcast at `height` can be in the next block.
  const last = terms.deadline - 2;
  if (height >= last) return most;
  const passed = Math.max(0, height - terms.since) / Math.max(1, last - terms.since);
  return Math.floor(start + (most - start) * passed);
}

/** LDK's timer: how many blocks pass before a claim is made again at a higher fee. */
export function bumpInterval(deadline: number | undefined, height: number): number {
  if (deadline === undefined) return 15;
  const left = deadline - height;
  if (left <= 3) return 1;
  return left <= 15 ? 3 : 15;
}

/** Whether a transaction should make way for one at another feerate: BIP 125 lets it, and its time has come. */
export function isBumpDue(
  before: { readonly feeratePerKw: number; readonly height: number },
  wantedPerKw: number,
  now: {
    readonly deadline: number | undefined;
    readonly isContested: boolean;
    readonly height: number;
    readonly feeratePerKw: number;
  },
): boolean {
  if (wantedPerKw < before.feeratePerKw + REPLACEMENT_PER_KW) return false;
  // What nobody else can take is not worth more because the next hour is dear.
  const isOvertaken = now.isContested && now.feeratePerKw >= before.feeratePerKw * FOLLOWED_RISE;
  return isOvertaken || now.height - before.height >= bumpInterval(now.deadline, now.height);
}

/** What is tried where coins may be short: from the wanted feerate down to the least, each half as far from it as the one before. */
export function fallingFeerates(wantedPerKw: number, leastPerKw: number): readonly number[] {
  if (wantedPerKw - leastPerKw < REPLACEMENT_PER_KW) return wantedPerKw < leastPerKw ? [] : [leastPerKw];
  return [wantedPerKw, ...fallingFeerates(Math.floor((wantedPerKw + leastPerKw) / 2), leastPerKw)];
}
