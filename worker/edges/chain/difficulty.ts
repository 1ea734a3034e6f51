import { targetOfBits, type Difficulty } from './block-header.ts';

/** How a chain's targets are decided. */
export interface DifficultyRules {
  /** The easiest target, as bits. */
  readonly limitBits: number;
  /** `fixed`: every block has the target of the first. */
  readonly kind: 'fixed' | 'mainnet' | 'testnet3' | 'testnet4';
  /** Seconds that a block should take; two weeks of them are a period, after which the target is set anew. */
  readonly spacingSeconds: number;
  /** The target of a block, as bits, that those which are known do not lead to: the one after the checkpoint. */
  readonly given?: { readonly height: number; readonly bits: number };
}

/** The blocks below a block, as far as they are known. */
export type Ancestors = (height: number) => Difficulty | undefined;

const TIMESPAN_SECONDS = 14 * 24 * 60 * 60;
const MEDIAN_OF = 11;
/** What is further ahead of a node's clock it does not take, yet. */
const MOST_AHEAD_SECONDS = 2 * 60 * 60;
/** BIP 94: the first block of a period is not so much earlier than the one before. */
const TIMEWARP_SECONDS = 600;

/** Blocks between two retargets. */
export const periodOf = ({ spacingSeconds }: DifficultyRules): number => Math.floor(TIMESPAN_SECONDS / spacingSeconds);

/** Whether a block's time is too far ahead of a clock (seconds since 1970). Regtest's blocks may be made in advance. */
export const isAhead = ({ kind }: DifficultyRules, { time }: Difficulty, now: number): boolean =>
  kind !== 'fixed' && time > now + MOST_AHEAD_SECONDS;

/** Which of the rules of time and target a block breaks, in words. Rules whose ancestors are not known are not asked. */
export function brokenRule(
  rules: DifficultyRules,
  height: number,
  block: Difficulty,
  at: Ancestors,
): string | undefined {
  const previous = at(height - 1);
  const target = targetOfBits(block.bits);
  if (target === undefined || target > (targetOfBits(rules.limitBits) ?? 0n)) return 'its target is too easy';
  const bits = requiredBits(rules, height, block, at);
  if (bits !== undefined && block.bits !== bits) return 'it has another target than it must have';
  const median = medianTime(height, at);
  if (median !== undefined && block.time <= median) return 'its time is not after the median of those before it';
  const isPeriodStart = height % periodOf(rules) === 0;
  const isWarped = previous !== undefined && block.time < previous.time - TIMEWARP_SECONDS;
  if (rules.kind === 'testnet4' && isPeriodStart && isWarped) return 'its time is before that of the last period';
  return undefined;
}

/** The bits that a block must have; `undefined` where that depends on ancestors that are not known. */
function requiredBits(rules: DifficultyRules, height: number, block: Difficulty, at: Ancestors): number | undefined {
  const previous = at(height - 1);
  if (height === rules.given?.height) return rules.given.bits;
  if (rules.kind === 'fixed' || previous === undefined) return previous?.bits;
  if (height % periodOf(rules) === 0) return retargetedBits(rules, height, at);
  if (rules.kind === 'mainnet') return previous.bits;
  // On testnets a block that comes after 20 minutes has the easiest target, and the next one the real one again.
  if (block.time > previous.time + 2 * rules.spacingSeconds) return rules.limitBits;
  return lastRealBits(rules, height - 1, at);
}

function lastRealBits(rules: DifficultyRules, from: number, at: Ancestors): number | undefined {
  const period = periodOf(rules);
  let height = from;
  while (height % period !== 0 && at(height)?.bits === rules.limitBits) height--;
  return at(height)?.bits;
}

function retargetedBits(rules: DifficultyRules, height: number, at: Ancestors): number | undefined {
  const [first, last] = [at(height - periodOf(rules)), at(height - 1)];
  if (first === undefined || last === undefined) return undefined;
  // BIP 94: the last block of a period may have the easiest target, its first one never.
  const target = targetOfBits(rules.kind === 'testnet4' ? first.bits : last.bits);
  const limit = targetOfBits(rules.limitBits);
  if (target === undefined || limit === undefined) return undefined;
  const seconds = Math.min(Math.max(last.time - first.time, TIMESPAN_SECONDS / 4), TIMESPAN_SECONDS * 4);
  const next = (target * BigInt(seconds)) / BigInt(TIMESPAN_SECONDS);
  return bitsOfTarget(next < limit ? next : limit);
}

function medianTime(height: number, at: Ancestors): number | undefined {
  const count = Math.min(MEDIAN_OF, height);
  const times = Array.from({ length: count }, (_, index) => at(height - 1 - index)?.time);
  if (times.includes(undefined)) return undefined;
  return times.toSorted((a, b) => Number(a) - Number(b))[count >> 1];
}

/** The compact form of a target, rounded down as Bitcoin rounds it. */
export function bitsOfTarget(target: bigint): number {
  const length = Math.ceil(target.toString(2).length / 8);
  const mantissa = Number(length <= 3 ? target << BigInt(8 * (3 - length)) : target >> BigInt(8 * (length - 3)));
  // The highest bit of the mantissa is a sign.
  return mantissa >= 0x80_0000 ? ((length + 1) << 24) + (mantissa >> 8) : (length << 24) + mantissa;
}
