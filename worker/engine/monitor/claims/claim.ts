import type { CommitmentFormat } from '../../transactions/channel-scripts.ts';
import type { CommitmentHtlc, CommitmentInput } from '../../transactions/commitment.ts';
import type { Outpoint } from '../../transactions/transaction.ts';
import type { OwnedHtlc } from '../../keys/commitment-inputs.ts';

/** An output in the chain that is or may become ours, and what it takes to spend it. */
export type Claim = {
  readonly outpoint: Outpoint;
  readonly amountSat: bigint;
  readonly script: Uint8Array;
  /** The height of the first block that may hold the transaction which spends it. */
  readonly validFrom: number;
  /** The height of the first block in which the counterparty could take it; `undefined` where it cannot by waiting. */
  readonly deadline: number | undefined;
} & ClaimTerms;

export type ClaimTerms =
  /** `to_local` of our commitment, or the output of one of its HTLC transactions, after the delay. */
  | {
      readonly kind: 'delayed';
      readonly perCommitmentPoint: Uint8Array;
      readonly toSelfDelay: number;
      /** 33 bytes */
      readonly revocationPubkey: Uint8Array;
    }
  /** `to_remote` of a commitment of the counterparty. */
  | { readonly kind: 'toRemote'; readonly format: CommitmentFormat }
  /** An HTLC of our commitment, which our HTLC transaction takes: HTLC-success with a preimage, HTLC-timeout without. */
  | {
      readonly kind: 'holderHtlc';
      readonly perCommitmentPoint: Uint8Array;
      readonly input: CommitmentInput<OwnedHtlc>;
      readonly htlc: CommitmentHtlc<OwnedHtlc>;
      /** The counterparty's signature of the HTLC transaction, 64 bytes, compact. */
      readonly counterpartySignature: Uint8Array;
      readonly preimage: Uint8Array | undefined;
    }
  /** An HTLC of a commitment of the counterparty: with the preimage what it offers, after the expiry what we offered. */
  | {
      readonly kind: 'counterpartyHtlc';
      readonly format: CommitmentFormat;
      readonly perCommitmentPoint: Uint8Array;
      readonly htlcScript: Uint8Array;
      readonly paymentHash: Uint8Array;
      readonly cltvExpiry: number;
      readonly preimage: Uint8Array | undefined;
    }
  /** `to_local` of a revoked commitment, or the output of one of its HTLC transactions. */
  | {
      readonly kind: 'revokedToLocal';
      readonly perCommitmentSecret: Uint8Array;
      readonly toSelfDelay: number;
      readonly delayedPubkey: Uint8Array;
    }
  /** An HTLC of a revoked commitment. */
  | {
      readonly kind: 'revokedHtlc';
      readonly format: CommitmentFormat;
      readonly perCommitmentSecret: Uint8Array;
      readonly htlcScript: Uint8Array;
    };

/** The lock time that a transaction needs which spends a claim; 0 where any does. */
export function locktimeOf(claim: ClaimTerms): number {
  if (claim.kind === 'counterpartyHtlc') return claim.preimage === undefined ? claim.cltvExpiry : 0;
  if (claim.kind === 'holderHtlc') return claim.htlc.htlc.offered ? claim.htlc.htlc.cltvExpiry : 0;
  return 0;
}

/** BIP 68: the relative delay that the output's script demands; without one still replaceable. */
export function sequenceOf(claim: ClaimTerms): number {
  switch (claim.kind) {
    case 'delayed':
      return claim.toSelfDelay;
    case 'toRemote':
    case 'counterpartyHtlc':
      return claim.format === 'anchors' ? 1 : REPLACEABLE;
    case 'holderHtlc':
      return claim.input.format === 'anchors' ? 1 : 0;
    case 'revokedToLocal':
    case 'revokedHtlc':
      return REPLACEABLE;
    default:
      return claim satisfies never;
  }
}

/** BIP 125: may be replaced, has no relative delay, and lets a lock time count. */
const REPLACEABLE = 0xffff_fffd;

const SIGNATURE_WEIGHT = 1 + 72;
const KEY_WEIGHT = 1 + 33;
const PREIMAGE_WEIGHT = 1 + 32;
/** Of a script of less than 253 bytes, with its length. */
const scriptWeight = (script: Uint8Array): number => 1 + script.length;
/** `to_local` with a delay of up to three bytes. */
const TO_LOCAL_WEIGHT = 1 + 80;
const TO_REMOTE_WEIGHT = 1 + 37;
const COUNT_WEIGHT = 1;
const EMPTY_WEIGHT = 1;

/** Of the longest witness that spends a claim; signatures are low in r and s. */
export function witnessWeightOf(claim: ClaimTerms): number {
  switch (claim.kind) {
    case 'delayed':
      return COUNT_WEIGHT + SIGNATURE_WEIGHT + EMPTY_WEIGHT + TO_LOCAL_WEIGHT;
    case 'revokedToLocal':
      return COUNT_WEIGHT + SIGNATURE_WEIGHT + 2 + TO_LOCAL_WEIGHT;
    case 'toRemote':
      return COUNT_WEIGHT + SIGNATURE_WEIGHT + (claim.format === 'anchors' ? TO_REMOTE_WEIGHT : KEY_WEIGHT);
    case 'holderHtlc':
      return (
        COUNT_WEIGHT +
        EMPTY_WEIGHT +
        2 * (SIGNATURE_WEIGHT + 1) +
        (claim.preimage === undefined ? EMPTY_WEIGHT : PREIMAGE_WEIGHT) +
        scriptWeight(claim.htlc.outputScript)
      );
    case 'counterpartyHtlc':
      return (
        COUNT_WEIGHT +
        SIGNATURE_WEIGHT +
        (claim.preimage === undefined ? EMPTY_WEIGHT : PREIMAGE_WEIGHT) +
        scriptWeight(claim.htlcScript)
      );
    case 'revokedHtlc':
      return COUNT_WEIGHT + SIGNATURE_WEIGHT + KEY_WEIGHT + scriptWeight(claim.htlcScript);
    default:
      return claim satisfies never;
  }
}
