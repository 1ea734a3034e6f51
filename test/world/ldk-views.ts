import { featureBits, hex, ldk, u64Of } from './ldk.ts';
import { nameOf } from './ldk-events.ts';

/** A channel of an LDK node; amounts as LDK shows them. */
export interface LdkChannel {
  readonly channelId: string;
  readonly peer: string;
  readonly sats: number;
  /** What can be sent and received now: balances less reserves. */
  readonly outboundMsat: number;
  readonly inboundMsat: number;
  readonly ready: boolean;
  readonly usable: boolean;
  readonly outbound: boolean;
  /** Short channel ids in decimal. */
  readonly scid: string | null;
  readonly inboundAlias: string | null;
  readonly outboundAlias: string | null;
  readonly channelType: readonly number[];
  /** `txid:vout` */
  readonly funding: string | null;
  readonly pendingInbound: number;
  readonly pendingOutbound: number;
}

export interface LdkBalance {
  readonly kind: string;
  readonly sats: number;
}

export interface LdkPeer {
  readonly nodeId: string;
  readonly inbound: boolean;
  readonly features: readonly number[];
}

export function channelView(channel: ldk.ChannelDetails): LdkChannel {
  return {
    channelId: hex(channel.get_channel_id().get_a()),
    peer: hex(channel.get_counterparty().get_node_id()),
    sats: Number(channel.get_channel_value_satoshis()),
    outboundMsat: Number(channel.get_outbound_capacity_msat()),
    inboundMsat: Number(channel.get_inbound_capacity_msat()),
    // The bindings give 0 and 1 for what they declare as booleans.
    ready: Boolean(channel.get_is_channel_ready()),
    usable: Boolean(channel.get_is_usable()),
    outbound: Boolean(channel.get_is_outbound()),
    scid: decimal(channel.get_short_channel_id()),
    inboundAlias: decimal(channel.get_inbound_scid_alias()),
    outboundAlias: decimal(channel.get_outbound_scid_alias()),
    channelType: featureBits(channel.get_channel_type()?.le_flags() ?? new Uint8Array()),
    funding: channel.get_funding_txo()?.to_str() ?? null,
    pendingInbound: channel.get_pending_inbound_htlcs().length,
    pendingOutbound: channel.get_pending_outbound_htlcs().length,
  };
}

export function balanceView(balance: ldk.Balance): LdkBalance {
  return { kind: nameOf(balance, 'Balance_'), sats: Number(balance.claimable_amount_satoshis()) };
}

export function peerView(peer: ldk.PeerDetails): LdkPeer {
  return {
    nodeId: hex(peer.get_counterparty_node_id()),
    inbound: Boolean(peer.get_is_inbound_connection()),
    features: featureBits(peer.get_init_features().le_flags()),
  };
}

function decimal(option: ldk.Option_u64Z): string | null {
  return u64Of(option)?.toString() ?? null;
}
