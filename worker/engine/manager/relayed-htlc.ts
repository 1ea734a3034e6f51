import { CLTV_CLAIM_BUFFER, LATENCY_GRACE_PERIOD_BLOCKS } from '../primitives/lock-times.ts';
import type { ChannelHtlc } from '../transactions/channel-htlc.ts';
import type { PreviousHop } from '../transactions/htlc-source.ts';

/** An inbound HTLC that is to go on, and what its onion says about that. Amounts in msat. */
export interface RelayedHtlc {
  readonly channelKey: string;
  readonly htlc: ChannelHtlc;
  readonly sharedSecret: Uint8Array;
  readonly amtToForward: bigint;
  readonly outgoingCltvValue: number;
  readonly shortChannelId: bigint;
  /** 1366 bytes. */
  readonly nextPacket: Uint8Array;
}

/**
 * The height at which it does not go on any more. LDK's bounds: our HTLC has to leave time to be given back, and the inbound one time to
 * be claimed out of the chain.
 */
export const lastHeight = ({ htlc, outgoingCltvValue }: RelayedHtlc): number =>
  Math.min(outgoingCltvValue, htlc.cltvExpiry - CLTV_CLAIM_BUFFER) - LATENCY_GRACE_PERIOD_BLOCKS;

/** As the HTLC that passes it on remembers it. */
export const previousHop = ({ channelKey, htlc, sharedSecret }: RelayedHtlc): PreviousHop => ({
  channelKey,
  htlcId: htlc.id,
  amountMsat: htlc.amountMsat,
  cltvExpiry: htlc.cltvExpiry,
  sharedSecret,
});
