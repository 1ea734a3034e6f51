import { sat, type Sat } from '../primitives/units.ts';

/** What this node asks for in new channels, what it puts up with, and how it limits its exposure. */
export interface ChannelConfig {
  /** Confirmations of an inbound channel's funding. */
  readonly minimumDepth: number;
  /** Blocks that the counterparty must wait for its own money after a unilateral close. */
  readonly toSelfDelay: number;
  /** The most that we are ready to wait. */
  readonly maxToSelfDelay: number;
  readonly dustLimitSat: Sat;
  readonly htlcMinimumMsat: bigint;
  /** HTLCs of the counterparty at once: each is a claim of its own in a close, and a peer could fill what is not needed. */
  readonly maxAcceptedHtlcs: number;
  /** Reserve that the counterparty must keep, in millionths of the capacity. */
  readonly reserveMillionths: number;
  readonly minimumReserveSat: Sat;
  readonly minimumFundingSat: Sat;
  /** HTLCs without an output that we let pile up in one commitment: they are lost to fees in a close. */
  readonly maxDustExposureMsat: bigint;
  /**
   * What a cooperative close may cost us beside three times its estimate where nobody was asked: a close by force costs more.
   */
  readonly forceCloseAvoidanceMaxFeeSat: Sat;
  /** How long a counterparty may refuse every closing fee that we can pay, before the channel is closed by force. */
  readonly closingTimeoutBlocks: number;
}

export const defaultChannelConfig: ChannelConfig = {
  minimumDepth: 3,
  toSelfDelay: 144,
  maxToSelfDelay: 2016,
  dustLimitSat: sat(354n),
  htlcMinimumMsat: 1n,
  maxAcceptedHtlcs: 50,
  reserveMillionths: 10_000,
  minimumReserveSat: sat(1000n),
  minimumFundingSat: sat(20_000n),
  maxDustExposureMsat: 25_000_000n,
  forceCloseAvoidanceMaxFeeSat: sat(1000n),
  closingTimeoutBlocks: 144,
};

/** BOLT 2: more HTLCs of one side would not fit into the messages and transactions that carry them. */
export const MAX_HTLCS = 483;

/** BOLT 2: without `option_support_large_channel` a channel is below 2^24 satoshi. */
export const MAX_FUNDING_NO_WUMBO: bigint = 16_777_215n;
