import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { performed, run, simulate } from './run.ts';

const steps = Number(process.env['SIM_STEPS'] ?? 100_000);
const seed = Number(process.env['SIM_SEED'] ?? Date.now() % 0x7fff_ffff);
const path = process.env['SIM_PATH'];

/** The mean length of a run. */
const STEPS_PER_RUN = 160;

describe('two nodes', () => {
  it(`keep every promise (seed ${seed})`, { timeout: 900_000 }, async () => {
    const started = performance.now();
    const property = fc.asyncProperty(run, async (each) => void (await simulate(each)));
    const numRuns = Math.max(1, Math.ceil(steps / STEPS_PER_RUN));
    const result = await fc.check(property, {
      seed,
      numRuns,
      // Shrinking ends then too, with the shortest run that it has found.
      interruptAfterTimeLimit: Number(process.env['SIM_SECONDS'] ?? 400) * 1000,
      ...(path === undefined ? {} : { path, endOnFailure: true }),
    });
    if (result.failed) {
      const replay = `SIM_SEED=${seed} SIM_PATH=${result.counterexamplePath} npx vitest run test/simulation/simulation.test.ts`;
      throw new Error(`${fc.stringify(result.counterexample)}\n${String(result.errorInstance)}\nreplay: ${replay}`);
    }
    const seconds = (performance.now() - started) / 1000;
    const { runs, paid, failed } = performed;
    console.log(
      `${performed.steps} steps in ${runs} runs, ${Math.round(performed.steps / seconds)} a second; ${paid} payments arrived, ${failed} failed`,
    );
    if (path !== undefined) return;
    if (!result.interrupted) expect(performed.steps).toBeGreaterThan(steps * 0.7);
    // A simulation in which nothing gets through would keep every promise too.
    expect(paid).toBeGreaterThan(runs);
    expect(failed).toBeGreaterThan(0);
  });
});
