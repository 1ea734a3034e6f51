import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Broadcaster } from '../../../../worker/edges/chain/broadcaster.ts';
import { RegtestChain } from '../../../world/chain.ts';
import { display, ELSEWHERE } from '../followed-wallet.ts';
import { LIES } from './lies.ts';
import { LyingScene, type Company } from './scene.ts';
import { paidFrom } from '../../../engine/wallet/paid.ts';

let chain: RegtestChain;
let accounts = 100;

beforeAll(async () => {
  chain = await RegtestChain.start();
});
afterAll(() => chain.stop());

async function sceneOf(company: Company): Promise<LyingScene> {
  const scene = new LyingScene(chain, company, ++accounts);
  await scene.begin();
  return scene;
}

describe.each(LIES.map((lie) => [lie.name, lie] as const))('a server that tells of %s', (_name, lie) => {
  it.each(['before an honest one', 'after an honest one'] as const)('%s costs nothing', async (company) => {
    const scene = await sceneOf(company);
    scene.lie(lie.begin(scene));
    await scene.go();
    const { victim } = scene;
    victim.sync.stop();
    // What is proven already nobody else is asked for.
    if (lie.alone !== 'followed' && company !== 'after an honest one') expect(scene.lies).toBeGreaterThan(0);
    expect([victim.sync.headers.tip.header.hash, victim.statuses.at(-1)]).toEqual([chain.tip.hash, undefined]);
    expect([scene.untrue, scene.missed]).toEqual([[], []]);
    expect(scene.balances[0]).toBe(scene.balances[1]);
    expect(victim.wallet.balance(0n, 0).spendableSat).toBeLessThanOrEqual(scene.balances[1]);
  });

  it('alone is not believed', async () => {
    const scene = await sceneOf('alone');
    const { victim } = scene;
    const before = victim.statuses.length;
    const known = victim.wallet.balance(0n, 0).confirmedSat;
    scene.lie(lie.begin(scene));
    await scene.go();
    expect(scene.untrue).toEqual([]);
    if (lie.alone !== 'followed') expect(scene.lies).toBeGreaterThan(0);
    expect(victim.wallet.balance(0n, 0).spendableSat).toBeLessThanOrEqual(scene.balances[1]);
    // What is proven is not taken back.
    expect(victim.updates.flatMap(({ dropped, unconfirmed }) => [...dropped, ...unconfirmed])).toEqual([]);
    expect(victim.wallet.balance(0n, 0).confirmedSat).toBeGreaterThanOrEqual(known);
    const alarms = victim.statuses.slice(before).filter((status) => status !== undefined);
    if (lie.alone === 'error') expect(alarms.length).toBeGreaterThan(0);
    if (lie.alone === 'followed') expect([scene.missed, scene.balances[0]]).toEqual([[], scene.balances[1]]);

    scene.lie(undefined);
    await scene.goOn();
    victim.sync.stop();
    expect([scene.missed, victim.statuses.at(-1)]).toEqual([[], undefined]);
    expect(scene.balances[0]).toBe(scene.balances[1]);
  });
});

describe('a server that can be asked no more', () => {
  it.each(['that it wants fewer requests', 'nothing that a page may read'])(
    'for it tells of %s, is asked ever more seldom',
    async (name) => {
      const scene = await sceneOf('alone');
      const lie = LIES.find((each) => each.name === name) ?? expect.fail();
      scene.lie(lie.begin(scene));
      await scene.go();
      scene.victim.sync.stop();
      // Twenty-one minutes; it would be asked every half a minute.
      expect(scene.lies).toBeLessThan(25);
    },
  );
});

describe.each(['before an honest one', 'after an honest one'] as const)(
  'a server that keeps a transaction %s',
  (company) => {
    it('to itself and says that it is accepted keeps nobody from it', async () => {
      const scene = await sceneOf(company);
      scene.lie(async (path, ask, init) => (init?.method === 'POST' ? new Response('ab'.repeat(32)) : ask(path)));
      const { rawTx, txid } = paidFrom(scene.victim.wallet, ELSEWHERE, 10_000n, { feeratePerKw: 1000, reserveSat: 0n });
      const sent = new Broadcaster(scene.sources, scene.clock.now).broadcast([rawTx]);
      expect(await sent).toMatchObject([{ result: { kind: 'accepted' } }]);
      expect([scene.lies, chain.find(display(txid)) !== undefined]).toEqual([1, true]);
      scene.victim.sync.stop();
      await chain.mine();
    });
  },
);
