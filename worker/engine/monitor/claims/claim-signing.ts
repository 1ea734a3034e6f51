import type { ClaimSigner, SpendingInput } from '../../keys/claim-signer.ts';
import type { Transaction } from '../../transactions/transaction.ts';
import { htlcTransactionWitness, type Witness } from '../../transactions/witnesses.ts';
import type { Claim } from './claim.ts';

/** The transaction with the witnesses of its first inputs, which spend the claims in order. */
export function signClaims(signer: ClaimSigner, tx: Transaction, claims: readonly Claim[]): Transaction {
  const inputs = tx.inputs.map((input, inputIndex) => {
    const claim = claims[inputIndex];
    return claim === undefined
      ? input
      : { ...input, witness: witnessOf(signer, claim, { tx, inputIndex, amountSat: claim.amountSat }) };
  });
  return { ...tx, inputs };
}

function witnessOf(signer: ClaimSigner, claim: Claim, spending: SpendingInput): Witness {
  switch (claim.kind) {
    case 'delayed':
      return signer.signToLocalSweep(spending, claim);
    case 'toRemote':
      return signer.signToRemoteSweep(spending, claim.format);
    case 'holderHtlc': {
      const { input, perCommitmentPoint, htlc, counterpartySignature, preimage } = claim;
      const signature = signer.signHolderHtlc(input, perCommitmentPoint, htlc.outputIndex, spending);
      return htlcTransactionWitness(input.format, counterpartySignature, signature, preimage, htlc.outputScript);
    }
    case 'counterpartyHtlc':
      return signer.signCounterpartyHtlcClaim(spending, claim);
    case 'revokedToLocal':
      return signer.signJusticeToLocal(spending, claim);
    case 'revokedHtlc':
      return signer.signJusticeHtlc(spending, claim);
    default:
      return claim satisfies never;
  }
}
