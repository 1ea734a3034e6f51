import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FAULTS } from './faults.ts';
import { run, simulate } from './run.ts';

/** Runs in which a planted bug has to show. */
const RUNS = 60;

describe('a planted bug is found', () => {
  it.each(Object.keys(FAULTS))('%s', { timeout: 120_000 }, async (name) => {
    const property = fc.asyncProperty(run, async (each) => void (await simulate(each, name)));
    const result = await fc.check(property, { seed: 7, numRuns: RUNS, endOnFailure: true });
    expect(result.failed).toBe(true);
  });
});
