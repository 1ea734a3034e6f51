import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RegtestChain } from '../../world/chain.ts';
import { balancedPair, HONEST_FLAVOURS } from '../../world/esplora-flavours.ts';
import { simulateDay } from './day.ts';

const BLOCKS = 12;
const seed = Number(process.env['DAY_SEED'] ?? Date.now() % 1_000_000);
let chain: RegtestChain;
let accounts = 200;

beforeAll(async () => {
  chain = await RegtestChain.start();
});
afterAll(() => chain.stop());

describe.each([0, 20])(`a few hours in which %i of 100 requests fail (DAY_SEED=${seed})`, (failsPer100) => {
  const alike = HONEST_FLAVOURS.filter((flavour) => flavour.failsPer100 === undefined);
  const cases = alike.map((flavour) => [flavour.name, flavour] as const);

  it.each(cases)('with a server of the flavour %s: nothing is missed or told twice', async (_name, flavour) => {
    const options = { servers: [flavour], failsPer100, blocks: BLOCKS, seed };
    const report = await simulateDay(chain, ++accounts, options);
    expect(report).toMatchObject({ missed: 0, repeated: 0, untrue: 0 });
    // What is in a block a pair may tell of with the next one only: see flavours.test.ts.
    if (failsPer100 === 0 && flavour !== balancedPair) expect(report.late).toBe(0);
  });
});
