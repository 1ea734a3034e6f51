import { describe, expect, it } from 'vitest';
import { carryOut, seed } from './campaign.ts';
import { performed, run, simulate } from './run.ts';

describe('two nodes', () => {
  it(`keep every promise (seed ${seed})`, { timeout: 900_000 }, async () => {
    const kind = await carryOut({
      file: 'simulation.test.ts',
      steps: Number(process.env['SIM_STEPS'] ?? 80_000),
      stepsPerRun: 160,
      run,
      simulate: async (each) => void (await simulate(each)),
      performed: () => performed.steps,
    });
    const { runs, paid, failed, quiesced } = performed;
    console.log(`${paid} payments arrived, ${failed} failed, ${quiesced} connections ended in quiescence`);
    if (kind === 'replay') return;
    // A simulation in which nothing gets through would keep every promise too.
    expect(paid).toBeGreaterThan(runs);
    expect(failed).toBeGreaterThan(0);
    expect(quiesced).toBeGreaterThan(0);
  });
});
