import { commitmentInput, type CommitmentVersion } from '../keys/commitment-inputs.ts';
import type { ChannelParameters } from '../transactions/channel-parameters.ts';
import { buildCommitment, commitmentSighash } from '../transactions/commitment.ts';
import { htlcSighash, htlcTransaction, otherHtlcSighashType } from '../transactions/htlc-transaction.ts';
import { transactionId } from '../transactions/transaction.ts';
import type { ChannelEnv } from './channel-env.ts';

/** The signatures of a `commitment_signed`, 64 bytes each; those of the HTLCs in output order. */
export interface CommitmentSignatures {
  readonly signature: Uint8Array;
  readonly htlcSignatures: readonly Uint8Array[];
}

/** Signs a commitment of the counterparty. Throws `SignerRefused` where that would be a second version of it. */
export function signCounterpartyCommitment(
  env: ChannelEnv,
  params: ChannelParameters,
  version: Omit<CommitmentVersion, 'owner'>,
): CommitmentSignatures {
  const input = commitmentInput(env.secp, env.signer, params, { ...version, owner: 'counterparty' });
  return env.signer.signCounterpartyCommitment(input, version.perCommitmentPoint);
}

/** Checks the counterparty's signatures for our commitment; a sentence where they are not valid (BOLT 2, Committing Updates). */
export function checkHolderSignatures(
  { secp, signer }: Pick<ChannelEnv, 'secp' | 'signer'>,
  params: ChannelParameters,
  version: Omit<CommitmentVersion, 'owner'>,
  { signature, htlcSignatures }: CommitmentSignatures,
): string | undefined {
  const input = commitmentInput(secp, signer, params, { ...version, owner: 'holder' });
  const commitment = buildCommitment(input);
  if (!secp.verify(signature, commitmentSighash(commitment, params.fundingSat), params.counterparty.fundingPubkey))
    return 'the signature of the commitment is not valid';
  if (htlcSignatures.length !== commitment.htlcs.length)
    return `${htlcSignatures.length} HTLC signatures for ${commitment.htlcs.length} HTLC outputs`;
  const txid = transactionId(commitment.tx);
  const sighashType = otherHtlcSighashType(params.format);
  for (const [index, htlc] of commitment.htlcs.entries()) {
    const hash = htlcSighash(htlcTransaction(input, txid, htlc), htlc, sighashType);
    const htlcSignature = htlcSignatures[index] ?? new Uint8Array(0);
    if (!secp.verify(htlcSignature, hash, input.keys.otherHtlcPubkey))
      return `the signature of HTLC ${htlc.htlc.id} is not valid`;
  }
  return undefined;
}
