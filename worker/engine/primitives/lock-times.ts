/**
 * Two weeks of blocks: the most that an HTLC's `cltv_expiry` may lie ahead, whether we offer it or take it for ourselves. The
 * money in it is locked until then, and every deployed node answers `expiry_too_far` above it (BOLT 4, `max_htlc_cltv`). lnd,
 * eclair and Core Lightning pay up to it; with LDK's default of half as much, swaps that others pay could not be paid.
 */
export const MAX_CLTV_EXPIRY_DELTA = 2016;

/** Blocks until the outputs of a coinbase may move, its own included. */
export const COINBASE_MATURITY = 100;

/** LDK's: so many blocks it takes at worst to get a commitment, and then an HTLC out of it, into the chain. */
export const CLTV_CLAIM_BUFFER = 36;

/** LDK's: so many blocks after its expiry the counterparty has had its chance to give an HTLC back. */
export const LATENCY_GRACE_PERIOD_BLOCKS = 3;

/** A commitment in the chain is half of the way: so many blocks are enough for the rest. */
export const CONFIRMED_CLAIM_BUFFER: number = CLTV_CLAIM_BUFFER / 2;
