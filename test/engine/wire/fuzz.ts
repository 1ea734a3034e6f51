import { concat } from '../../../worker/engine/primitives/bytes.ts';
import { pseudoRandomBytes } from './arbitrary.ts';

/**
 * Inputs per decoder family. `FUZZ_RUNS=10000000 npx vitest run test/engine/wire` looks harder; the default takes a few
 * seconds per family.
 */
export const FUZZ_RUNS: number = Number(process.env['FUZZ_RUNS'] ?? 100_000);

/** How many inputs `corruptions` makes. */
export const CORRUPTIONS = 19;

const INTERESTING = [0x00, 0x01, 0x02, 0x7f, 0x80, 0xfc, 0xfd, 0xfe, 0xff] as const;

/** Damaged copies of valid bytes: one byte changed, cut short, spliced with another's, lengthened. */
export function corruptions(bytes: Uint8Array, other: Uint8Array, seed: number): readonly Uint8Array[] {
  const random = randomBelow(seed);
  const mutants = Array.from({ length: 10 }, (_, i) => {
    const mutant = bytes.slice();
    const at = random(mutant.length);
    mutant[at] = i % 2 === 0 ? random(256) : (INTERESTING[random(INTERESTING.length)] ?? 0);
    return mutant;
  });
  const truncations = Array.from({ length: 5 }, () => bytes.slice(0, random(bytes.length)));
  const splices = Array.from({ length: 2 }, () =>
    concat(bytes.slice(0, random(bytes.length)), other.slice(random(other.length))),
  );
  const cut = random(bytes.length);
  const removed = concat(bytes.slice(0, cut), bytes.slice(cut + 1 + random(4)));
  const longer = concat(bytes, pseudoRandomBytes(seed, 1 + random(12)));
  return [...mutants, ...truncations, ...splices, removed, longer];
}

function randomBelow(seed: number): (below: number) => number {
  const bytes = pseudoRandomBytes(seed, 4 * 64);
  const view = new DataView(bytes.buffer);
  let at = 0;
  return (below) => {
    at = (at + 4) % bytes.length;
    return below === 0 ? 0 : view.getUint32(at) % below;
  };
}
