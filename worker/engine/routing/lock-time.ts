/**
 * The most blocks from now that an HTLC of ours may be locked: BOLT 4's `max_htlc_cltv`, two weeks. Every deployed node
 * answers `expiry_too_far` above it, and lnd, eclair and Core Lightning pay up to it; LDK by default stays at half, with
 * which swaps that others pay could not be paid.
 */
export const MAX_HTLC_CLTV_BLOCKS = 2016;
