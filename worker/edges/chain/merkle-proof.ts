import { concat, fromHex, reversed, toHex } from '../../engine/primitives/bytes.ts';
import { sha256d } from '../../engine/primitives/hash.ts';
import type { MerkleProof } from './esplora-reply.ts';

/**
 * Whether a proof leads from a transaction to a Merkle root; both as explorers show them. The caller has the
 * transaction's bytes: an inner node of the tree, which is 64 bytes too, never passes for a transaction then.
 */
export function provesInclusion(txid: string, { merkle, position }: MerkleProof, merkleRoot: string): boolean {
  // A position beyond the tree would let one leaf stand at several places.
  if (position >= 2 ** merkle.length) return false;
  let node = reversed(fromHex(txid));
  let at = position;
  for (const hash of merkle) {
    const sibling = reversed(fromHex(hash));
    node = sha256d(at % 2 === 0 ? concat(node, sibling) : concat(sibling, node));
    at = Math.floor(at / 2);
  }
  return toHex(reversed(node)) === merkleRoot;
}
