/** Less is not worth its own fee at the lowest feerate with an output above the dust limit. */
export const UNECONOMIC_SAT = 600n;
