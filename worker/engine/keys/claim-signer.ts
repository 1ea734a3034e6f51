import { equalBytes } from '../primitives/bytes.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import type { ChannelPublicKeys } from '../transactions/channel-parameters.ts';
import { toLocalScript, toRemoteAnchorsScript } from '../transactions/channel-scripts.ts';
import { buildCommitment, type CommitmentFormat, type CommitmentInput } from '../transactions/commitment.ts';
import { htlcTransaction } from '../transactions/htlc-transaction.ts';
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
import { refused } from './signer-refusal.ts';

/** The secrets of one channel that take its money out of the chain, 32 bytes each. */
export interface ClaimSecrets {
  readonly revocationBase: Uint8Array;
  readonly paymentBase: Uint8Array;
  readonly delayedPaymentBase: Uint8Array;
  readonly htlcBase: Uint8Array;
}

/** Which input of which transaction to sign, and the amount of the output that it spends. */
export interface SpendingInput {
  readonly tx: Transaction;
  readonly inputIndex: number;
  readonly amountSat: bigint;
}

/**
 * Signs what takes the money of a closed channel out of the chain. It has neither the funding key nor what the holder's
 * commitment secrets are made from: nothing that it signs can close a channel, or change one.
 */
export class ClaimSigner {
  readonly #secp: Secp256k1;
  readonly #secrets: ClaimSecrets;
  readonly #pubkeys: ChannelPublicKeys;
  readonly #points: PointKeyCache;

  constructor(secp: Secp256k1, secrets: ClaimSecrets, pubkeys: ChannelPublicKeys) {
    this.#secp = secp;
    const { revocationBase, paymentBase, delayedPaymentBase, htlcBase } = secrets;
    this.#secrets = { revocationBase, paymentBase, delayedPaymentBase, htlcBase };
    this.#pubkeys = pubkeys;
    this.#points = new PointKeyCache(secp, pubkeys);
  }

  /** The holder's public keys for a per-commitment point of either side. */
  pointKeys(perCommitmentPoint: Uint8Array): PointKeys {
    return this.#points.get(perCommitmentPoint);
  }

  /**
   * The holder's own signature for the HTLC at an output of the holder's commitment. `tx` is the HTLC transaction, with
   * anchors also one that has more inputs and outputs for its fee (BOLT 3, HTLC-Timeout and HTLC-Success Transactions).
   */
  signHolderHtlc(
    input: CommitmentInput,
    perCommitmentPoint: Uint8Array,
    outputIndex: number,
    { tx, inputIndex }: Pick<SpendingInput, 'tx' | 'inputIndex'>,
  ): Uint8Array {
    const keys = this.pointKeys(perCommitmentPoint);
    const isOurs =
      equalBytes(input.keys.delayedPubkey, keys.delayedPubkey) &&
      equalBytes(input.keys.ownerHtlcPubkey, keys.htlcPubkey);
    if (!isOurs) throw refused('the keys are those of the channel');
    const commitment = buildCommitment(input);
    const htlc = commitment.htlcs.find((candidate) => candidate.outputIndex === outputIndex);
    if (!htlc) throw refused('the output is that of an HTLC');
    const expected = htlcTransaction(input, transactionId(commitment.tx), htlc);
    if (!pays(tx, inputIndex, expected)) throw refused('the transaction is that of the HTLC');
    const secret = this.#htlcSecret(perCommitmentPoint);
    return this.#secp.signLowR(htlcSighashAt(tx, inputIndex, htlc), secret);
  }

  /** Spends `to_local` of a holder commitment, or the output of its HTLC transactions, after the delay. */
  signToLocalSweep(
    spending: SpendingInput,
    terms: {
      readonly perCommitmentPoint: Uint8Array;
      readonly toSelfDelay: number;
      readonly revocationPubkey: Uint8Array;
    },
  ): Witness {
    const { perCommitmentPoint: point } = terms;
    const script = toLocalScript(terms.revocationPubkey, terms.toSelfDelay, this.#points.get(point).delayedPubkey);
    const { delayedPaymentBasepoint } = this.#pubkeys;
    const secret = deriveSecret(this.#secp, this.#secrets.delayedPaymentBase, delayedPaymentBasepoint, point);
    return delayedWitness(this.#spend(spending, script, secret), script);
  }

  /** Spends `to_remote` of a counterparty commitment; it needs nothing but the seed. */
  signToRemoteSweep(spending: SpendingInput, format: CommitmentFormat): Witness {
    const { paymentBasepoint } = this.#pubkeys;
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
    return deriveSecret(this.#secp, this.#secrets.htlcBase, this.#pubkeys.htlcBasepoint, perCommitmentPoint);
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
