import { availableToReceiveMsat } from '../engine/channel/channel-limits.ts';
import { fundingIsDeep } from '../engine/channel/channel-ready.ts';
import { isReady, type ChannelEntry, type ForwardingTerms, type OpenEntry } from '../engine/manager/channel-entry.ts';
import { realScid } from '../engine/channel/channel-scids.ts';
import type { RouteHintHop } from '../engine/payments/invoice.ts';

/** More hints make a longer QR code and no better chance. */
const MOST_HINTS = 3;
/**
 * What a peer is assumed to ask before it has sent a `channel_update`: not less than any node asks by default (LDK 1 sat, lnd
 * 1 sat and 1 ppm, eclair 1 sat, 200 ppm and 144 blocks). Without a hint nobody but the peer could pay, and a payer who offers
 * more than the peer asks is not refused, while one who offers less is.
 */
const ASSUMED: ForwardingTerms = { feeBaseMsat: 1000, feeProportionalMillionths: 1000, cltvExpiryDelta: 144 };

/**
 * How the world reaches us: through our peers, by the alias under which each knows our channel (BOLT 11, field `r`). An invoice
 * is paid later than it is made: every channel that is ready is good for it, first those whose peers are there now. Not one
 * whose funding has left the chain: it takes no HTLCs until that is back.
 */
export const routeHints = (
  channels: readonly ChannelEntry[],
  blockHeight: number,
): readonly (readonly RouteHintHop[])[] =>
  channels
    .filter(isReady)
    .filter(({ state }) => fundingIsDeep(state, blockHeight))
    .filter((entry) => scidOf(entry) !== undefined)
    .toSorted((a, b) => presence(b) - presence(a) || Number(receivable(b) - receivable(a)))
    .slice(0, MOST_HINTS)
    .map((entry) => {
      const { feeBaseMsat, feeProportionalMillionths, cltvExpiryDelta } = entry.forwarding ?? ASSUMED;
      const shortChannelId = scidOf(entry) ?? 0n;
      const nodeId = entry.state.params.counterpartyNodeId;
      return [{ nodeId, shortChannelId, feeBaseMsat, feeProportionalMillionths, cltvExpiryDelta }];
    });

const presence = ({ connection }: OpenEntry): number => (connection === 'connected' ? 1 : 0);

const receivable = ({ state }: OpenEntry): bigint => availableToReceiveMsat(state.params, state.commitments);

/** The counterparty's alias for us where it gave one, else the place of the funding in the chain, where it has one. */
function scidOf({ state }: OpenEntry): bigint | undefined {
  return state.counterpartyAlias !== 0n ? state.counterpartyAlias : realScid(state);
}
