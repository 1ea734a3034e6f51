import { commitmentInput, type OwnedHtlc } from '../../keys/commitment-inputs.ts';
import { retrieveSecret, shachainIndex } from '../../keys/shachain.ts';
import { equalBytes } from '../../primitives/bytes.ts';
import { buildCommitment, type Commitment, type CommitmentInput } from '../../transactions/commitment.ts';
import { transactionId } from '../../transactions/transaction.ts';
import type { ChannelMonitor, HolderCommitment } from '../channel-monitor.ts';
import { holderCommitment } from '../holder-commitment.ts';
import type { ClaimKeys } from './claim-keys.ts';

/** The transaction that spent the funding, as far as a monitor can build it again. */
export type Close =
  | {
      readonly kind: 'holder';
      readonly version: HolderCommitment;
      readonly input: CommitmentInput<OwnedHtlc>;
      readonly commitment: Commitment<OwnedHtlc>;
    }
  | {
      readonly kind: 'counterparty';
      readonly perCommitmentPoint: Uint8Array;
      readonly commitment: Commitment<OwnedHtlc>;
    }
  | { readonly kind: 'revoked'; readonly number: number; readonly perCommitmentSecret: Uint8Array }
  /** Newer than any that we signed, or unlike what we signed under its number: only `to_remote` can be ours. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'cooperative' };

/** `undefined` while the funding is not spent. What a transaction is, its outputs say: its number may be anybody's. */
export function confirmedClose(keys: ClaimKeys, monitor: ChannelMonitor): Close | undefined {
  const { confirmedSpend } = monitor;
  if (confirmedSpend === undefined) return undefined;
  const { spend, txid } = confirmedSpend;
  switch (spend.kind) {
    case 'holderCommitment':
      return holderClose(keys, monitor, txid);
    case 'counterpartyCommitment':
      return counterpartyClose(keys, monitor, spend.number, txid);
    case 'revokedCommitment': {
      const perCommitmentSecret = retrieveSecret(monitor.secrets, shachainIndex(spend.number));
      return perCommitmentSecret === undefined
        ? { kind: 'unknown' }
        : { kind: 'revoked', number: spend.number, perCommitmentSecret };
    }
    case 'unknownCommitment':
      return { kind: 'unknown' };
    case 'cooperative':
      return { kind: 'cooperative' };
    default:
      return spend satisfies never;
  }
}

/** Our commitment with a txid: the newest, or the one before it. */
function holderClose(keys: ClaimKeys, monitor: ChannelMonitor, txid: Uint8Array): Close {
  const { params, holderCommitment: newest, previousHolderCommitment: previous } = monitor;
  for (const version of previous === undefined ? [newest] : [newest, previous]) {
    const { input, commitment } = holderCommitment(keys, { params, holderCommitment: version });
    if (equalBytes(transactionId(commitment.tx), txid)) return { kind: 'holder', version, input, commitment };
  }
  return { kind: 'unknown' };
}

function counterpartyClose(
  { secp, signer }: ClaimKeys,
  { params, counterpartyCommitments }: ChannelMonitor,
  number: number,
  txid: Uint8Array,
): Close {
  const version = counterpartyCommitments.find((each) => each.number === number);
  if (version === undefined) return { kind: 'unknown' };
  const commitment = buildCommitment(commitmentInput(secp, signer, params, { owner: 'counterparty', ...version }));
  const { perCommitmentPoint } = version;
  // Of a lost monitor only the number is known, and not what was signed.
  if (!equalBytes(transactionId(commitment.tx), txid)) return { kind: 'unknown' };
  return { kind: 'counterparty', perCommitmentPoint, commitment };
}
