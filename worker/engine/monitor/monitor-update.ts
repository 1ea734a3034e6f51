import type { CommitmentSpec } from '../transactions/commitment-spec.ts';

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
  /** No update will follow from the channel; `broadcast` says whether our commitment goes out. */
  | { readonly kind: 'channelForceClosed'; readonly broadcast: boolean }
  /** Where a cooperative close pays us. */
  | { readonly kind: 'shutdownScript'; readonly script: Uint8Array };

/** One change of a monitor. Ids count up by one per channel from 1; the monitor as first persisted has id 0. */
export interface ChannelMonitorUpdate {
  readonly updateId: number;
  readonly steps: readonly MonitorStep[];
}
