/** `Math.min`, `Math.max` and a clamp for amounts, which `Math` does not take. */
export const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

export const greatest = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** `value`, not below `low` and not above `high`; where these are the wrong way round, `low`. */
export const clamp = (value: bigint, low: bigint, high: bigint): bigint => greatest(low, least(value, high));
