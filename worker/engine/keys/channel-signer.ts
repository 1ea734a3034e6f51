import { equalBytes } from '../primitives/bytes.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import type { ChannelPublicKeys } from '../transactions/channel-parameters.ts';
import { anchorScript } from '../transactions/channel-scripts.ts';
import { buildClosing, closingAmounts, closingSighash, type ClosingInput } from '../transactions/closing.ts';
import { MAX_DUST_LIMIT_SAT } from '../transactions/closing-outputs.ts';
import { ANCHOR_SAT } from '../transactions/commitment-fees.ts';
import { buildCommitment, commitmentSighash, type CommitmentInput } from '../transactions/commitment.ts';
import { htlcSighash, htlcTransaction, otherHtlcSighashType } from '../transactions/htlc-transaction.ts';
import { segwitV0Sighash } from '../transactions/sighash.ts';
import { transactionId } from '../transactions/transaction.ts';
import { singleSignatureWitness, type Witness } from '../transactions/witnesses.ts';
import { ClaimSigner, type ClaimSecrets, type SpendingInput } from './claim-signer.ts';
import { deriveSecret } from './derivation.ts';
import type { PointKeys } from './point-keys.ts';
import { PerCommitmentSecrets } from './shachain.ts';
import { refused } from './signer-refusal.ts';
import {
  afterCounterpartyRevoked,
  afterReleasing,
  afterSigningCounterparty,
  afterSigningHolder,
  INITIAL_SIGNER_STATE,
  type SignerState,
} from './signer-state.ts';

export type { SignerState } from './signer-state.ts';

/** The secrets of one channel, 32 bytes each. */
export interface ChannelSecrets extends ClaimSecrets {
  readonly funding: Uint8Array;
  /** The root of the holder's per-commitment secrets. */
  readonly commitmentSeed: Uint8Array;
}

/**
 * Holds the secrets of one channel and signs for it. It builds what it signs from the terms instead of trusting a hash,
 * and it refuses on its own, with `SignerRefused`, whatever could cost the channel's money: see `SignerState`, which the
 * caller stores before anything that was signed or released leaves. Commitment numbers count up from 0.
 * Signatures are 64 bytes, compact.
 */
export class ChannelSigner {
  readonly pubkeys: ChannelPublicKeys;
  /** Signs what takes the channel's money out of the chain. */
  readonly claims: ClaimSigner;
  readonly #secp: Secp256k1;
  readonly #secrets: ChannelSecrets;
  readonly #channelValueSat: bigint;
  readonly #commitmentSecrets: PerCommitmentSecrets;
  readonly #commitmentPoints = new Map<number, Uint8Array>();
  #state: SignerState;

  constructor(
    secp: Secp256k1,
    secrets: ChannelSecrets,
    channelValueSat: bigint,
    state: SignerState = INITIAL_SIGNER_STATE,
  ) {
    this.#secp = secp;
    this.#secrets = secrets;
    this.#channelValueSat = channelValueSat;
    this.#state = state;
    this.#commitmentSecrets = new PerCommitmentSecrets(secrets.commitmentSeed);
    this.pubkeys = {
      fundingPubkey: secp.publicKey(secrets.funding),
      revocationBasepoint: secp.publicKey(secrets.revocationBase),
      paymentBasepoint: secp.publicKey(secrets.paymentBase),
      delayedPaymentBasepoint: secp.publicKey(secrets.delayedPaymentBase),
      htlcBasepoint: secp.publicKey(secrets.htlcBase),
    };
    this.claims = new ClaimSigner(secp, secrets, this.pubkeys);
  }

  /** A plain object for the channel's record; the signer of the next start is made from it. */
  get state(): SignerState {
    return this.#state;
  }

  /** Goes back to an earlier state. Only where nothing that was signed or released since has left, nor ever will. */
  rollBack(state: SignerState): void {
    this.#state = state;
  }

  /** The holder's 33-byte per-commitment point. */
  perCommitmentPoint(commitmentNumber: number): Uint8Array {
    const known = this.#commitmentPoints.get(commitmentNumber);
    if (known !== undefined) return known;
    const point = this.#secp.publicKey(this.#commitmentSecrets.get(commitmentNumber));
    // A step needs the point of this commitment and of the next.
    this.#commitmentPoints.delete(commitmentNumber - 3);
    this.#commitmentPoints.set(commitmentNumber, point);
    return point;
  }

  /** The holder's public keys for a per-commitment point of either side. */
  pointKeys(perCommitmentPoint: Uint8Array): PointKeys {
    return this.claims.pointKeys(perCommitmentPoint);
  }

  /** Revokes a holder commitment: its 32-byte secret for `revoke_and_ack`. */
  releaseCommitmentSecret(commitmentNumber: number): Uint8Array {
    this.#state = afterReleasing(this.#state, commitmentNumber);
    return this.#commitmentSecrets.get(commitmentNumber);
  }

  /** Notes that the counterparty revoked a commitment by its secret: it is never signed again, and the one after the next may be. */
  counterpartyRevoked(commitmentNumber: number, secret: Uint8Array): void {
    this.#state = afterCounterpartyRevoked(this.#state, commitmentNumber, this.#secp.publicKey(secret));
  }

  /** For `commitment_signed`: the commitment, and its HTLC transactions in output order. */
  signCounterpartyCommitment(
    input: CommitmentInput,
    perCommitmentPoint: Uint8Array,
  ): { signature: Uint8Array; htlcSignatures: Uint8Array[] } {
    const keys = this.pointKeys(perCommitmentPoint);
    this.#check(input.fundingSat === this.#channelValueSat, 'the funding amount is that of the channel');
    this.#checkKey(input.keys.revocationPubkey, keys.revocationPubkey);
    this.#checkKey(input.keys.otherPaymentPubkey, this.pubkeys.paymentBasepoint);
    this.#checkKey(input.keys.otherFundingPubkey, this.pubkeys.fundingPubkey);
    const commitment = buildCommitment(input);
    // Without an HTLC output the key is in no script, and nobody has derived it.
    if (commitment.htlcs.length > 0) this.#checkKey(input.keys.otherHtlcPubkey, keys.htlcPubkey);
    const sighash = commitmentSighash(commitment, input.fundingSat);
    const { commitmentNumber } = input;
    this.#state = afterSigningCounterparty(this.#state, { commitmentNumber, sighash, perCommitmentPoint });
    const txid = transactionId(commitment.tx);
    const type = otherHtlcSighashType(input.format);
    const { htlcBasepoint } = this.pubkeys;
    const htlcSecret = deriveSecret(this.#secp, this.#secrets.htlcBase, htlcBasepoint, perCommitmentPoint);
    return {
      signature: this.#secp.sign(sighash, this.#secrets.funding),
      htlcSignatures: commitment.htlcs.map((htlc) =>
        this.#secp.sign(htlcSighash(htlcTransaction(input, txid, htlc), htlc, type), htlcSecret),
      ),
    };
  }

  /** The holder's own signature of the holder's commitment: afterwards its secret is never released. */
  signHolderCommitment(input: CommitmentInput): Uint8Array {
    this.#checkHolderInput(input);
    const sighash = commitmentSighash(buildCommitment(input), input.fundingSat);
    this.#state = afterSigningHolder(this.#state, { commitmentNumber: input.commitmentNumber, sighash });
    return this.#secp.sign(sighash, this.#secrets.funding);
  }

  /** For the closing transaction, whose fee the channel negotiates freely; one that pays us nothing only where that is dust. */
  signClosing(input: ClosingInput): Uint8Array {
    this.#check(input.fundingSat === this.#channelValueSat, 'the funding amount is that of the channel');
    this.#checkKey(input.holderFundingPubkey, this.pubkeys.fundingPubkey);
    const isLeftOut = input.outputs === 'counterparty';
    this.#check(
      !isLeftOut || closingAmounts(input).holderSat < MAX_DUST_LIMIT_SAT,
      'our output is left out as dust only',
    );
    return this.#secp.sign(closingSighash(buildClosing(input), input.fundingSat), this.#secrets.funding);
  }

  /** Spends the holder's anchor, of whichever commitment. */
  signHolderAnchor({ tx, inputIndex }: Pick<SpendingInput, 'tx' | 'inputIndex'>): Witness {
    const script = anchorScript(this.pubkeys.fundingPubkey);
    const sighash = segwitV0Sighash(tx, inputIndex, script, ANCHOR_SAT, 'ALL');
    const signature = this.#secp.signLowR(sighash, this.#secrets.funding);
    return singleSignatureWitness(signature, script);
  }

  #checkHolderInput(input: CommitmentInput): void {
    const keys = this.pointKeys(this.perCommitmentPoint(input.commitmentNumber));
    this.#check(input.fundingSat === this.#channelValueSat, 'the funding amount is that of the channel');
    this.#checkKey(input.keys.ownerFundingPubkey, this.pubkeys.fundingPubkey);
    this.#checkKey(input.keys.delayedPubkey, keys.delayedPubkey);
    this.#checkKey(input.keys.ownerHtlcPubkey, keys.htlcPubkey);
  }

  /** An output that pays to a key which is not ours would be lost: the signer derives its own and compares. */
  #checkKey(given: Uint8Array, own: Uint8Array): void {
    this.#check(equalBytes(given, own), 'the keys are those of the channel');
  }

  #check(condition: boolean, what: string): void {
    if (!condition) throw refused(what);
  }
}
