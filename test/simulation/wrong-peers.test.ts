import { describe, expect, it } from 'vitest';
import { carryOut, seed } from './campaign.ts';
import { performed, simulateWrong, wrongRun } from './wrong-run.ts';

describe('a victim between a wrong peer and an honest one', () => {
  it(`loses neither money nor the honest one (seed ${seed})`, { timeout: 900_000 }, async () => {
    const kind = await carryOut({
      file: 'wrong-peers.test.ts',
      steps: Number(process.env['WRONG_STEPS'] ?? process.env['SIM_STEPS'] ?? 100_000),
      stepsPerRun: 45,
      run: wrongRun,
      simulate: async (each) => void (await simulateWrong(each)),
      performed: () => performed.steps,
    });
    const { steps, tampered, closed } = performed;
    console.log(`${tampered} messages were tampered with; the victim left ${closed} channels`);
    if (kind === 'replay') return;
    expect(tampered).toBeGreaterThan(steps / 20);
    expect(closed).toBeGreaterThan(0);
  });
});
