import { equalBytes } from '../primitives/bytes.ts';
import { GlowwormError } from '../primitives/errors.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import type { ChannelPublicKeys } from '../transactions/channel-parameters.ts';
import { anchorScript, toLocalScript, toRemoteAnchorsScript } from '../transactions/channel-scripts.ts';
import { buildClosing, closingAmounts, closingSighash, type ClosingInput } from '../transactions/closing.ts';
import { MAX_DUST_LIMIT_SAT } from '../transactions/closing-outputs.ts';
import { ANCHOR_SAT } from '../transactions/commitment-fees.ts';
import {
  buildCommitment,
  commitmentSighash,
  type CommitmentFormat,
  type CommitmentInput,
} from '../transactions/commitment.ts';
import { htlcSighash, htlcTransaction, otherHtlcSighashType } from '../transactions/htlc-transaction.ts';
import { p2pkh } from '../transactions/script.ts';
import { segwitV0Sighash } from '../transactions/sighash.ts';
import { encodeOutput, transactionId, type Transaction } from '../transactions/transaction.ts';
import {
  delayedWitness,
  htlcClaimWitness,
  htlcPenaltyWitness,
  p2wpkhWitness,
  singleSignatureWitness,
  toLocalPenaltyWitness,
  type Witness,
} from '../transactions/witnesses.ts';
import { deriveRevocationSecret, deriveSecret } from './derivation.ts';
import { PointKeyCache, type PointKeys } from './point-keys.ts';
import { PerCommitmentSecrets } from './shachain.ts';
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
export interface ChannelSecrets {
  readonly funding: Uint8Array;
  readonly revocationBase: Uint8Array;
  readonly paymentBase: Uint8Array;
  readonly delayedPaymentBase: Uint8Array;
  readonly htlcBase: Uint8Array;
  /** The root of the holder's per-commitment secrets. */
  readonly commitmentSeed: Uint8Array;
}

/** Which input of which transaction to sign, and the amount of the output that it spends. */
export interface SpendingInput {
  readonly tx: Transaction;
  readonly inputIndex: number;
  readonly amountSat: bigint;
}

/**
 * Holds the secrets of one channel and signs for it. It builds what it signs from the terms instead of trusting a hash,
 * and it refuses on its own, with `SignerRefused`, whatever could cost the channel's money: see `SignerState`, which the
 * caller stores before anything that was signed or released leaves. Commitment numbers count up from 0.
 * Signatures are 64 bytes, compact.
 */
export class ChannelSigner {
  readonly pubkeys: ChannelPublicKeys;
  readonly #secp: Secp256k1;
  readonly #secrets: ChannelSecrets;
  readonly #channelValueSat: bigint;
  readonly #points: PointKeyCache;
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
    this.#points = new PointKeyCache(secp, this.pubkeys);
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
    return this.#points.get(perCommitmentPoint);
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
    const keys = this.#points.get(perCommitmentPoint);
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
    const htlcSecret = this.#htlcSecret(perCommitmentPoint);
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

  /**
   * The holder's own signature for the HTLC at an output of the holder's commitment. `tx` is the HTLC transaction, with
   * anchors also one that has more inputs and outputs for its fee (BOLT 3, HTLC-Timeout and HTLC-Success Transactions).
   */
  signHolderHtlc(
    input: CommitmentInput,
    outputIndex: number,
    { tx, inputIndex }: Pick<SpendingInput, 'tx' | 'inputIndex'>,
  ): Uint8Array {
    this.#checkHolderInput(input);
    this.#check(input.commitmentNumber >= this.#state.holderReleased, 'the commitment is not revoked');
    const commitment = buildCommitment(input);
    const htlc = commitment.htlcs.find((candidate) => candidate.outputIndex === outputIndex);
    if (!htlc) throw refused('the output is that of an HTLC');
    const expected = htlcTransaction(input, transactionId(commitment.tx), htlc);
    this.#check(pays(tx, inputIndex, expected), 'the transaction is that of the HTLC');
    const secret = this.#htlcSecret(this.perCommitmentPoint(input.commitmentNumber));
    return this.#secp.signLowR(htlcSighashAt(tx, inputIndex, htlc), secret);
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
  signHolderAnchor(spending: Pick<SpendingInput, 'tx' | 'inputIndex'>): Witness {
    const script = anchorScript(this.pubkeys.fundingPubkey);
    const signature = this.#spend({ ...spending, amountSat: ANCHOR_SAT }, script, this.#secrets.funding);
    return singleSignatureWitness(signature, script);
  }

  /** Spends `to_local` of a holder commitment, or the output of its HTLC transactions, after the delay. */
  signToLocalSweep(
    spending: SpendingInput,
    terms: { readonly commitmentNumber: number; readonly toSelfDelay: number; readonly revocationPubkey: Uint8Array },
  ): Witness {
    const point = this.perCommitmentPoint(terms.commitmentNumber);
    const script = toLocalScript(terms.revocationPubkey, terms.toSelfDelay, this.#points.get(point).delayedPubkey);
    const { delayedPaymentBasepoint } = this.pubkeys;
    const secret = deriveSecret(this.#secp, this.#secrets.delayedPaymentBase, delayedPaymentBasepoint, point);
    return delayedWitness(this.#spend(spending, script, secret), script);
  }

  /** Spends `to_remote` of a counterparty commitment; it needs nothing but the seed. */
  signToRemoteSweep(spending: SpendingInput, format: CommitmentFormat): Witness {
    const { paymentBasepoint } = this.pubkeys;
    if (format === 'static_remotekey') {
      const signature = this.#spend(spending, p2pkh(paymentBasepoint), this.#secrets.paymentBase);
      return p2wpkhWitness(signature, paymentBasepoint);
    }
    const script = toRemoteAnchorsScript(paymentBasepoint);
    return singleSignatureWitness(this.#spend(spending, script, this.#secrets.paymentBase), script);
  }

  /** Claims an HTLC output of the counterparty's commitment: with the preimage, or after its expiry without one. */
  signCounterpartyHtlcClaim(
    spending: SpendingInput,
    terms: {
      readonly perCommitmentPoint: Uint8Array;
      readonly htlcScript: Uint8Array;
      readonly preimage?: Uint8Array | undefined;
    },
  ): Witness {
    const htlcSecret = this.#htlcSecret(terms.perCommitmentPoint);
    return htlcClaimWitness(this.#spend(spending, terms.htlcScript, htlcSecret), terms.preimage, terms.htlcScript);
  }

  /** Takes a revoked `to_local`, or the output of a revoked HTLC transaction. */
  signJusticeToLocal(
    spending: SpendingInput,
    terms: {
      readonly perCommitmentSecret: Uint8Array;
      readonly toSelfDelay: number;
      readonly delayedPubkey: Uint8Array;
    },
  ): Witness {
    const secret = deriveRevocationSecret(this.#secp, this.#secrets.revocationBase, terms.perCommitmentSecret);
    const script = toLocalScript(this.#secp.publicKey(secret), terms.toSelfDelay, terms.delayedPubkey);
    return toLocalPenaltyWitness(this.#spend(spending, script, secret), script);
  }

  /** Takes an HTLC output of a revoked commitment. */
  signJusticeHtlc(
    spending: SpendingInput,
    terms: { readonly perCommitmentSecret: Uint8Array; readonly htlcScript: Uint8Array },
  ): Witness {
    const secret = deriveRevocationSecret(this.#secp, this.#secrets.revocationBase, terms.perCommitmentSecret);
    const signature = this.#spend(spending, terms.htlcScript, secret);
    return htlcPenaltyWitness(signature, this.#secp.publicKey(secret), terms.htlcScript);
  }

  #spend({ tx, inputIndex, amountSat }: SpendingInput, script: Uint8Array, secret: Uint8Array): Uint8Array {
    return this.#secp.signLowR(segwitV0Sighash(tx, inputIndex, script, amountSat, 'ALL'), secret);
  }

  #htlcSecret(perCommitmentPoint: Uint8Array): Uint8Array {
    return deriveSecret(this.#secp, this.#secrets.htlcBase, this.pubkeys.htlcBasepoint, perCommitmentPoint);
  }

  #checkHolderInput(input: CommitmentInput): void {
    const keys = this.#points.get(this.perCommitmentPoint(input.commitmentNumber));
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

const htlcSighashAt = (
  tx: Transaction,
  inputIndex: number,
  htlc: { readonly htlc: { readonly amountMsat: bigint }; readonly outputScript: Uint8Array },
): Uint8Array => segwitV0Sighash(tx, inputIndex, htlc.outputScript, htlc.htlc.amountMsat / 1000n, 'ALL');

/** Whether an input, and the output of the same index, are those of the expected HTLC transaction. */
function pays(tx: Transaction, inputIndex: number, expected: Transaction): boolean {
  const [input, output] = [tx.inputs[inputIndex], tx.outputs[inputIndex]];
  const [expectedInput, expectedOutput] = [expected.inputs[0], expected.outputs[0]];
  if (!input || !output || !expectedInput || !expectedOutput) return false;
  const sameInput = equalBytes(input.txid, expectedInput.txid) && input.vout === expectedInput.vout;
  return sameInput && equalBytes(encodeOutput(output), encodeOutput(expectedOutput));
}

const refused = (what: string): GlowwormError =>
  new GlowwormError('SignerRefused', `the signer refuses, for it must hold that ${what}`);
