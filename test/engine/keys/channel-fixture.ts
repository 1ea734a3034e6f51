import type { ChannelSecrets, ChannelSigner } from '../../../worker/engine/keys/channel-signer.ts';
import { derivePubkey, deriveRevocationPubkey } from '../../../worker/engine/keys/derivation.ts';
import { sha256 } from '../../../worker/engine/primitives/hash.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import type { CommitmentInput } from '../../../worker/engine/transactions/commitment.ts';

export const FUNDING_SAT = 1_000_000n;
export const preimage: Uint8Array = new Uint8Array(32).fill(1);

export const secretsOf = (byte: number): ChannelSecrets => {
  const secret = (purpose: number): Uint8Array => new Uint8Array(32).fill(byte * 16 + purpose);
  return {
    funding: secret(1),
    revocationBase: secret(2),
    paymentBase: secret(3),
    delayedPaymentBase: secret(4),
    htlcBase: secret(5),
    commitmentSeed: secret(6),
  };
};
/** A commitment of `owner` with an HTLC in each direction. */
export function commitmentOf(
  owner: ChannelSigner,
  other: ChannelSigner,
  commitmentNumber: number,
  changes: Partial<CommitmentInput> = {},
): CommitmentInput {
  const point = owner.perCommitmentPoint(commitmentNumber);
  const paymentHash = sha256(preimage);
  return {
    format: 'anchors',
    fundingTxid: new Uint8Array(32).fill(9),
    fundingOutputIndex: 1,
    fundingSat: FUNDING_SAT,
    commitmentNumber,
    obscuringFactor: 12345,
    ownerIsOpener: true,
    ownerDustLimitSat: 354n,
    toSelfDelay: 144,
    feeratePerKw: 1000,
    toOwnerMsat: 500_000_000n,
    toOtherMsat: 400_000_000n,
    htlcs: [
      { offered: true, amountMsat: 60_000_000n, paymentHash, cltvExpiry: 700 },
      { offered: false, amountMsat: 40_000_000n, paymentHash, cltvExpiry: 800 },
    ],
    keys: {
      revocationPubkey: deriveRevocationPubkey(secp, other.pubkeys.revocationBasepoint, point),
      delayedPubkey: derivePubkey(secp, owner.pubkeys.delayedPaymentBasepoint, point),
      ownerHtlcPubkey: derivePubkey(secp, owner.pubkeys.htlcBasepoint, point),
      otherHtlcPubkey: derivePubkey(secp, other.pubkeys.htlcBasepoint, point),
      otherPaymentPubkey: other.pubkeys.paymentBasepoint,
      ownerFundingPubkey: owner.pubkeys.fundingPubkey,
      otherFundingPubkey: other.pubkeys.fundingPubkey,
    },
    ...changes,
  };
}
