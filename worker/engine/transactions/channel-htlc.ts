import type { Msat } from '../primitives/units.ts';
import type { HtlcSource } from './htlc-source.ts';

/** Which side offered an HTLC; always seen from this node. */
export type HtlcDirection = 'outbound' | 'inbound';

/**
 * An HTLC of a channel from `update_add_htlc` until it is gone from both commitments. `id` counts per direction.
 * `onion` is the 1366-byte packet: an outbound one is kept for retransmission, an inbound one until it is decided upon.
 */
export interface ChannelHtlc {
  readonly direction: HtlcDirection;
  readonly id: bigint;
  readonly amountMsat: Msat;
  readonly paymentHash: Uint8Array;
  readonly cltvExpiry: number;
  readonly onion: Uint8Array;
  /** Of an outbound one that is not a payment of ours. */
  readonly source?: HtlcSource;
}

/** Identifies an HTLC within its channel. */
export const htlcKey = (htlc: { readonly direction: HtlcDirection; readonly id: bigint }): string =>
  `${htlc.direction === 'outbound' ? 'o' : 'i'}${htlc.id}`;
