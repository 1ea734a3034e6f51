import type { Secp256k1 } from '../primitives/secp256k1.ts';
import type { ChannelHtlc } from '../transactions/channel-htlc.ts';
import type { ChannelParameters, ChannelPublicKeys } from '../transactions/channel-parameters.ts';
import type { CommitmentInput, CommitmentKeys, Htlc } from '../transactions/commitment.ts';
import type { CommitmentSpec } from '../transactions/commitment-spec.ts';
import { obscuringFactor } from '../transactions/commitment-number.ts';
import { PointKeys } from './point-keys.ts';

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
  signer: { pointKeys(perCommitmentPoint: Uint8Array): PointKeys },
  params: ChannelParameters,
  version: CommitmentVersion,
): CommitmentInput<OwnedHtlc> {
  const { owner, number, spec, perCommitmentPoint } = version;
  const other = owner === 'holder' ? 'counterparty' : 'holder';
  const [opener, accepter] = params.isOpener
    ? [params.holder, params.counterparty]
    : [params.counterparty, params.holder];
  const outbound = owner === 'holder' ? 'outbound' : 'inbound';
  const ours = signer.pointKeys(perCommitmentPoint);
  const theirs = new PointKeys(secp, params.counterparty, perCommitmentPoint);
  return {
    format: params.format,
    fundingTxid: params.fundingTxid,
    fundingOutputIndex: params.fundingOutputIndex,
    fundingSat: params.fundingSat,
    commitmentNumber: number,
    obscuringFactor: obscuringFactor(opener.paymentBasepoint, accepter.paymentBasepoint),
    ownerIsOpener: params.isOpener === (owner === 'holder'),
    ownerDustLimitSat: params[owner].dustLimitSat,
    toSelfDelay: params[other].toSelfDelay,
    feeratePerKw: spec.feeratePerKw,
    toOwnerMsat: owner === 'holder' ? spec.toHolderMsat : spec.toCounterpartyMsat,
    toOtherMsat: owner === 'holder' ? spec.toCounterpartyMsat : spec.toHolderMsat,
    htlcs: spec.htlcs.map((htlc) => ({ ...htlc, offered: htlc.direction === outbound })),
    keys: new DerivedKeys(params[owner], params[other], owner === 'holder' ? [ours, theirs] : [theirs, ours]),
  };
}

/** The keys of a commitment, each derived when a script first needs it: without HTLC outputs two of them never are. */
class DerivedKeys implements CommitmentKeys {
  readonly otherPaymentPubkey: Uint8Array;
  readonly ownerFundingPubkey: Uint8Array;
  readonly otherFundingPubkey: Uint8Array;
  readonly #owner: PointKeys;
  readonly #other: PointKeys;

  constructor(
    owner: ChannelPublicKeys,
    other: ChannelPublicKeys,
    [ownerKeys, otherKeys]: readonly [PointKeys, PointKeys],
  ) {
    this.otherPaymentPubkey = other.paymentBasepoint;
    this.ownerFundingPubkey = owner.fundingPubkey;
    this.otherFundingPubkey = other.fundingPubkey;
    this.#owner = ownerKeys;
    this.#other = otherKeys;
  }

  get revocationPubkey(): Uint8Array {
    return this.#other.revocationPubkey;
  }

  get delayedPubkey(): Uint8Array {
    return this.#owner.delayedPubkey;
  }

  get ownerHtlcPubkey(): Uint8Array {
    return this.#owner.htlcPubkey;
  }

  get otherHtlcPubkey(): Uint8Array {
    return this.#other.htlcPubkey;
  }
}
