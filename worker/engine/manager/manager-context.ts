import { assert } from '../primitives/errors.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import type { ChannelConfig } from '../channel/channel-config.ts';
import type { ChannelEnv, ChannelFeerates } from '../channel/channel-env.ts';
import type { ChannelState, CloseReason } from '../channel/channel-state.ts';
import type { Transition } from '../channel/transition.ts';
import type { ChannelSigner } from '../keys/channel-signer.ts';
import type { EntropySource, NodeSigner, SignerProvider } from '../keys/ports.ts';
import type { ChainMonitor, Filter } from '../monitor/chain-monitor.ts';
import type { ChannelMonitor } from '../monitor/channel-monitor.ts';
import type { HtlcEvent } from '../monitor/htlc-resolution.ts';
import type { HolderCommitmentFate } from '../monitor/monitor-update.ts';
import type { Outpoint } from '../transactions/transaction.ts';
import type { OnchainWallet } from '../wallet/wallet.ts';
import type { ChannelEntry, ForwardingTerms } from './channel-entry.ts';
import type { ChannelTable } from './channel-table.ts';
import type { EventOutbox } from './event-outbox.ts';
import type { InterceptionRules } from './intercepted-htlcs.ts';
import type { PeerTable } from './peer-table.ts';
import type { Turn } from './turn.ts';

/** `ask`: the app is told by an event, and answers `acceptInboundChannel` or `refuseInboundChannel`. */
export type InboundChannelRule = 'accept' | 'refuse' | 'ask';

/** What a manager is made of. */
export interface ManagerParts {
  readonly secp: Secp256k1;
  readonly keys: NodeSigner & SignerProvider;
  readonly entropy: EntropySource;
  readonly wallet: OnchainWallet;
  readonly filter: Filter;
  readonly config: ChannelConfig;
  /** 32 bytes, as in `open_channel`. */
  readonly chainHash: Uint8Array;
  readonly trustedForZeroConf: (nodeId: string) => boolean;
  /** What is done about a channel that a peer wants to open, and that is within all limits. */
  readonly inboundChannels: (nodeId: string) => InboundChannelRule;
  /** Kept in the on-chain wallet for closes while there are channels. */
  readonly reserveSat: (channels: number) => bigint;
  /** The coins of each payment that was taken back and could arrive all the same, as in `PaymentTerms`. */
  readonly unsettledPayments: () => readonly (readonly Outpoint[])[];
  /**
   * Whether channels may be closed for the sake of HTLCs that expire: peers have had the chance to come back since the start,
   * and the tip is good. Too early, a close that nobody needed; never, money that is lost.
   */
  readonly mayCloseAtDeadlines: () => boolean;
  /**
   * Whether the newest block is as new as it should be. On an old one nothing is taken on that expires by height: what is under
   * way is resolved all the same.
   */
  readonly isTipFresh: () => boolean;
  /** What is asked of those whose payments pass through this node; without it none does. */
  readonly forwarding: ForwardingTerms | undefined;
  /** Which of those the app decides upon; without it none. */
  readonly interception: InterceptionRules | undefined;
  /** 32 bytes from the seed, for `InterceptScids`. */
  readonly interceptKey: Uint8Array;
  /** An error of ours stopped a channel: what is shown of it has changed, perhaps without any write. */
  readonly channelFrozen: () => void;
  /** A line for the log; never a secret. */
  readonly log: (line: string) => void;
}

/** The chain's height and what it costs to be in it, as last heard. */
export interface ChainConditions {
  blockHeight: number;
  feerates: ChannelFeerates;
}

/** What the parts of a manager share. Everything but the tables and the conditions works within the running turn. */
export interface ManagerContext {
  readonly parts: ManagerParts;
  readonly channels: ChannelTable;
  readonly peers: PeerTable;
  readonly chainMonitor: ChainMonitor;
  readonly events: EventOutbox;
  readonly conditions: ChainConditions;
  turn(): Turn;
  /** Takes a transition over into its channel, with all that follows from it. */
  apply<S extends ChannelState>(entry: ChannelEntry, transition: Transition<S>): void;
  /**
   * Ends an open channel, and says what becomes of our commitment. It works from what the monitor has, whatever the state of
   * the channel.
   */
  close(entry: ChannelEntry, reason: CloseReason, holderCommitment: HolderCommitmentFate): void;
  /** It is known what became of an HTLC that we offered; may come again. */
  htlcResolved(entry: ChannelEntry, resolved: HtlcEvent): void;
  /** Does something for one channel that can fail alone: an error of ours freezes that channel and takes back the rest. */
  isolate(entry: ChannelEntry, work: () => void): void;
}

/** What the functions of `channel/` need beside a channel's state. */
export const envOf = (context: ManagerContext, { key, signer, refusedFeerate }: ChannelEntry): ChannelEnv => ({
  ...envOfSigner(context, signer, context.chainMonitor.monitor(key)?.secrets),
  refusedFeerate,
});

/** As `envOf`, of a channel that does not exist yet. */
export const envOfSigner = (
  { parts, conditions }: ManagerContext,
  signer: ChannelSigner,
  counterpartySecrets: ChannelEnv['counterpartySecrets'] = [],
): ChannelEnv => ({ secp: parts.secp, signer, config: parts.config, counterpartySecrets, ...conditions });

/** The monitor of a channel that is open or closed. */
export function monitorOf({ chainMonitor }: ManagerContext, { key }: ChannelEntry): ChannelMonitor {
  const monitor = chainMonitor.monitor(key);
  assert(monitor !== undefined, 'an open channel has a monitor');
  return monitor;
}
