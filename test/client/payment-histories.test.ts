import { afterEach, beforeEach, expect, it } from 'vitest';
import { RegtestChain } from '../world/chain.ts';
import { PaymentHistory } from './payment-history.ts';

const STEPS = 60;
let chain: RegtestChain;

beforeEach(async () => {
  chain = await RegtestChain.start();
});
afterEach(() => chain.stop());

it.each([13, 25, 101])('rows, coins and sums hold whatever becomes of payments, by chance %i', async (seed) => {
  const history = new PaymentHistory(seed, chain);
  try {
    await history.begin();
    for (let step = 0; step < STEPS; step++) {
      await history.step();
      expect(history.faults(), history.log.join('\n')).toEqual([]);
    }
  } finally {
    await history.stop();
  }
});
