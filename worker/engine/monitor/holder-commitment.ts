import type { ChannelSigner } from '../keys/channel-signer.ts';
import { commitmentInput, type OwnedHtlc } from '../keys/commitment-inputs.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import { buildCommitment, type Commitment, type CommitmentInput } from '../transactions/commitment.ts';
import { encodeTransaction, withWitness } from '../transactions/transaction.ts';
import { fundingWitness } from '../transactions/witnesses.ts';
import type { ChannelMonitor } from './channel-monitor.ts';
import { claimKeys, type ClaimKeys } from './claims/claim-keys.ts';

/** A commitment of ours, the newest or the one before it, rebuilt from what the monitor knows. */
export function holderCommitment(
  keys: ClaimKeys,
  { params, holderCommitment: { number, spec } }: Pick<ChannelMonitor, 'params' | 'holderCommitment'>,
): { readonly input: CommitmentInput<OwnedHtlc>; readonly commitment: Commitment<OwnedHtlc> } {
  const perCommitmentPoint = keys.perCommitmentPoint(number);
  const input = commitmentInput(keys.secp, keys.signer, params, { owner: 'holder', number, spec, perCommitmentPoint });
  return { input, commitment: buildCommitment(input) };
}

/** The newest with both signatures: what is broadcast in a unilateral close. Throws `SignerRefused` once it is revoked. */
export function signedHolderCommitment(secp: Secp256k1, signer: ChannelSigner, monitor: ChannelMonitor): Uint8Array {
  const { input, commitment } = holderCommitment(claimKeys(secp, signer), monitor);
  const { holder, counterparty } = monitor.params;
  const witness = fundingWitness(
    { pubkey: holder.fundingPubkey, signature: signer.signHolderCommitment(input) },
    { pubkey: counterparty.fundingPubkey, signature: monitor.holderCommitment.signature },
  );
  return encodeTransaction(withWitness(commitment.tx, 0, witness));
}
