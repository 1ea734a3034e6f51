import { shortChannelId } from '../wire/short-channel-id.ts';
import type { ChannelState, OpenChannel } from './channel-state.ts';

/** The place of the funding in the chain (BOLT 7, Definition of short_channel_id); `undefined` before it is there. */
export function realScid({ funding, params }: OpenChannel): bigint | undefined {
  if (funding.kind !== 'confirmed') return undefined;
  const { height: blockHeight, transactionIndex } = funding;
  return shortChannelId({ blockHeight, transactionIndex, outputIndex: params.fundingOutputIndex });
}

/** Short channel ids under which a peer may speak of a channel. */
export function scidsOf(state: ChannelState): readonly bigint[] {
  if (state.kind !== 'open') return [];
  const real = realScid(state);
  return [state.holderAlias, state.counterpartyAlias, ...(real === undefined ? [] : [real])];
}
