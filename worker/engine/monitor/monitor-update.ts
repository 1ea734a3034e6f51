import type { CommitmentSpec } from '../transactions/commitment-spec.ts';

/**
 * What becomes of our commitment when no update follows: it goes out; it waits, for something else is to be in the chain; or
 * it is or could be revoked, and nothing can make it go out any more.
 */
export type HolderCommitmentFate = 'broadcast' | 'wait' | 'never';

/** What a `ChannelMonitor` can learn; one update carries the steps of one turn, in order. */
export type MonitorStep =
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
  /** A preimage with which an HTLC can be claimed on chain. */
  | { readonly kind: 'paymentPreimage'; readonly preimage: Uint8Array }
  /** The secret of a commitment that the counterparty revoked. */
  | { readonly kind: 'commitmentSecret'; readonly number: number; readonly secret: Uint8Array }
  /** No update will follow from the channel. */
  | { readonly kind: 'channelForceClosed'; readonly holderCommitment: HolderCommitmentFate }
  /** Where a cooperative close pays us. */
  | { readonly kind: 'shutdownScript'; readonly script: Uint8Array };

/** One change of a monitor. Ids count up by one per channel from 1; the monitor as first persisted has id 0. */
export interface ChannelMonitorUpdate {
  readonly updateId: number;
  readonly steps: readonly MonitorStep[];
}
