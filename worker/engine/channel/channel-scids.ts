import { shortChannelId } from '../wire/short-channel-id.ts';
import type { ChannelState } from './channel-state.ts';

/** Short channel ids under which a peer may speak of a channel. */
export function scidsOf(state: ChannelState): readonly bigint[] {
  if (state.kind !== 'open') return [];
  const { funding, params } = state;
  const real =
    funding.kind === 'confirmed'
      ? [
          shortChannelId({
            blockHeight: funding.height,
            transactionIndex: funding.transactionIndex,
            outputIndex: params.fundingOutputIndex,
          }),
        ]
      : [];
  return [state.holderAlias, state.counterpartyAlias, ...real];
}
