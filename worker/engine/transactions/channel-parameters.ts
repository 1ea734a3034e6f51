import type { Sat } from '../primitives/units.ts';
import type { CommitmentFormat } from './channel-scripts.ts';

/** The five public keys that a side announces in `open_channel` or `accept_channel`, 33 bytes each. */
export interface ChannelPublicKeys {
  readonly fundingPubkey: Uint8Array;
  readonly revocationBasepoint: Uint8Array;
  readonly paymentBasepoint: Uint8Array;
  readonly delayedPaymentBasepoint: Uint8Array;
  readonly htlcBasepoint: Uint8Array;
}

/**
 * What one side announced at establishment. As in BOLT 2 most of it binds the other side: the reserve that the other
 * must keep, the delay on the other's `to_local`, the limits for HTLCs that the other offers. The dust limit is for
 * the announcing side's own commitment.
 */
export interface PartyTerms extends ChannelPublicKeys {
  readonly dustLimitSat: Sat;
  readonly maxHtlcValueInFlightMsat: bigint;
  readonly channelReserveSat: Sat;
  readonly htlcMinimumMsat: bigint;
  readonly toSelfDelay: number;
  readonly maxAcceptedHtlcs: number;
  /** Empty where none was given. */
  readonly upfrontShutdownScript: Uint8Array;
}

/** From what our keys of a channel derive, beside the seed. */
export interface ChannelKeysId {
  readonly channelKeysIndex: number;
  /**
   * 32 random bytes, for the per-commitment secrets alone: a wallet that has forgotten a channel may use its index again, and the
   * peer knows secrets of it. Empty in channels of older programs.
   */
  readonly commitmentSalt: Uint8Array;
}

/** What never changes in a channel once its funding is known. */
export interface ChannelParameters extends ChannelKeysId {
  readonly channelId: Uint8Array;
  readonly counterpartyNodeId: Uint8Array;
  readonly isOpener: boolean;
  readonly format: CommitmentFormat;
  /** The negotiated `channel_type`, as feature bits on the wire. */
  readonly channelType: Uint8Array;
  readonly fundingSat: Sat;
  /** In wire order. */
  readonly fundingTxid: Uint8Array;
  readonly fundingOutputIndex: number;
  readonly holder: PartyTerms;
  readonly counterparty: PartyTerms;
  /** Confirmations of the funding before `channel_ready`; 0 for a zero-conf channel. */
  readonly minimumDepth: number;
}
