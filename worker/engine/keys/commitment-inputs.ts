import type { Secp256k1 } from '../primitives/secp256k1.ts';
import type { ChannelHtlc } from '../transactions/channel-htlc.ts';
import type { ChannelParameters } from '../transactions/channel-parameters.ts';
import type { CommitmentInput, Htlc } from '../transactions/commitment.ts';
import type { CommitmentSpec } from '../transactions/commitment-spec.ts';
import { obscuringFactor } from '../transactions/commitment-number.ts';
import { derivePubkey, deriveRevocationPubkey } from './derivation.ts';

/** An HTLC of the channel as one commitment has it. */
export type OwnedHtlc = ChannelHtlc & Htlc;

/** Which commitment of a channel: whose, which number, what it says and its per-commitment point. */
export interface CommitmentVersion {
  readonly owner: 'holder' | 'counterparty';
  readonly number: number;
  readonly spec: CommitmentSpec;
  readonly perCommitmentPoint: Uint8Array;
}

/** All that decides the transaction of a commitment (BOLT 3, Key Derivation, Commitment Transaction). */
export function commitmentInput(
  secp: Secp256k1,
  params: ChannelParameters,
  { owner, number, spec, perCommitmentPoint }: CommitmentVersion,
): CommitmentInput<OwnedHtlc> {
  const other = owner === 'holder' ? 'counterparty' : 'holder';
  const [ownerTerms, otherTerms] = [params[owner], params[other]];
  const derive = (basepoint: Uint8Array): Uint8Array => derivePubkey(secp, basepoint, perCommitmentPoint);
  const [opener, accepter] = params.isOpener
    ? [params.holder, params.counterparty]
    : [params.counterparty, params.holder];
  const outbound = owner === 'holder' ? 'outbound' : 'inbound';
  return {
    format: params.format,
    fundingTxid: params.fundingTxid,
    fundingOutputIndex: params.fundingOutputIndex,
    fundingSat: params.fundingSat,
    commitmentNumber: number,
    obscuringFactor: obscuringFactor(opener.paymentBasepoint, accepter.paymentBasepoint),
    ownerIsOpener: params.isOpener === (owner === 'holder'),
    ownerDustLimitSat: ownerTerms.dustLimitSat,
    toSelfDelay: otherTerms.toSelfDelay,
    feeratePerKw: spec.feeratePerKw,
    toOwnerMsat: owner === 'holder' ? spec.toHolderMsat : spec.toCounterpartyMsat,
    toOtherMsat: owner === 'holder' ? spec.toCounterpartyMsat : spec.toHolderMsat,
    htlcs: spec.htlcs.map((htlc) => ({ ...htlc, offered: htlc.direction === outbound })),
    keys: {
      revocationPubkey: deriveRevocationPubkey(secp, otherTerms.revocationBasepoint, perCommitmentPoint),
      delayedPubkey: derive(ownerTerms.delayedPaymentBasepoint),
      ownerHtlcPubkey: derive(ownerTerms.htlcBasepoint),
      otherHtlcPubkey: derive(otherTerms.htlcBasepoint),
      otherPaymentPubkey: otherTerms.paymentBasepoint,
      ownerFundingPubkey: ownerTerms.fundingPubkey,
      otherFundingPubkey: otherTerms.fundingPubkey,
    },
  };
}
