import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Between, FORWARDING } from '../interop/between.ts';
import { Told } from '../interop/driven-wallet.ts';
import { esploraOfRun } from '../world/esplora-flavours.ts';
import { World } from '../world/world.ts';
import { Harness, type Tab } from './harness.ts';
import { Random, seedOfRun } from './random.ts';

/** `KILLS` makes it longer. */
const KILLS = Number(process.env['KILLS'] ?? 25);

let world: World;
let harness: Harness;
let tab: Tab;
let between: Between;

beforeAll(async () => {
  world = await World.start({ esplora: esploraOfRun(), linkSats: 0 });
  harness = await Harness.start(world);
  tab = await harness.newTab('between', new Told(() => world.changes.notify()), { forwarding: FORWARDING });
  await tab.open();
  between = new Between(world, tab);
  await between.start();
});
afterAll(async () => {
  await harness.stop();
  await world.stop();
});

describe('payments of LDK through a wallet in Chromium', () => {
  it(
    `have one outcome each, and cost nobody anything, when its page or its worker ends at ${KILLS} random moments`,
    async () => {
      const seed = seedOfRun();
      console.log(`replay: GLOWWORM_SEED=${seed} KILLS=${KILLS} npx vitest run test/browser/forwarding.test.ts`);
      const random = new Random(seed);
      const before = sum(await between.agreed());
      const payers = [world.alice, world.bob] as const;
      const since = payers.map((payer) => payer.events().length);
      const payments: [string[], string[]] = [[], []];
      for (let kill = 0; kill < KILLS; kill++) {
        await between.usable();
        for (let count = 1 + random.below(3); count > 0; count--) {
          const from = random.below(2);
          const payee = from === 0 ? world.bob : world.alice;
          const msat = 1 + random.below(10_000_000);
          payments[from]?.push((payers[from] ?? world.alice).pay(payee.invoice({ msat })));
        }
        let changes = random.below(60);
        await between.scenario.until('a random moment', () => changes-- <= 0);
        await (random.below(2) === 0 ? tab.reload() : tab.restartWorker());
      }
      await between.usable();
      const paid = await Promise.all(
        payers.map((payer, index) => between.ended(payer, since[index] ?? 0, payments[index] ?? [])),
      );
      const after = sum(await between.agreed());
      expect(paid.map((ends) => ends.length)).toEqual(payments.map(({ length }) => length));
      expect(paid.flat().filter((end) => end === 'PaymentSent').length).toBeGreaterThan(KILLS / 2);
      expect(after).toBeGreaterThan(before);
      between.scenario.expectNoForceClose();
    },
    10 * 60_000,
  );
});

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, each) => total + each, 0n);
