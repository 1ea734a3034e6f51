import { simulateDay } from '../edges/chain/day.ts';
import { RegtestChain } from '../world/chain.ts';
import { HONEST_FLAVOURS, type EsploraFlavour } from '../world/esplora-flavours.ts';

/** `npm run bench:day`: a day of each flavour, alone and two of them together, at each rate of failures, as lines of JSON. */
const blocks = Number(process.env['DAY_BLOCKS'] ?? 144);
const seed = Number(process.env['DAY_SEED'] ?? 1);
const alone = HONEST_FLAVOURS.filter(({ failsPer100 }) => failsPer100 === undefined);
const mixed = alone.filter(({ name }) => name === 'esplora' || name === 'mempool/electrs');
const cases: readonly (readonly EsploraFlavour[])[] = [...alone.map((flavour) => [flavour]), mixed];

let account = 0;
for (const servers of cases)
  for (const failsPer100 of [0, 1, 5, 20]) {
    // Each on a chain of its own: one that grows is slower than the one before.
    const chain = await RegtestChain.start();
    console.log(JSON.stringify(await simulateDay(chain, ++account, { servers, failsPer100, blocks, seed })));
    await chain.stop();
  }
