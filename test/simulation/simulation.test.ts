import { describe, expect, it } from 'vitest';
import { carryOut, seed } from './campaign.ts';
import { performed, run, simulate } from './run.ts';

describe('two to five nodes', () => {
  it(`keep every promise (seed ${seed})`, { timeout: 900_000 }, async () => {
    const kind = await carryOut({
      file: 'simulation.test.ts',
      steps: Number(process.env['SIM_STEPS'] ?? 80_000),
      stepsPerRun: 150,
      run,
      simulate: async (each) => void (await simulate(each)),
      performed: () => performed.steps,
    });
    const { runs, paid, failed, passedOn, quiesced } = performed;
    console.log(
      `${paid} payments arrived, ${failed} failed; ${passedOn} times one was passed on, ${quiesced} connections ended in quiescence`,
    );
    if (kind === 'replay') return;
    // A simulation in which nothing gets through would keep every promise too.
    expect(paid).toBeGreaterThan(runs);
    expect(passedOn).toBeGreaterThan(runs / 4);
    expect(failed).toBeGreaterThan(0);
    expect(quiesced).toBeGreaterThan(0);
  });
});
