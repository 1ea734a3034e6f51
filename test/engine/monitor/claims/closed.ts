import { commitmentInput } from '../../../../worker/engine/keys/commitment-inputs.ts';
import { KeysManager } from '../../../../worker/engine/keys/keys-manager.ts';
import { perCommitmentSecret } from '../../../../worker/engine/keys/shachain.ts';
import type { ChannelMonitor, FundingSpend } from '../../../../worker/engine/monitor/channel-monitor.ts';
import { claimKeys, type ClaimKeys } from '../../../../worker/engine/monitor/claims/claim-keys.ts';
import { toHex } from '../../../../worker/engine/primitives/bytes.ts';
import { sha256 } from '../../../../worker/engine/primitives/hash.ts';
import { nobleSecp256k1 as secp } from '../../../../worker/engine/primitives/secp256k1.ts';
import { msat } from '../../../../worker/engine/primitives/units.ts';
import type { ChannelHtlc, HtlcDirection } from '../../../../worker/engine/transactions/channel-htlc.ts';
import type { ChannelParameters } from '../../../../worker/engine/transactions/channel-parameters.ts';
import type { CommitmentFormat } from '../../../../worker/engine/transactions/channel-scripts.ts';
import type { CommitmentSpec } from '../../../../worker/engine/transactions/commitment-spec.ts';
import { buildCommitment, type Commitment } from '../../../../worker/engine/transactions/commitment.ts';
import {
  encodeTransaction,
  transactionId,
  type Transaction,
} from '../../../../worker/engine/transactions/transaction.ts';
import type { OwnedHtlc } from '../../../../worker/engine/keys/commitment-inputs.ts';
import { storedMonitor } from '../recorded.ts';
import { PARAMS, SEED, signature, spec } from '../samples.ts';

/** The height of a close's block. */
export const CLOSED_AT = 400;
/** Of our newest commitment, which is the oldest that we did not revoke. */
const OURS = 5;
const THEIRS = 2;
const REVOKED = 1;

export const keysManager: KeysManager = new KeysManager(secp, new Uint8Array(64).fill(1), 'regtest');
export const signer = keysManager.deriveChannelSigner(PARAMS, PARAMS.fundingSat, {
  counterpartySigned: [],
  counterpartyRevoked: 0,
  holderReleased: OURS,
  holderSigned: [],
});
export const KEYS: ClaimKeys = claimKeys(secp, signer);
const counterparty = new KeysManager(secp, new Uint8Array(64).fill(2), 'regtest').deriveChannelSigner(
  PARAMS,
  PARAMS.fundingSat,
);

const paramsOf = (format: CommitmentFormat): ChannelParameters => ({
  ...PARAMS,
  format,
  holder: { ...PARAMS.holder, ...signer.pubkeys, toSelfDelay: 100 },
  counterparty: { ...PARAMS.counterparty, ...counterparty.pubkeys },
});

export const preimageOf = (id: number): Uint8Array => new Uint8Array(32).fill(id);

export const htlcOf = (id: number, direction: HtlcDirection, amountSat: bigint, cltvExpiry: number): ChannelHtlc => ({
  direction,
  id: BigInt(id),
  amountMsat: msat(amountSat * 1000n),
  paymentHash: sha256(preimageOf(id)),
  cltvExpiry,
  onion: new Uint8Array(0),
});

/** One of ours, one to us whose preimage is known, one to us whose preimage is not, and one of ours that is dust. */
export const HTLCS: readonly ChannelHtlc[] = [
  htlcOf(1, 'outbound', 50_000n, 500),
  htlcOf(2, 'inbound', 40_000n, 600),
  htlcOf(3, 'inbound', 30_000n, 610),
  htlcOf(4, 'outbound', 100n, 520),
];

/** 700,000 sat are ours, and 300,000 with what is under way theirs. */
const specOf = (htlcs: readonly ChannelHtlc[]): CommitmentSpec => ({
  ...spec(htlcs),
  toHolderMsat: msat(700_000_000n),
  toCounterpartyMsat: msat(htlcs.reduce((left, { amountMsat }) => left - amountMsat, 300_000_000n)),
});

/** What a monitor knows before its channel is closed; both sides' commitments have the same HTLCs. */
export function openMonitor(format: CommitmentFormat = 'anchors', htlcs = HTLCS): ChannelMonitor {
  const version = { spec: specOf(htlcs), signature, htlcSignatures: htlcs.map(() => signature) };
  return {
    ...storedMonitor(paramsOf(format)),
    holderCommitment: { ...version, number: OURS },
    previousHolderCommitment: { ...version, number: OURS - 1, spec: specOf([]) },
    counterpartyCommitments: [
      { number: THEIRS, spec: version.spec, perCommitmentPoint: counterparty.perCommitmentPoint(THEIRS) },
    ],
    preimages: new Map([[toHex(sha256(preimageOf(2))), preimageOf(2)]]),
  };
}

export interface Closed {
  readonly monitor: ChannelMonitor;
  readonly commitment: Commitment<OwnedHtlc>;
}

/** The same once a commitment is in the chain: our newest, theirs, or one that they had revoked. */
export function closedBy(
  kind: 'holder' | 'counterparty' | 'revoked',
  format: CommitmentFormat = 'anchors',
  htlcs = HTLCS,
): Closed {
  const monitor = openMonitor(format, htlcs);
  const commitment = buildCommitment(
    commitmentInput(secp, KEYS.signer, monitor.params, { ...VERSIONS[kind], spec: specOf(htlcs) }),
  );
  const revoked = kind === 'revoked' ? { number: REVOKED, spec: specOf(htlcs) } : undefined;
  const confirmedSpend = { spend: SPENDS[kind], ...confirmed(commitment.tx, CLOSED_AT) };
  return { monitor: { ...monitor, revoked, confirmedSpend }, commitment };
}

/** Our commitment before the newest, which has no HTLCs. */
export const previousCommitment = (): Transaction => {
  const perCommitmentPoint = signer.perCommitmentPoint(OURS - 1);
  const version = { owner: 'holder', number: OURS - 1, spec: specOf([]), perCommitmentPoint } as const;
  return buildCommitment(commitmentInput(secp, KEYS.signer, paramsOf('anchors'), version)).tx;
};

export const confirmed = (tx: Transaction, height: number): ChannelMonitor['outputSpends'][number] => ({
  transaction: encodeTransaction(tx),
  txid: transactionId(tx),
  height,
});

const revokedPoint = secp.publicKey(perCommitmentSecret(SEED, REVOKED));
const theirPoint = counterparty.perCommitmentPoint(THEIRS);

const VERSIONS = {
  holder: { owner: 'holder', number: OURS, perCommitmentPoint: signer.perCommitmentPoint(OURS) },
  counterparty: { owner: 'counterparty', number: THEIRS, perCommitmentPoint: theirPoint },
  revoked: { owner: 'counterparty', number: REVOKED, perCommitmentPoint: revokedPoint },
} as const;

const SPENDS: Readonly<Record<keyof typeof VERSIONS, FundingSpend>> = {
  holder: { kind: 'holderCommitment' },
  counterparty: { kind: 'counterpartyCommitment', number: THEIRS, perCommitmentPoint: theirPoint },
  revoked: { kind: 'revokedCommitment', number: REVOKED },
};

/** A transaction that spends outputs of a close, by somebody and to somewhere. */
export const spending = (
  tx: Transaction,
  vouts: readonly number[],
  witness: readonly Uint8Array[] = [],
): Transaction => ({
  version: 2,
  inputs: vouts.map((vout) => ({
    txid: transactionId(tx),
    vout,
    sequence: 0,
    scriptSig: new Uint8Array(0),
    witness: [...witness],
  })),
  outputs: [{ amountSat: 1_000n, script: new Uint8Array(22) }],
  locktime: 0,
});
