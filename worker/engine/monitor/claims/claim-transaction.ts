import type { ClaimSigner } from '../../keys/claim-signer.ts';
import { greatest } from '../../primitives/bigints.ts';
import { toHex } from '../../primitives/bytes.ts';
import { GlowwormError } from '../../primitives/errors.ts';
import { htlcTransaction } from '../../transactions/htlc-transaction.ts';
import { dustLimitSat } from '../../transactions/shutdown-script.ts';
import {
  transactionWeight,
  type Outpoint,
  type Transaction,
  type TransactionInput,
} from '../../transactions/transaction.ts';
import {
  CHANGE_WEIGHT,
  feeForWeight,
  INPUT_WEIGHT,
  outputWeight,
  OVERHEAD_WEIGHT,
} from '../../wallet/coin-selection.ts';
import { isSameOutpoint, type Coin } from '../../wallet/coin.ts';
import { leastFeeSat } from '../../wallet/replacement.ts';
import type { Lent } from '../../wallet/wallet-state.ts';
import { sumOf, type BumpRequest, type Replaced, type WalletTransaction } from '../../wallet/wallet-transaction.ts';
import { RELAYED_PER_KW } from './claim-fees.ts';
import { locktimeOf, sequenceOf, witnessWeightOf, type Claim } from './claim.ts';
import { signClaims } from './claim-signing.ts';

/** Coins that pay for what cannot pay for itself: HTLC transactions with anchors. The wallet implements it. */
export interface CoinSelectionSource {
  /** Throws `InsufficientFunds`. */
  bump(request: BumpRequest): WalletTransaction;
  /** What there is to pay with at a feerate, less what spending costs of each coin but one. */
  valueSat(feeratePerKw: number): bigint;
  coinsSpentBy(txid: Uint8Array): readonly Coin[];
  isConfirmed(txid: Uint8Array): boolean;
  transactionMade(tx: Transaction): void;
  transactionDropped(txid: Uint8Array): void;
  /** Lets whatever pays a feerate take the coins of a transaction. */
  lend(lent: Lent): void;
}

/** What claims are made with. */
export interface ClaimParts {
  readonly signer: ClaimSigner;
  readonly coins: CoinSelectionSource;
  /** Where claims pay to. */
  readonly destinationScript: Uint8Array;
}

/** A signed transaction that takes some claims, and the feerate that it was made for: it pays that, unless its fee is agreed upon. */
export interface BuiltClaim {
  readonly tx: Transaction;
  readonly feeratePerKw: number;
}

const INPUT_BASE_WEIGHT = 164;

export const claimName = ({ txid, vout }: Outpoint): string => `${toHex(txid)}:${vout}`;

/** Whether claims are taken by HTLC transactions whose outputs were signed by the counterparty. */
const isHtlcTransaction = ([first]: readonly Claim[]): boolean => first?.kind === 'holderHtlc';

/** Whether a transaction's fee was agreed upon with its commitment, and nothing can raise it. */
export const isFixed = ([first]: readonly Claim[]): boolean =>
  first?.kind === 'holderHtlc' && first.input.format === 'static_remotekey';

/** Whether the wallet pays for them. */
export const takesCoins = (claims: readonly Claim[]): boolean => isHtlcTransaction(claims) && !isFixed(claims);

/** Of the whole transaction; with one coin for the fee, where it needs some. */
export function claimWeight(claims: readonly Claim[], destinationScript: Uint8Array): number {
  const inputs = claims.reduce((sum, claim) => sum + inputWeight(claim), 0);
  const outputs = isHtlcTransaction(claims)
    ? claims.length * outputWeight(P2WSH_BYTES) + INPUT_WEIGHT.receive + CHANGE_WEIGHT
    : outputWeight(destinationScript.length);
  return OVERHEAD_WEIGHT + inputs + outputs;
}

const P2WSH_BYTES = 34;
const inputWeight = (claim: Claim): number => INPUT_BASE_WEIGHT + witnessWeightOf(claim);

/**
 * The transaction that takes claims of one package at a feerate; `undefined` where they are not worth it, or there are no
 * coins for it.
 */
export function buildClaim(
  parts: ClaimParts,
  claims: readonly Claim[],
  feeratePerKw: number,
  replaces: Replaced | undefined,
): BuiltClaim | undefined {
  if (isFixed(claims)) return fixedHtlcTransaction(parts, claims, feeratePerKw);
  if (isHtlcTransaction(claims)) return bumpedHtlcTransaction(parts, claims, feeratePerKw, replaces);
  return claimToDestination(parts, claims, feeratePerKw, replaces);
}

/** Those that are worth what they add to a transaction at a feerate, whoever pays for it; all where the fee is agreed upon. */
export function worthTaking(claims: readonly Claim[], feeratePerKw: number): readonly Claim[] {
  if (isFixed(claims)) return claims;
  const ownOutput = isHtlcTransaction(claims) ? outputWeight(P2WSH_BYTES) : 0;
  return claims.filter((claim) => claim.amountSat > feeForWeight(inputWeight(claim) + ownOutput, feeratePerKw));
}

/** Whether claims of one package bring more than what takes them costs at a feerate, so that it can be made; with coins enough. */
export function isWorthMaking(claims: readonly Claim[], feeratePerKw: number, destinationScript: Uint8Array): boolean {
  if (claims.length === 0 || isFixed(claims)) return claims.length > 0;
  const leftSat = sumOf(claims) - feeForWeight(claimWeight(claims, destinationScript), feeratePerKw);
  return isHtlcTransaction(claims) ? leftSat > 0n : leftSat >= dustLimitSat(destinationScript);
}

/** A transaction that pays for itself out of what it takes. */
function claimToDestination(
  { signer, destinationScript }: ClaimParts,
  claims: readonly Claim[],
  feeratePerKw: number,
  replaces: Replaced | undefined,
): BuiltClaim | undefined {
  if (!isWorthMaking(claims, feeratePerKw, destinationScript)) return undefined;
  const weight = claimWeight(claims, destinationScript);
  // The feerate is rounded: at one that suffices, a satoshi may be missing of what nodes ask of a replacement.
  const displaced = replaces === undefined ? [] : [{ ...replaces, weight: transactionWeight(replaces.tx) }];
  const feeSat = greatest(feeForWeight(weight, feeratePerKw), leastFeeSat(displaced, weight));
  const amountSat = sumOf(claims) - feeSat;
  if (amountSat < dustLimitSat(destinationScript)) return undefined;
  const unsigned: Transaction = {
    version: 2,
    inputs: claims.map(inputOf),
    outputs: [{ amountSat, script: destinationScript }],
    locktime: Math.max(...claims.map(locktimeOf)),
  };
  return { tx: signClaims(signer, unsigned, claims), feeratePerKw };
}

/** Without anchors an HTLC transaction is what both have signed. */
function fixedHtlcTransaction(
  { signer }: ClaimParts,
  claims: readonly Claim[],
  feeratePerKw: number,
): BuiltClaim | undefined {
  const unsigned = htlcTransactionsOf(claims);
  return unsigned && { tx: signClaims(signer, unsigned, claims), feeratePerKw };
}

/** With anchors the counterparty's signatures cover one input and its output each: coins are added for the fee. */
function bumpedHtlcTransaction(
  { signer, coins }: ClaimParts,
  claims: readonly Claim[],
  feeratePerKw: number,
  replaces: Replaced | undefined,
): BuiltClaim | undefined {
  const unsigned = htlcTransactionsOf(claims);
  if (unsigned === undefined) return undefined;
  const prevouts = claims.map(({ amountSat, script }) => ({ amountSat, script }));
  const witnessWeight = claims.reduce((sum, claim) => sum + witnessWeightOf(claim), 0);
  try {
    // At the least that is relayed it is this or nothing.
    const mostSat = feeratePerKw > RELAYED_PER_KW ? sumOf(claims) / 2n : sumOf(claims) - 1n;
    const { tx } = coins.bump({ tx: unsigned, prevouts, witnessWeight, feeratePerKw, mostSat, replaces });
    return { tx: signClaims(signer, tx, claims), feeratePerKw };
  } catch (error) {
    if (error instanceof GlowwormError && error.code === 'InsufficientFunds') return undefined;
    throw error;
  }
}

/** The HTLC transactions of claims in one, input by input and output by output (BOLT 3, HTLC-Timeout and HTLC-Success). */
function htlcTransactionsOf(claims: readonly Claim[]): Transaction | undefined {
  const each = claims.flatMap((claim) =>
    claim.kind === 'holderHtlc' ? [htlcTransaction(claim.input, claim.outpoint.txid, claim.htlc)] : [],
  );
  if (each.length !== claims.length || each.length === 0) return undefined;
  return {
    version: 2,
    inputs: each.flatMap(({ inputs }) => inputs),
    outputs: each.flatMap(({ outputs }) => outputs),
    locktime: Math.max(...each.map(({ locktime }) => locktime)),
  };
}

/** Whether the first inputs of a transaction are these claims, in order. */
export const isSameClaims = ({ inputs }: Transaction, claims: readonly Claim[]): boolean =>
  claims.every(({ outpoint }, index) => {
    const input = inputs[index];
    return input !== undefined && isSameOutpoint(input, outpoint);
  });

const inputOf = (claim: Claim): TransactionInput => ({
  ...claim.outpoint,
  sequence: sequenceOf(claim),
  scriptSig: new Uint8Array(0),
  witness: [],
});
