import type { ChannelSigner } from '../../keys/channel-signer.ts';
import type { ClaimSigner } from '../../keys/claim-signer.ts';
import type { Secp256k1 } from '../../primitives/secp256k1.ts';

/** What the scripts of a channel's commitments are derived with, and what is ours in them is signed for. */
export interface ClaimKeys {
  readonly secp: Secp256k1;
  readonly signer: ClaimSigner;
  /** The per-commitment point of a commitment of ours, 33 bytes. */
  perCommitmentPoint(commitmentNumber: number): Uint8Array;
}

/** As much of a channel's signer as claims need. */
export const claimKeys = (secp: Secp256k1, signer: ChannelSigner): ClaimKeys => ({
  secp,
  signer: signer.claims,
  perCommitmentPoint: (commitmentNumber) => signer.perCommitmentPoint(commitmentNumber),
});
