import { GlowwormError } from './errors.ts';

declare const unit: unique symbol;
type Unit<Base, Name extends string> = Base & { readonly [unit]: Name };

/** Thousandths of a satoshi, 0 to 21e17. */
export type Msat = Unit<bigint, 'Msat'>;
/** Satoshi, 0 to 21e14. */
export type Sat = Unit<bigint, 'Sat'>;
/** Satoshi per 1000 weight units. */
export type FeeratePerKw = Unit<number, 'FeeratePerKw'>;

/** 21 million bitcoin: no amount is more. */
export const MAX_SAT: bigint = 21_000_000n * 100_000_000n;
export const MAX_MSAT: bigint = MAX_SAT * 1000n;

function checkedAmount(value: bigint, most: bigint, name: string): bigint {
  if (value < 0n || value > most) throw new GlowwormError('AmountOutOfRange', `${value} is not an amount in ${name}`);
  return value;
}

/** An amount in millisatoshi. Throws `AmountOutOfRange` when negative or above 21 million bitcoin. */
export const msat = (value: bigint): Msat => checkedAmount(value, MAX_MSAT, 'msat') as Msat;

/** An amount in satoshi. Throws `AmountOutOfRange` when negative or above 21 million bitcoin. */
export const sat = (value: bigint): Sat => checkedAmount(value, MAX_SAT, 'sat') as Sat;

/** Millisatoshi to satoshi, rounded down, as BOLT 3 does for every output of a commitment transaction. */
export const msatToSatFloor = (value: Msat): Sat => sat(value / 1000n);

/** A feerate in satoshi per 1000 weight. Throws `AmountOutOfRange` unless it fits the u32 of BOLT 2. */
export function feeratePerKw(value: number): FeeratePerKw {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff)
    throw new GlowwormError('AmountOutOfRange', `${value} is not a feerate per kw`);
  return value as FeeratePerKw;
}
