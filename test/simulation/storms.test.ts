import { describe, expect, it } from 'vitest';
import { carryOut, seed } from './campaign.ts';
import { performed, simulateStorm, stormRun } from './storm-run.ts';

describe('two nodes on a chain that is not calm, one of which may cheat', () => {
  it(`get every satoshi that is theirs (seed ${seed})`, { timeout: 900_000 }, async () => {
    const kind = await carryOut({
      file: 'storms.test.ts',
      steps: Number(process.env['STORM_STEPS'] ?? process.env['SIM_STEPS'] ?? 20_000),
      stepsPerRun: 70,
      run: stormRun,
      simulate: async (each) => void (await simulateStorm(each)),
      performed: () => performed.steps,
    });
    const { punished, takenFirst, closed, reorganised } = performed;
    console.log(`${closed} closes, ${reorganised} reorganisations`);
    console.log(`${punished} revoked commitments punished; of ${takenFirst} outputs the cheater was first`);
    if (kind === 'replay') return;
    expect(punished).toBeGreaterThan(0);
    expect(closed).toBeGreaterThan(punished);
    expect(reorganised).toBeGreaterThan(0);
  });
});
