import { concat } from '../primitives/bytes.ts';
import { sha256 } from '../primitives/hash.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';

/** The delayed or HTLC key of one commitment (BOLT 3, Key Derivation). */
export const derivePubkey = (secp: Secp256k1, basepoint: Uint8Array, perCommitmentPoint: Uint8Array): Uint8Array =>
  secp.pointTweakAdd(basepoint, sha256(concat(perCommitmentPoint, basepoint)));

/** The 32-byte secret of `derivePubkey`'s key, from the basepoint and its secret. */
export const deriveSecret = (
  secp: Secp256k1,
  basepointSecret: Uint8Array,
  basepoint: Uint8Array,
  perCommitmentPoint: Uint8Array,
): Uint8Array => secp.secretAdd(basepointSecret, sha256(concat(perCommitmentPoint, basepoint)));

/** The revocation key of one commitment: neither side knows its secret until the commitment is revoked. */
export function deriveRevocationPubkey(
  secp: Secp256k1,
  revocationBasepoint: Uint8Array,
  perCommitmentPoint: Uint8Array,
): Uint8Array {
  const { forBase, forCommitment } = revocationTweaks(revocationBasepoint, perCommitmentPoint);
  return secp.pointCombine(revocationBasepoint, forBase, perCommitmentPoint, forCommitment);
}

/** The 32-byte secret of the revocation key, which the revealed per-commitment secret completes. */
export function deriveRevocationSecret(
  secp: Secp256k1,
  revocationBasepointSecret: Uint8Array,
  perCommitmentSecret: Uint8Array,
): Uint8Array {
  const { forBase, forCommitment } = revocationTweaks(
    secp.publicKey(revocationBasepointSecret),
    secp.publicKey(perCommitmentSecret),
  );
  return secp.secretAdd(
    secp.secretMultiply(revocationBasepointSecret, forBase),
    secp.secretMultiply(perCommitmentSecret, forCommitment),
  );
}

function revocationTweaks(
  revocationBasepoint: Uint8Array,
  perCommitmentPoint: Uint8Array,
): { forBase: Uint8Array; forCommitment: Uint8Array } {
  return {
    forBase: sha256(concat(revocationBasepoint, perCommitmentPoint)),
    forCommitment: sha256(concat(perCommitmentPoint, revocationBasepoint)),
  };
}
