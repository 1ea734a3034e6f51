/** Numbers below a bound, the same ones for the same seed: what a shrunk counterexample has to find again. */
export type Random = (below: number) => number;

export function randomOf(seed: number): Random {
  let state = (seed ^ 0x9e37_79b9) | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** One of a list; `undefined` where it is empty. */
export const pick = <T>(random: Random, list: readonly T[]): T | undefined => list[random(Math.max(list.length, 1))];

export const randomBytes = (random: Random, length: number): Uint8Array =>
  Uint8Array.from({ length }, () => random(256));
