import { compareBytes } from '../primitives/bytes.ts';
import type { CommitmentFormat } from './channel-scripts.ts';
import { fundingScript } from './channel-scripts.ts';
import { otherHtlcSighashType } from './htlc-transaction.ts';
import type { SighashType } from './sighash.ts';
import { witnessSignature } from './signature.ts';

/** The elements of an input's witness. Signatures passed to the functions here are 64 bytes, compact. */
export type Witness = readonly Uint8Array[];

const EMPTY = new Uint8Array(0);

interface SignedKey {
  readonly pubkey: Uint8Array;
  readonly signature: Uint8Array;
}

/** Spends the funding output: a commitment or closing transaction. The order of the two arguments does not matter. */
export function fundingWitness(a: SignedKey, b: SignedKey): Witness {
  const [first, second] = compareBytes(a.pubkey, b.pubkey) <= 0 ? [a, b] : [b, a];
  const signatures = [first, second].map(({ signature }) => witnessSignature(signature, 'ALL'));
  return [EMPTY, ...signatures, fundingScript(a.pubkey, b.pubkey)];
}

/** Spends an HTLC output by the owner's HTLC transaction; with a preimage it is HTLC-success, without HTLC-timeout. */
export function htlcTransactionWitness(
  format: CommitmentFormat,
  otherSignature: Uint8Array,
  ownerSignature: Uint8Array,
  preimage: Uint8Array | undefined,
  htlcScript: Uint8Array,
): Witness {
  const other = witnessSignature(otherSignature, otherHtlcSighashType(format));
  return [EMPTY, other, witnessSignature(ownerSignature, 'ALL'), preimage ?? EMPTY, htlcScript];
}

/** Spends `to_local`, or the output of an HTLC transaction, after its delay. */
export const delayedWitness = (signature: Uint8Array, toLocal: Uint8Array): Witness => [
  witnessSignature(signature, 'ALL'),
  EMPTY,
  toLocal,
];

/** Spends a revoked `to_local`, or the output of a revoked HTLC transaction, at once. */
export const toLocalPenaltyWitness = (signature: Uint8Array, toLocal: Uint8Array): Witness => [
  witnessSignature(signature, 'ALL'),
  Uint8Array.of(1),
  toLocal,
];

/** Spends an HTLC output of a revoked commitment at once. */
export const htlcPenaltyWitness = (
  signature: Uint8Array,
  revocationPubkey: Uint8Array,
  htlcScript: Uint8Array,
): Witness => [witnessSignature(signature, 'ALL'), revocationPubkey, htlcScript];

/** Spends an HTLC output of the counterparty's commitment: with the preimage, or after the expiry without one. */
export const htlcClaimWitness = (
  signature: Uint8Array,
  preimage: Uint8Array | undefined,
  htlcScript: Uint8Array,
): Witness => [witnessSignature(signature, 'ALL'), preimage ?? EMPTY, htlcScript];

/** Spends an anchor by its key, or `to_remote` with anchors: one signature and the script. */
export const singleSignatureWitness = (signature: Uint8Array, witnessScript: Uint8Array): Witness => [
  witnessSignature(signature, 'ALL'),
  witnessScript,
];

/** Spends a P2WPKH output, such as `to_remote` without anchors. */
export const p2wpkhWitness = (signature: Uint8Array, publicKey: Uint8Array, type: SighashType = 'ALL'): Witness => [
  witnessSignature(signature, type),
  publicKey,
];
