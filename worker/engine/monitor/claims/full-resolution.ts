import type { ChannelMonitor } from '../channel-monitor.ts';
import type { Claim } from './claim.ts';
import { RELAYED_PER_KW } from './claim-fees.ts';
import { worthTaking } from './claim-transaction.ts';
import { offeredHtlcs } from './htlc-outcomes.ts';

/** LDK's, four weeks: deeper than any reorganisation, and time enough to look at what has become of a channel. */
const ARCHIVAL_DELAY_BLOCKS = 4032;

/**
 * Whether there is nothing left to do for a closed channel, and has not been for four weeks: nothing more can come out of it, the
 * fate of every HTLC that we offered is known, and all of it has been told. In a commitment that we know nothing of it never is.
 */
export function isFullyResolved(monitor: ChannelMonitor, claims: readonly Claim[], height: number): boolean {
  const { confirmedSpend, outputSpends, packages, events, decidedHtlcs, anchorChild } = monitor;
  if (confirmedSpend === undefined || events.length + packages.length > 0 || anchorChild !== undefined) return false;
  const last = Math.max(confirmedSpend.height, ...outputSpends.map((spend) => spend.height));
  if (height - last < ARCHIVAL_DELAY_BLOCKS) return false;
  const isLeft = claims.some((claim) => worthTaking([claim], RELAYED_PER_KW).length > 0);
  return !isLeft && offeredHtlcs(monitor).every(({ id }) => decidedHtlcs.includes(id));
}
