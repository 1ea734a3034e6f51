import { equalBytes, toHex } from '../primitives/bytes.ts';
import { COINBASE_MATURITY } from '../primitives/lock-times.ts';
import type { Outpoint } from '../transactions/transaction.ts';
import type { ScriptOrigin } from './descriptors.ts';

/**
 * An output that pays to the wallet. It stays when it is spent: the chain may tell of the transaction that made it again,
 * for the sake of another output, and say nothing of the spending.
 */
export interface Coin extends Outpoint, ScriptOrigin {
  readonly amountSat: bigint;
  /** Height of its block; absent while it is not confirmed. */
  readonly height?: number;
  readonly coinbase: boolean;
  /** Made by a transaction that spends coins of the wallet: change or a payment to itself, not money that came. */
  readonly own: boolean;
  /**
   * Made by a transaction that spends nothing but coins of the wallet: nobody else can replace it. The change of an
   * anchor's child is `own` but not this: a commitment of the counterparty takes the child away.
   */
  readonly trusted: boolean;
  /** The transaction that made it, where nothing but coins of the wallet paid for that: what it weighs, and paid. */
  readonly made?: PaidWeight;
  readonly spentBy?: { readonly txid: Uint8Array; readonly height?: number };
}

/** A weight, and the fee that was paid for it. */
export interface PaidWeight {
  readonly weight: number;
  readonly feeSat: bigint;
}

/** Whether a coin may be spent in the block after `bestHeight`: unspent, mature, and confirmed or trusted. */
export function isSpendable(coin: Coin, bestHeight: number): boolean {
  if (coin.spentBy) return false;
  if (coin.height === undefined) return coin.trusted;
  return !coin.coinbase || bestHeight - coin.height + 1 >= COINBASE_MATURITY;
}

export const isConfirmed = ({ height }: Coin): boolean => height !== undefined;

export const isSameOutpoint = (a: Outpoint, b: Outpoint): boolean => a.vout === b.vout && equalBytes(a.txid, b.txid);

/** What maps know an outpoint by; in a set it is looked for by `among`. */
export const outpointName = ({ txid, vout }: Outpoint): string => `${toHex(txid)}:${vout}`;

/** Whether an outpoint is one of some, for thousands of both: they are found by the first bytes of their txids. */
export function among(outpoints: readonly Outpoint[]): (outpoint: Outpoint) => boolean {
  const byStart = new Map<number, Outpoint[]>();
  for (const outpoint of outpoints) {
    const others = byStart.get(startOf(outpoint));
    if (others === undefined) byStart.set(startOf(outpoint), [outpoint]);
    else others.push(outpoint);
  }
  return (outpoint) => byStart.get(startOf(outpoint))?.some((other) => isSameOutpoint(other, outpoint)) ?? false;
}

/** As `among`, of transactions. */
export function amongTxids(txids: readonly Uint8Array[]): (txid: Uint8Array) => boolean {
  const isOne = among(txids.map((txid) => ({ txid, vout: 0 })));
  return (txid) => isOne({ txid, vout: 0 });
}

const startOf = ({ txid, vout }: Outpoint): number =>
  (txid[0] ?? 0) | ((txid[1] ?? 0) << 8) | ((txid[2] ?? 0) << 16) | ((vout & 0x7f) << 24);

/** BIP 69 order of inputs; txids are compared as explorers print them, from the last byte of the wire order. */
export function compareOutpoints(a: Outpoint, b: Outpoint): number {
  for (let i = Math.min(a.txid.length, b.txid.length) - 1; i >= 0; i--) {
    const difference = (a.txid[i] ?? 0) - (b.txid[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.vout - b.vout;
}
