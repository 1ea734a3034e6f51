import { ldk } from './ldk-bindings.ts';

const MINIMUM_DEPTH = 3;
const SAT_PER_KW_BY_TARGET = new Map<ldk.ConfirmationTarget, number>([
  [ldk.ConfirmationTarget.LDKConfirmationTarget_MaximumFeeEstimate, 10_000],
  [ldk.ConfirmationTarget.LDKConfirmationTarget_UrgentOnChainSweep, 2_500],
  [ldk.ConfirmationTarget.LDKConfirmationTarget_MinAllowedAnchorChannelRemoteFee, 253],
  [ldk.ConfirmationTarget.LDKConfirmationTarget_MinAllowedNonAnchorChannelRemoteFee, 253],
  [ldk.ConfirmationTarget.LDKConfirmationTarget_AnchorChannelFee, 500],
  [ldk.ConfirmationTarget.LDKConfirmationTarget_NonAnchorChannelFee, 1_000],
  [ldk.ConfirmationTarget.LDKConfirmationTarget_ChannelCloseMinimum, 253],
  [ldk.ConfirmationTarget.LDKConfirmationTarget_OutputSpendingFee, 1_000],
]);

/** A node's configuration; `scidPrivacy` says whether a channel that it opens hides its short channel id. */
export function userConfig(scidPrivacy: boolean): ldk.UserConfig {
  const config = ldk.UserConfig.constructor_default();
  const handshake = ldk.ChannelHandshakeConfig.constructor_default();
  handshake.set_negotiate_anchors_zero_fee_htlc_tx(true);
  handshake.set_negotiate_scid_privacy(scidPrivacy);
  handshake.set_announce_for_forwarding(false);
  handshake.set_max_inbound_htlc_value_in_flight_percent_of_channel(100);
  handshake.set_minimum_depth(MINIMUM_DEPTH);
  config.set_channel_handshake_config(handshake);
  const limits = ldk.ChannelHandshakeLimits.constructor_default();
  limits.set_force_announced_channel_preference(false);
  config.set_channel_handshake_limits(limits);
  config.set_accept_inbound_channels(true);
  // LDK refuses anchor channels unless each is accepted by hand.
  config.set_manually_accept_inbound_channels(true);
  config.set_accept_forwards_to_priv_channels(true);
  return config;
}

export function feeEstimator(): ldk.FeeEstimator {
  return ldk.FeeEstimator.new_impl({
    get_est_sat_per_1000_weight: (target) => SAT_PER_KW_BY_TARGET.get(target) ?? 500,
  });
}
