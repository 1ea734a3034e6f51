/**
 * Two weeks of blocks: the most that an HTLC's `cltv_expiry` may lie ahead. Money in an HTLC is locked until then, and nodes
 * on the way fail what is further off (BOLT 4, `expiry_too_far`; the value is that of LDK, lnd and Core Lightning).
 */
export const MAX_CLTV_EXPIRY_DELTA = 2016;
