/**
 * Kept on chain for each open channel, to pay for its close (BOLT 3, Anchors): a child that brings a commitment of 280 vbytes
 * and itself from 1 to 20 sat/vB, and two HTLC transactions of 280 vbytes, with the coin that pays for them, at 9 sat/vB.
 * Without them an HTLC of ours could be lost though our commitment is in the chain.
 */
const RESERVE_PER_CHANNEL_SAT = 10_000n + 2n * 2_500n;
/** As many as lnd counts: more seldom close at once. */
const MOST_RESERVED_CHANNELS = 10;

/** What is kept of the coins for the closes of so many channels, in satoshi. */
export const reserveSat = (channels: number): bigint =>
  BigInt(Math.min(channels, MOST_RESERVED_CHANNELS)) * RESERVE_PER_CHANNEL_SAT;
