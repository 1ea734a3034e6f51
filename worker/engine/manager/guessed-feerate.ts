import { bumpInterval, REPLACEMENT_PER_KW } from '../monitor/claims/claim-fees.ts';

/** What is in no block yet: what it pays, and the height at which it was made. */
export interface Waiting {
  readonly feeratePerKw: number;
  readonly height: number;
}

/** LDK's, for what it bumps without an estimate. */
const RISE = 1.25;

/**
 * The feerate to go by at a height while no server has told what others pay. What has waited for so long paid too little, and so
 * does whatever pays no more: without a rise both could wait for ever.
 */
export function guessedFeerate(guessPerKw: number, waiting: readonly Waiting[], height: number): number {
  const late = waiting.filter((each) => height - each.height >= bumpInterval(undefined, height));
  const risen = late.map(({ feeratePerKw }) =>
    Math.max(Math.ceil(feeratePerKw * RISE), feeratePerKw + REPLACEMENT_PER_KW),
  );
  return Math.max(guessPerKw, ...risen);
}
