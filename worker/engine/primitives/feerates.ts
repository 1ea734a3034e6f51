/** 1 sat/vB, the least that nodes relay, in satoshi per 1000 weight: a vbyte is four weight units. */
export const RELAY_PER_KW = 250;
/**
 * The same for a transaction whose size in vbytes is rounded up from its weight, while its fee is reckoned from the weight and
 * rounded down: at 250 it could miss 1 sat/vB by a satoshi.
 */
export const ROUNDED_RELAY_PER_KW = 253;
/** Satoshi per vbyte as satoshi per 1000 weight. What somebody has chosen is reached, and relayed. */
export const perKwOfVbyte = (perVbyte: number): number =>
  Math.max(ROUNDED_RELAY_PER_KW, Math.ceil(perVbyte * RELAY_PER_KW));
/** Satoshi per 1000 weight as satoshi per vbyte, for people. */
export const perVbyteOfKw = (perKw: number): number => perKw / RELAY_PER_KW;
/** BIP 125: a replacement pays 1 sat/vB for its own relay beside what it replaces paid. */
export const REPLACEMENT_PER_KW = 250;
/**
 * 4 sat/vB. Where fees are low two honest nodes' estimates differ by more than a factor, by the server and by the hour; what
 * is less than this is no money, and to quarrel about it ends in a close by force that costs some.
 */
export const INDISPUTABLE_PER_KW: number = 4 * RELAY_PER_KW;
