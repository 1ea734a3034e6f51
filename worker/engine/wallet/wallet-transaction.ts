import { compareBytes } from '../primitives/bytes.ts';
import {
  encodeTransaction,
  transactionId,
  type Outpoint,
  type Transaction,
  type TransactionInput,
  type TransactionOutput,
} from '../transactions/transaction.ts';
import type { Coin, PaidWeight } from './coin.ts';

/** A signed transaction of the wallet. */
export interface WalletTransaction {
  readonly tx: Transaction;
  readonly rawTx: Uint8Array;
  /** 32 bytes, wire order */
  readonly txid: Uint8Array;
  readonly feeSat: bigint;
}

/** A signed transaction that pays somebody. */
export interface WalletPayment extends WalletTransaction {
  /** What is no change. */
  readonly paidSat: bigint;
}

/** A payment before its signatures. */
export interface UnsignedTransaction {
  readonly tx: Transaction;
  /** What its inputs spend, in order. */
  readonly coins: readonly Coin[];
  readonly prevouts: readonly TransactionOutput[];
  readonly feeSat: bigint;
  readonly paidSat: bigint;
}

export interface SpendTerms {
  readonly feeratePerKw: number;
  /** Kept in the wallet for bumping fees. */
  readonly reserveSat: bigint;
  /** What is kept counts for what it brings at this feerate, whatever is paid now. */
  readonly reservePerKw: number;
}

/** For what is paid anew. What takes the place of a payment needs no more than `SpendTerms`: the two cannot both be in the chain. */
export interface PaymentTerms extends SpendTerms {
  /** The reserve is kept in coins of so much, as far as change can be split into them: a coin pays for one close at a time. */
  readonly reserveCoinSat: bigint;
  /** The coins of each earlier payment that a payment must not be beside in the chain: it spends one of each. */
  readonly against: readonly (readonly Outpoint[])[];
}

/** What someone else's inputs bring into a transaction that the wallet pays the fee of. */
export interface BumpRequest {
  /** Unsigned; its inputs and outputs keep their indexes. */
  readonly tx: Transaction;
  /** What its inputs spend, in order. */
  readonly prevouts: readonly TransactionOutput[];
  /** Of the witnesses that its inputs will get. */
  readonly witnessWeight: number;
  /** An unconfirmed parent that is to reach the feerate too. */
  readonly parent?: PaidWeight;
  readonly feeratePerKw: number;
  /** The most that it may cost. */
  readonly mostSat: bigint;
  readonly replaces?: Replaced | undefined;
}

/** A transaction of ours, not confirmed, that another takes the place of: the coins that the wallet keeps for it are spent again. */
export interface Replaced {
  readonly tx: Transaction;
  readonly feeSat: bigint;
}

/** Replaceable (BIP 125), so that a payment that got stuck can be bumped. */
const SEQUENCE = 0xffff_fffd;

/** A signed transaction with its encoding and id. */
export const walletTransaction = (tx: Transaction, feeSat: bigint): WalletTransaction => ({
  tx,
  rawTx: encodeTransaction(tx),
  txid: transactionId(tx),
  feeSat,
});

/** The unsigned input that spends a coin. */
export const inputOf = ({ txid, vout }: Coin): TransactionInput => ({
  txid,
  vout,
  sequence: SEQUENCE,
  scriptSig: new Uint8Array(0),
  witness: [],
});

/** The amounts of outputs together, in satoshi. */
export const sumOf = (outputs: readonly Pick<TransactionOutput, 'amountSat'>[]): bigint =>
  outputs.reduce((before, { amountSat }) => before + amountSat, 0n);

/** What transactions cost together, in satoshi. */
export const feesOf = (transactions: readonly { readonly feeSat: bigint }[]): bigint =>
  transactions.reduce((before, { feeSat }) => before + feeSat, 0n);

/** BIP 69: the order tells nobody which output is the change. */
export function compareOutputs(a: TransactionOutput, b: TransactionOutput): number {
  if (a.amountSat !== b.amountSat) return a.amountSat < b.amountSat ? -1 : 1;
  return compareBytes(a.script, b.script);
}
