import fc from 'fast-check';
import { it } from 'vitest';
import { WalletHistory } from './wallet-history.ts';

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 10);
const STEPS = 60;

it('the coins of a wallet, how far it is used and its balance are those of a search from its words', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const history = new WalletHistory(seed);
      for (let step = 0; step < STEPS; step++) history.step();
      history.check();
    }),
    { numRuns: RUNS },
  );
});
