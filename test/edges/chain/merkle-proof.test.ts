import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { provesInclusion } from '../../../worker/edges/chain/merkle-proof.ts';
import { concat, fromHex, reversed, toHex } from '../../../worker/engine/primitives/bytes.ts';
import { sha256d } from '../../../worker/engine/primitives/hash.ts';

/** Block 100,000 of the main chain. */
const txids = [
  '8c14f0db3df150123e6f3dbbf30f8b955a8249b62ac1d1ff16284aefa3d06d87',
  'fff2525b8931402dd09222c50775608f75787bd2b87e56995a7bdd30f79702c4',
  '6359f0868171b1d194cbee1af2f16ea598ae8fad666d9b012c8ed2b79a236ec4',
  'e9a66845e05d5abc0ad04ec80f774a7e585c6e8db975962d069a522137b80c1d',
];
const root = 'f3e94742aca4b5ef85488dc37c06c3282295ffec960994b2c0d5ac2a25a95766';

const display = (hash: Uint8Array): string => toHex(reversed(hash));

/** The branch of a leaf and the root, built from the whole tree. */
function branchOf(leaves: readonly string[], position: number): { merkle: string[]; root: string } {
  const merkle: string[] = [];
  let level = leaves.map((leaf) => reversed(fromHex(leaf)));
  for (let at = position; level.length > 1; at >>= 1) {
    const full = level.length % 2 === 0 ? level : [...level, ...level.slice(-1)];
    merkle.push(display(full[at ^ 1] ?? new Uint8Array()));
    level = full.flatMap((left, index) => (index % 2 === 0 ? [sha256d(concat(left, full[index + 1] ?? left))] : []));
  }
  return { merkle, root: display(level[0] ?? new Uint8Array()) };
}

describe('Merkle proofs', () => {
  it.each(txids.map((txid, position) => ({ txid, position })))(
    'hold for transaction $position',
    ({ txid, position }) => {
      const { merkle } = branchOf(txids, position);
      expect(provesInclusion(txid, { blockHeight: 100_000, merkle, position }, root)).toBe(true);
      expect(provesInclusion(txid, { blockHeight: 100_000, merkle, position: position ^ 1 }, root)).toBe(false);
      expect(provesInclusion(txid, { blockHeight: 100_000, merkle, position: position + 4 }, root)).toBe(false);
    },
  );

  it('hold for a block with nothing but its coinbase', () => {
    expect(provesInclusion(root, { blockHeight: 1, merkle: [], position: 0 }, root)).toBe(true);
  });

  it('do not hold for the same leaf at the place of its copy, which a tree of an odd number has', () => {
    const leaves = txids.slice(0, 3);
    const { merkle, root: own } = branchOf(leaves, 2);
    const [txid = ''] = leaves.slice(2);
    expect(provesInclusion(txid, { blockHeight: 1, merkle, position: 2 }, own)).toBe(true);
    expect(provesInclusion(txid, { blockHeight: 1, merkle, position: 3 }, own)).toBe(false);
  });

  it('hold in trees of any size, and for no other transaction', () => {
    const leaf = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex);
    fc.assert(
      fc.property(fc.uniqueArray(leaf, { minLength: 1, maxLength: 20 }), fc.nat(), leaf, (leaves, at, other) => {
        const position = at % leaves.length;
        const { merkle, root: own } = branchOf(leaves, position);
        expect(provesInclusion(leaves[position] ?? '', { blockHeight: 1, merkle, position }, own)).toBe(true);
        expect(provesInclusion(other, { blockHeight: 1, merkle, position }, own)).toBe(leaves[position] === other);
      }),
    );
  });
});
