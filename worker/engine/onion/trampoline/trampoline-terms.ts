import type { Failure } from '../failure-message.ts';

/** Why a trampoline node does not pass a payment on. */
export type TrampolineFault =
  /** What the sender leaves for fees, or for time, is too little: it may try again with more. */
  | 'feeInsufficient'
  | 'expiryTooSoon'
  /** Nobody knows a way to the next node. */
  | 'unknownNext'
  /** There is a way, but none of those that were tried works now. */
  | 'temporary';

/** What a trampoline node wants for passing a payment on. */
export interface TrampolineTerms {
  readonly feeBaseMsat: number;
  readonly feeProportionalMillionths: number;
  readonly cltvExpiryDelta: number;
}

/** A payment as it comes to a trampoline node, all parts together, and as it is to leave. */
export interface TrampolineRelay {
  readonly receivedMsat: bigint;
  /** The earliest of its parts. */
  readonly cltvExpiry: number;
  readonly amtToForward: bigint;
  readonly outgoingCltvValue: number;
}

/** The fee for an amount that is passed on, as BOLT 7 rounds it. */
export const trampolineFeeMsat = (terms: Omit<TrampolineTerms, 'cltvExpiryDelta'>, amtToForward: bigint): bigint =>
  BigInt(terms.feeBaseMsat) + (amtToForward * BigInt(terms.feeProportionalMillionths)) / 1_000_000n;

/** What stands against passing a payment on; `undefined`: nothing. */
export function relayFault(
  terms: TrampolineTerms,
  { receivedMsat, cltvExpiry, amtToForward, outgoingCltvValue }: TrampolineRelay,
  blockHeight: number,
): Extract<TrampolineFault, 'feeInsufficient' | 'expiryTooSoon'> | undefined {
  if (receivedMsat - amtToForward < trampolineFeeMsat(terms, amtToForward)) return 'feeInsufficient';
  if (cltvExpiry - outgoingCltvValue < terms.cltvExpiryDelta) return 'expiryTooSoon';
  return outgoingCltvValue <= blockHeight ? 'expiryTooSoon' : undefined;
}

/**
 * What to try again with when a trampoline node asks for more; `undefined` for every other failure. The terms are what the
 * node says, up to all bitcoin: how much more is paid is for the sender to say.
 */
export function wantedTerms(failure: Failure): TrampolineTerms | 'more' | undefined {
  switch (failure.kind) {
    case 'trampoline_fee_insufficient':
    case 'trampoline_expiry_too_soon':
      return 'more';
    case 'trampoline_fee_or_expiry_insufficient': {
      const { feeBaseMsat, feeProportionalMillionths, cltvExpiryDelta } = failure;
      return { feeBaseMsat, feeProportionalMillionths, cltvExpiryDelta };
    }
    default:
      return undefined;
  }
}
