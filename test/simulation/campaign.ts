import fc from 'fast-check';
import { expect } from 'vitest';

/** Many random runs of one kind. */
export interface Campaign<R> {
  /** The test file, for the line that replays a failure. */
  readonly file: string;
  readonly steps: number;
  /** Another than that of this process. */
  readonly seed?: number;
  /** The mean length of a run. */
  readonly stepsPerRun: number;
  readonly run: fc.Arbitrary<R>;
  /** Throws with everything that no honest engine does. */
  readonly simulate: (run: R) => Promise<void>;
  /** Steps performed in this process. */
  readonly performed: () => number;
}

export const seed = Number(process.env['SIM_SEED'] ?? Date.now() % 0x7fff_ffff);

const path = process.env['SIM_PATH'];

/**
 * Performs the runs. Throws with the shortest run that fails and a line to replay it, and where less than half of the
 * promised steps was done in the time there is. Whether it was a whole campaign: a replay is not.
 */
export async function carryOut<R>(campaign: Campaign<R>): Promise<'whole' | 'replay'> {
  const { file, steps, stepsPerRun, run, simulate, seed: chosen = seed } = campaign;
  const started = performance.now();
  const result = await fc.check(fc.asyncProperty(run, simulate), {
    seed: chosen,
    numRuns: Math.max(1, Math.ceil(steps / stepsPerRun)),
    // Shrinking ends then too, with the shortest run that it has found.
    interruptAfterTimeLimit: Number(process.env['SIM_SECONDS'] ?? 400) * 1000,
    ...(path === undefined ? {} : { path }),
    endOnFailure: path !== undefined || process.env['SIM_SHRINK'] === 'no',
  });
  if (result.failed) {
    const replay = `SIM_SEED=${chosen} SIM_PATH=${result.counterexamplePath} npx vitest run test/simulation/${file}`;
    throw new Error(`${fc.stringify(result.counterexample)}\n${String(result.errorInstance)}\nreplay: ${replay}`);
  }
  const done = campaign.performed();
  const seconds = (performance.now() - started) / 1000;
  const cut = result.interrupted ? `, cut short: ${steps} were promised` : '';
  console.log(`${done} steps in ${result.numRuns} runs, ${Math.round(done / seconds)} a second${cut}`);
  if (path !== undefined) return 'replay';
  expect(done, 'steps done of those promised').toBeGreaterThan(steps * (result.interrupted ? 0.5 : 0.7));
  return 'whole';
}
