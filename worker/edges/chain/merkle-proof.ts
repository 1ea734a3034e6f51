import { concat, equalBytes, fromHex, reversed, toHex } from '../../engine/primitives/bytes.ts';
import { sha256d } from '../../engine/primitives/hash.ts';
import type { MerkleProof } from './esplora-reply.ts';

/**
 * Whether a proof leads from a transaction to a Merkle root; both as explorers show them. That it begins at a leaf is for the
 * caller to see: see `TreeDepths`.
 */
export function provesInclusion(txid: string, { merkle, position }: MerkleProof, merkleRoot: string): boolean {
  // A position beyond the tree would let one leaf stand at several places.
  if (position >= 2 ** merkle.length) return false;
  let node = reversed(fromHex(txid));
  let at = position;
  for (const hash of merkle) {
    const sibling = reversed(fromHex(hash));
    // Only the last node of a level is its own sibling, on the left: on the right it would be the same leaf at another place.
    if (at % 2 === 1 && equalBytes(sibling, node)) return false;
    node = sha256d(at % 2 === 0 ? concat(node, sibling) : concat(sibling, node));
    at = Math.floor(at / 2);
  }
  return toHex(reversed(node)) === merkleRoot;
}
