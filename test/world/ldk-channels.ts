import { apiErrorText, hex, ldk, unhex } from './ldk.ts';
import type { LdkCore } from './ldk-core.ts';

export interface OpenRequest {
  readonly nodeId: string;
  readonly sats: number;
  readonly pushMsat?: number;
  readonly scidPrivacy?: boolean;
}

const USER_CHANNEL_ID = 1n;

/** Opens a channel to a connected peer; gives the temporary channel id. */
export function openChannel(core: LdkCore, request: OpenRequest): string {
  const opened = core.manager.create_channel(
    unhex(request.nodeId),
    BigInt(request.sats),
    BigInt(request.pushMsat ?? 0),
    USER_CHANNEL_ID,
    null,
    core.config(request.scidPrivacy),
  );
  if (opened instanceof ldk.Result_ChannelIdAPIErrorZ_OK) return hex(opened.res.get_a());
  throw new Error(opened instanceof ldk.Result_ChannelIdAPIErrorZ_Err ? apiErrorText(opened.err) : 'not opened');
}

export function closeChannel({ manager }: LdkCore, channelId: string): void {
  const { id, peer } = channelOf(manager, channelId);
  check(manager.close_channel(id, peer));
}

export function forceCloseChannel({ manager }: LdkCore, channelId: string): void {
  const { id, peer } = channelOf(manager, channelId);
  check(manager.force_close_broadcasting_latest_txn(id, peer, 'closed by the operator'));
}

function channelOf(
  manager: ldk.ChannelManager,
  channelId: string,
): { readonly id: ldk.ChannelId; readonly peer: Uint8Array } {
  const found = manager.list_channels().find((one) => hex(one.get_channel_id().get_a()) === channelId);
  if (found === undefined) throw new Error(`there is no channel ${channelId}`);
  return { id: found.get_channel_id(), peer: found.get_counterparty().get_node_id() };
}

function check(result: ldk.Result_NoneAPIErrorZ): void {
  if (result instanceof ldk.Result_NoneAPIErrorZ_Err) throw new Error(apiErrorText(result.err));
}
