import { expect, it } from 'vitest';
import type { BlockHeader } from '../../../worker/edges/chain/block-header.ts';
import type { DifficultyRules } from '../../../worker/edges/chain/difficulty.ts';
import { HeaderChain } from '../../../worker/edges/chain/header-chain.ts';
import { randomOf } from '../../simulation/random.ts';
import { FakePlatform } from './fake-platform.ts';
import { headerOn, HeaderServer, REGTEST_BITS, regtestChain } from './regtest-headers.ts';
import { esploraAt } from './esplora-at.ts';
import { headerSyncOf } from './sync-of.ts';

/** Four times as hard as the easiest target. */
const REAL_BITS = 0x201f_ffff;
const FIRST_HEIGHT = 2016;
const first = headerOn(regtestChain().tip.header, { bits: REAL_BITS });
const rulesOf = (kind: DifficultyRules['kind']): DifficultyRules => ({
  kind,
  limitBits: REGTEST_BITS,
  spacingSeconds: 600,
});

/** Blocks of a test network: one that comes after twenty minutes has the easiest target. */
function testnetBlocks(count: number, seed: number): readonly BlockHeader[] {
  const random = randomOf(seed);
  const blocks = [first];
  for (let last = first; blocks.length < count;) {
    const gap = random(3) === 0 ? 1201 + random(600) : 1 + random(1200);
    const bits = gap > 1200 ? REGTEST_BITS : REAL_BITS;
    blocks.push((last = headerOn(last, { bits, time: last.time + gap })));
  }
  return blocks;
}

const followed = async (
  kind: DifficultyRules['kind'],
  blocks: readonly BlockHeader[],
  page: number,
): Promise<number> => {
  const sync = headerSyncOf(
    HeaderChain.from(rulesOf(kind), { height: FIRST_HEIGHT, headers: [first.raw] }),
    () => 1e13,
  );
  const server = new HeaderServer(blocks, { lowest: FIRST_HEIGHT, page });
  await sync.follow(esploraAt('http://esplora.test', new FakePlatform(server.answer)), server.tipHash);
  return sync.best.tip.height;
};

it.each([
  ['testnet3', 10],
  ['testnet3', 15],
  ['testnet4', 10],
  ['testnet4', 15],
] as const)('a server of %s with %i blocks on a page is followed through easy blocks', async (kind, page) => {
  expect(await followed(kind, testnetBlocks(80, page), page)).toBe(FIRST_HEIGHT + 79);
});

it.each(['testnet3', 'testnet4'] as const)('an easy block that came too early on %s is not followed', async (kind) => {
  const blocks = testnetBlocks(40, 1);
  const last = blocks.at(-1) ?? first;
  const early = headerOn(last, { bits: REGTEST_BITS, time: last.time + 1200 });
  await expect(followed(kind, [...blocks, early], 10)).rejects.toMatchObject({ code: 'HeadersInvalid' });
});
