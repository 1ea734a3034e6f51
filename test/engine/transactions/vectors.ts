import anchors from '../../vectors/bolt03-anchors.json' with { type: 'json' };
import legacy from '../../vectors/bolt03-commitment-legacy.json' with { type: 'json' };
import { fromHex, reversed } from '../../../worker/engine/primitives/bytes.ts';
import { sha256 } from '../../../worker/engine/primitives/hash.ts';
import type { CommitmentInput, Htlc } from '../../../worker/engine/transactions/commitment.ts';

/** An HTLC of BOLT 3, Appendix C, with its preimage. */
export interface VectorHtlc extends Htlc {
  readonly id: number;
  readonly preimage: Uint8Array;
}

export interface CommitmentCase {
  readonly name: string;
  readonly input: CommitmentInput<VectorHtlc>;
  readonly expected: {
    readonly tx: string;
    readonly remoteSignature: string;
    readonly htlcs: readonly { readonly tx: string; readonly remoteSignature: string }[];
  };
}

export const secrets = {
  localFunding: fromHex(legacy.parameters.keys.local_funding_privkey),
  remoteFunding: fromHex(legacy.parameters.keys.remote_funding_privkey),
  localHtlc: fromHex(legacy.parameters.keys.local_privkey),
  remoteHtlc: fromHex(legacy.parameters.keys.remote_privkey),
} as const;

const { parameters } = legacy;

const vectorHtlcs: readonly VectorHtlc[] = parameters.htlcs.map((htlc) => ({
  id: htlc.id,
  offered: htlc.direction === 'offered',
  amountMsat: BigInt(htlc.amount_msat),
  paymentHash: sha256(fromHex(htlc.payment_preimage)),
  preimage: fromHex(htlc.payment_preimage),
  cltvExpiry: htlc.cltv_expiry,
}));

export const htlcsById = (ids: readonly number[]): VectorHtlc[] =>
  ids.flatMap((id) => vectorHtlcs.find((htlc) => htlc.id === id) ?? []);

type Case = (typeof legacy.cases)[number] | (typeof anchors.cases)[number];

function commitmentCase(format: CommitmentInput['format'], vector: Case): CommitmentCase {
  const { keys } = parameters;
  return {
    name: `${format}: ${vector.name}`,
    input: {
      format,
      fundingTxid: reversed(fromHex(parameters.funding_txid)),
      fundingOutputIndex: parameters.funding_output_index,
      fundingSat: BigInt(parameters.funding_amount_satoshi),
      commitmentNumber: parameters.commitment_number,
      obscuringFactor: Number.parseInt(parameters.obscuring_factor, 16),
      ownerIsOpener: true,
      ownerDustLimitSat: BigInt(
        'dust_limit_satoshi' in vector ? vector.dust_limit_satoshi : parameters.dust_limit_satoshi,
      ),
      toSelfDelay: parameters.to_self_delay,
      feeratePerKw: vector.feerate_per_kw,
      toOwnerMsat: BigInt(vector.to_local_msat),
      toOtherMsat: BigInt(vector.to_remote_msat),
      htlcs: htlcsById(vector.htlcs_in_commitment),
      keys: {
        revocationPubkey: fromHex(keys.local_revocation_pubkey),
        delayedPubkey: fromHex(keys.local_delayedpubkey),
        ownerHtlcPubkey: fromHex(keys.local_htlcpubkey),
        otherHtlcPubkey: fromHex(keys.remote_htlcpubkey),
        otherPaymentPubkey: fromHex(keys.remote_payment_basepoint),
        ownerFundingPubkey: fromHex(keys.local_funding_pubkey),
        otherFundingPubkey: fromHex(keys.remote_funding_pubkey),
      },
    },
    expected: {
      tx: vector.commitment_tx_hex,
      remoteSignature: vector.remote_signature_der,
      htlcs: vector.htlc_txs.map((htlc) => ({ tx: htlc.tx_hex, remoteSignature: htlc.remote_signature_der })),
    },
  };
}

export const commitmentCases: readonly CommitmentCase[] = [
  ...legacy.cases.map((vector) => commitmentCase('static_remotekey', vector)),
  ...anchors.cases.map((vector) => commitmentCase('anchors', vector)),
];
