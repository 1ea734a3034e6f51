/** Something that can be taken into a sum, or left. */
export interface Lot {
  readonly valueSat: bigint;
  /** What taking it costs now beyond what it would cost later; below zero where now is the better time. */
  readonly wasteSat: bigint;
  readonly weight: number;
}

export interface SumBounds {
  readonly neededSat: bigint;
  /** More than this is not worth giving away. */
  readonly mostSat: bigint;
  readonly mostWeight: number;
}

/** Each is a step of a few additions: all of them take some milliseconds. */
const MOST_TRIES = 20_000;

/**
 * The lots whose sum is within bounds with the least waste that is found in a bounded number of tries, by their indexes; what is
 * above the least sum is waste too. Depth first over taking or leaving each, the way Bitcoin Core has it; `lots` begin with the
 * largest.
 */
export function branchAndBound(lots: readonly Lot[], bounds: SumBounds): readonly number[] | undefined {
  const { neededSat, mostSat, mostWeight } = bounds;
  const canOnlyGrow = lots.every(({ wasteSat }) => wasteSat >= 0n);
  const taken: number[] = [];
  let best: { readonly indexes: readonly number[]; readonly wasteSat: bigint } | undefined;
  let [sumSat, wasteSat, weight] = [0n, 0n, 0];
  let leftSat = lots.reduce((sum, { valueSat }) => sum + valueSat, 0n);
  for (let tries = 0, at = 0; tries < MOST_TRIES; tries++, at++) {
    const isHopeless =
      sumSat + leftSat < neededSat ||
      sumSat > mostSat ||
      weight > mostWeight ||
      (canOnlyGrow && best !== undefined && wasteSat > best.wasteSat);
    const overSat = sumSat - neededSat;
    if (!isHopeless && overSat >= 0n && (best === undefined || wasteSat + overSat < best.wasteSat))
      best = { indexes: [...taken], wasteSat: wasteSat + overSat };
    if (isHopeless || overSat >= 0n) {
      // Back to the last that was taken, which is left now.
      const last = taken.pop();
      if (last === undefined) break;
      for (at--; at > last; at--) leftSat += lots[at]?.valueSat ?? 0n;
      const lot = lots[last];
      [sumSat, wasteSat, weight] = [
        sumSat - (lot?.valueSat ?? 0n),
        wasteSat - (lot?.wasteSat ?? 0n),
        weight - (lot?.weight ?? 0),
      ];
      continue;
    }
    const lot = lots[at];
    if (lot === undefined) break;
    leftSat -= lot.valueSat;
    // Where one like it has just been left, taking this in its place is the same again.
    if (taken.at(-1) !== at - 1 && taken.length > 0 && isAlike(lots[at - 1], lot)) continue;
    taken.push(at);
    [sumSat, wasteSat, weight] = [sumSat + lot.valueSat, wasteSat + lot.wasteSat, weight + lot.weight];
  }
  return best?.indexes;
}

const isAlike = (one: Lot | undefined, other: Lot): boolean =>
  one?.valueSat === other.valueSat && one.weight === other.weight;
