import type { ChannelMonitor } from '../channel-monitor.ts';
import type { Claim } from './claim.ts';
import { offeredHtlcs } from './htlc-outcomes.ts';
import { takableClaims } from './takable-claims.ts';

/** LDK's, four weeks: deeper than any reorganisation, and time enough to look at what has become of a channel. */
const ARCHIVAL_DELAY_BLOCKS = 4032;

/**
 * Whether there is nothing left to do for a closed channel, and has not been for four weeks: nothing more can come out of it, the
 * fate of every HTLC that we offered is known, and all of it has been told. In a commitment that we know nothing of it never is.
 */
export function isFullyResolved(
  monitor: ChannelMonitor,
  claims: readonly Claim[],
  height: number,
  destinationScript: Uint8Array,
): boolean {
  const { confirmedSpend, outputSpends, packages, events, decidedHtlcs, anchorChild } = monitor;
  if (confirmedSpend === undefined || events.length + packages.length > 0 || anchorChild !== undefined) return false;
  const last = Math.max(confirmedSpend.height, ...outputSpends.map((spend) => spend.height));
  if (height - last < ARCHIVAL_DELAY_BLOCKS) return false;
  const isLeft = takableClaims(claims, height, destinationScript).length > 0;
  return !isLeft && offeredHtlcs(monitor).every(({ id }) => decidedHtlcs.has(id));
}
