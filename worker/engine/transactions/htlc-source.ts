import type { Msat } from '../primitives/units.ts';

/** An inbound HTLC that an outbound one passes on, with what is needed to answer it whatever has become of its channel's record. */
export interface PreviousHop {
  /** Channel id in hex. */
  readonly channelKey: string;
  readonly htlcId: bigint;
  readonly amountMsat: Msat;
  readonly cltvExpiry: number;
  /** With its sender, 32 bytes: a failure is wrapped with it (BOLT 4, Returning Errors). */
  readonly sharedSecret: Uint8Array;
}

/**
 * For whom an outbound HTLC is there: LDK's `HTLCSource`. An HTLC without one belongs to a payment of ours, which is found by its hash.
 * Kept with the HTLC in its channel and in its monitor.
 */
export interface HtlcSource {
  readonly kind: 'forward';
  readonly previous: PreviousHop;
  /** What is kept of the amount that the sender meant, as the payee has agreed to: `update_add_htlc` says so. */
  readonly skimmedFeeMsat: Msat;
}

/** Whether an outbound HTLC passes an inbound one on. */
export const passesOn = (
  { previous }: HtlcSource,
  { channelKey, htlcId }: Pick<PreviousHop, 'channelKey' | 'htlcId'>,
): boolean => previous.channelKey === channelKey && previous.htlcId === htlcId;
