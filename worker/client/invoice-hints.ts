import { availableToReceiveMsat } from '../engine/channel/channel-limits.ts';
import { isUsable, type ChannelEntry, type OpenEntry } from '../engine/manager/channel-entry.ts';
import { scidsOf } from '../engine/channel/channel-scids.ts';
import type { RouteHintHop } from '../engine/payments/invoice.ts';

/** More hints make a longer QR code and no better chance. */
const MOST_HINTS = 3;
/** What a peer is assumed to ask before it has sent a `channel_update`. */
const ASSUMED = { feeBaseMsat: 1000, feeProportionalMillionths: 1000, cltvExpiryDelta: 144 } as const;

/** How the world reaches us: through our peers, by the alias under which each knows our channel (BOLT 11, field `r`). */
export const routeHints = (channels: readonly ChannelEntry[]): readonly (readonly RouteHintHop[])[] =>
  channels
    .filter(isUsable)
    .toSorted((a, b) => Number(receivable(b) - receivable(a)))
    .slice(0, MOST_HINTS)
    .map((entry) => [
      {
        nodeId: entry.state.params.counterpartyNodeId,
        shortChannelId: scidOf(entry),
        ...(entry.forwarding ?? ASSUMED),
      },
    ]);

const receivable = ({ state }: OpenEntry): bigint => availableToReceiveMsat(state.params, state.commitments);

/** The counterparty's alias for us where it gave one, else the place of the funding in the chain. */
function scidOf({ state }: OpenEntry): bigint {
  return state.counterpartyAlias !== 0n ? state.counterpartyAlias : (scidsOf(state)[2] ?? 0n);
}
