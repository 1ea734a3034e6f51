import { describe, expect, it } from 'vitest';
import { CASES, scenes } from './cases.ts';
import type { Scene } from './scene.ts';

const beginScene = scenes();

/** Without books: what is in a funding that left the chain is nobody's number until it is there again. */
const begin: typeof beginScene = async (each, options) => {
  const scene = await beginScene(each, options);
  for (const party of scene.parties) party.keepsBooks = false;
  return scene;
};

/** What became of our channel. */
const kindsOf = ({ us }: Scene): readonly string[] =>
  us.node.manager.channels().map(({ state }) => (state.kind === 'closed' ? state.reason.kind : state.kind));

describe.each(CASES)('a funding, with $name,', (each) => {
  it('whose coins are spent otherwise is given up six blocks later', async () => {
    const scene = await begin(each, { isFunded: false });
    const spend = await scene.submit(scene.us.doubleSpend(1_000));
    await scene.mine(5);
    expect(kindsOf(scene)).toEqual(['open']);
    await scene.mine(1);
    expect(kindsOf(scene)).toEqual([]);
    expect(scene.coinsOf(scene.us)).toBe(8_000_000n - scene.feeSat(spend));
  });

  it('confirms where a reorganisation takes out what has spent its coins', async () => {
    const scene = await begin(each, { isFunded: false });
    await scene.submit(scene.us.doubleSpend(1_000));
    await scene.mine(4);
    scene.oursAreLost = false;
    await scene.reorg(4, true);
    await scene.mine(8);
    expect(kindsOf(scene)).toEqual(['open']);
    await scene.reconnect();
    await scene.pay(20_000n);
    expect([scene.outcomesOf(scene.us), scene.outcomesOf(scene.them)]).toEqual([['succeeded'], ['succeeded']]);
  });

  it('that is reorganised out and confirms again leaves the channel as it was', async () => {
    const scene = await begin(each);
    await scene.pay(20_000n);
    await scene.reorg(6);
    await scene.mine(7);
    await scene.reconnect();
    await scene.pay(20_000n);
    expect(kindsOf(scene)).toEqual(['open']);
    expect(scene.outcomesOf(scene.us)).toEqual(['succeeded', 'succeeded']);
  });

  it('that was used, is reorganised out and whose coins are then spent otherwise, closes its channel', async () => {
    const scene = await begin(each);
    await scene.pay(20_000n);
    [scene.oursAreLost, scene.theirsAreLost] = [true, true];
    await scene.reorg(6, true);
    const spend = await scene.submit(scene.us.doubleSpend(1_000));
    await scene.mine(6);
    expect(kindsOf(scene)).toEqual(['fundingReplaced']);
    expect(scene.coinsOf(scene.us)).toBe(8_000_000n - scene.feeSat(spend));
  });
});
