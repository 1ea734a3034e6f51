import fc from 'fast-check';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { feeratesOf } from '../engine/channel/feerates.ts';
import { RegtestChain } from '../world/chain.ts';
import { Scene, type Format } from './scene.ts';

let chain: RegtestChain;
beforeAll(async () => {
  chain = await RegtestChain.start();
});
afterAll(() => chain.stop());

type Act =
  | { readonly kind: 'pay'; readonly sat: bigint }
  | { readonly kind: 'mine'; readonly blocks: number }
  | { readonly kind: 'reorg'; readonly depth: number }
  | { readonly kind: 'feerate'; readonly perKw: number }
  | { readonly kind: 'closeTogether' | 'loseTheirs' | 'restartOften' }
  | {
      readonly kind: 'closeAlone';
      readonly closer: 'us' | 'them';
      readonly outboundSat: readonly bigint[];
      readonly inboundSat: readonly bigint[];
    };

async function play(scene: Scene, act: Act): Promise<void> {
  switch (act.kind) {
    case 'pay':
      return scene.pay(act.sat);
    case 'mine':
      return scene.mine(act.blocks);
    case 'reorg':
      // bcoin's mempool miscounts what a reorganisation puts back into it.
      return scene.reorg(act.depth, true);
    case 'feerate':
      for (const { node } of scene.parties) node.turn(() => node.manager.updateFeerates(feeratesOf(1_000, act.perKw)));
      return;
    case 'loseTheirs':
      scene.theirsAreLost = !scene.theirsAreLost;
      return;
    case 'restartOften':
      scene.restarts = !scene.restarts;
      return;
    case 'closeAlone':
      await scene.offer(act);
      await scene.forceClose(scene[act.closer]);
      return;
    case 'closeTogether':
      scene.us.node.turn(() => scene.us.node.manager.closeChannel(scene.us.channelKey));
      await scene.settle();
      return scene.mine(1);
    default:
      return act satisfies never;
  }
}

const kind = <K extends Act['kind']>(name: K): fc.Arbitrary<K> => fc.constant(name);
/** From those that are trimmed to those that are worth a transaction. */
const sat = fc.bigInt({ min: 1n, max: 60_000n });
const sats = fc.array(sat, { maxLength: 3 });
const feerate = fc.record({ kind: kind('feerate'), perKw: fc.integer({ min: 253, max: 20_000 }) });
const mine = fc.record({ kind: kind('mine'), blocks: fc.integer({ min: 1, max: 30 }) });

const script = fc.record<{ format: Format; before: Act[]; close: Act; after: Act[] }>({
  format: fc.constantFrom('anchors', 'static_remotekey'),
  before: fc.array(fc.oneof(fc.record({ kind: kind('pay'), sat }), mine, feerate), { maxLength: 4 }),
  close: fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: kind('closeAlone'),
        closer: fc.constantFrom('us' as const, 'them' as const),
        outboundSat: sats,
        inboundSat: sats,
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: kind('closeTogether') }) },
  ),
  after: fc.array(
    fc.oneof(
      mine,
      feerate,
      fc.record({ kind: kind('reorg'), depth: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ kind: fc.constantFrom('loseTheirs' as const, 'restartOften' as const) }),
    ),
    { maxLength: 6 },
  ),
});

describe('in every block of whatever happens to a channel', () => {
  it('what both have is what they began with and received, less what they paid and what it cost', async () => {
    await fc.assert(
      fc.asyncProperty(script, async ({ format, before, close, after }) => {
        const scene = await Scene.begin(chain, format);
        for (const act of [...before, close, ...after]) await play(scene, act);
        await scene.mine(30);
      }),
      // What fails leaves the chain that all share as it is: nothing smaller could be tried on it.
      { numRuns: Number(process.env['BOOK_RUNS'] ?? 12), endOnFailure: true },
    );
  });
});
