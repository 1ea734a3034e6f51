import type { ChannelHtlc } from '../transactions/channel-htlc.ts';
import type { CommitmentSpec } from '../transactions/commitment-spec.ts';
import type { HtlcSource } from '../transactions/htlc-source.ts';
import type { Outpoint } from '../transactions/transaction.ts';
import type { ConfirmedSpend, ConfirmedTransaction, RevokedCommitment } from './channel-monitor.ts';
import type { AnchorChild } from './claims/anchor-child.ts';
import type { ClaimPackage } from './claims/claim-package.ts';
import type { HtlcResolution } from './htlc-resolution.ts';

/**
 * What becomes of our commitment when no update follows: it goes out; it waits, for something else is to be in the chain; or
 * it is or could be revoked, and nothing can make it go out any more.
 */
export type HolderCommitmentFate = 'broadcast' | 'wait' | 'never';

/** What a `ChannelMonitor` learns from its channel, or from whoever heard what it told. */
export type ChannelStep =
  /** Our newest commitment with the counterparty's signatures: what we would broadcast. */
  | {
      readonly kind: 'latestHolderCommitment';
      readonly number: number;
      readonly spec: CommitmentSpec;
      /** 64 bytes, compact. */
      readonly signature: Uint8Array;
      /** In output order. */
      readonly htlcSignatures: readonly Uint8Array[];
    }
  /** A commitment that we signed for the counterparty: what it could broadcast from now on. */
  | {
      readonly kind: 'latestCounterpartyCommitment';
      readonly number: number;
      readonly spec: CommitmentSpec;
      readonly perCommitmentPoint: Uint8Array;
    }
  /** A preimage with which an HTLC can be claimed on chain, whoever gave it. */
  | { readonly kind: 'paymentPreimage'; readonly preimage: Uint8Array }
  /** The secret of a commitment that the counterparty revoked. */
  | { readonly kind: 'commitmentSecret'; readonly number: number; readonly secret: Uint8Array }
  /** No update will follow from the channel. Of a copy that nothing has confirmed, our commitment waits all the same. */
  | { readonly kind: 'channelForceClosed'; readonly holderCommitment: HolderCommitmentFate }
  /** Where a cooperative close pays us. */
  | { readonly kind: 'shutdownScript'; readonly script: Uint8Array }
  /** What is known of the channel comes from a copy, and may be revoked. */
  | { readonly kind: 'copied' }
  /** The peer's `channel_reestablish`, or the owner, says that what is known is the newest. */
  | { readonly kind: 'stateConfirmed' }
  /** Who an HTLC is there for that we offered, with the first commitment that has it; a payment of ours where nothing is said. */
  | { readonly kind: 'htlcSource'; readonly htlcId: bigint; readonly source: HtlcSource }
  /** What became of an HTLC that we offered. Known already, it changes nothing. */
  | { readonly kind: 'htlcResolved'; readonly htlc: ChannelHtlc; readonly resolution: HtlcResolution }
  /** What followed from an event is durable. */
  | { readonly kind: 'eventAcknowledged'; readonly id: number };

/** What a `ChannelMonitor` learns from the chain, and what it made of it. */
export type ChainStep =
  /** A transaction of the chain spends the funding output, perhaps in the place of another. */
  | { readonly kind: 'fundingSpent'; readonly confirmedSpend: ConfirmedSpend }
  | { readonly kind: 'fundingSpendUnconfirmed' }
  /** What the revoked commitment says that is in the chain. */
  | { readonly kind: 'revokedRead'; readonly revoked: RevokedCommitment }
  /** A transaction of the chain concerns the close; known already, it is at another height now. */
  | { readonly kind: 'outputSpent'; readonly spend: ConfirmedTransaction }
  | { readonly kind: 'outputUnspent'; readonly txid: Uint8Array }
  /** The child that pays for our commitment from here on; without one, the wallet has its coins back. */
  | { readonly kind: 'anchorChildChanged'; readonly child: AnchorChild | undefined }
  /** Packages that are over, each by the first outpoint that it took, and those that are new or have a new transaction. */
  | {
      readonly kind: 'packagesChanged';
      readonly over: readonly Outpoint[];
      readonly made: readonly ClaimPackage[];
    };

/** What a `ChannelMonitor` can learn; one update carries what was learnt at once, in order. */
export type MonitorStep = ChannelStep | ChainStep;

/** One change of a monitor. Ids count up by one per channel from 1; the monitor as first persisted has id 0. */
export interface ChannelMonitorUpdate {
  readonly updateId: number;
  readonly steps: readonly MonitorStep[];
}
