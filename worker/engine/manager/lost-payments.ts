import type { ChannelState } from '../channel/channel-state.ts';
import { allHtlcs } from '../channel/commitments.ts';
import { knownSpecs, type ChannelMonitor } from '../monitor/channel-monitor.ts';
import type { ChannelHtlc } from '../transactions/channel-htlc.ts';

/**
 * The HTLCs of a channel that belong to payments of ours whose end is not known, or not acknowledged: whatever the payments' own records
 * say. Those that only the commitment before has are over, unless that is what the chain has.
 */
export function unsettledOwnHtlcs(state: ChannelState, monitor: ChannelMonitor): readonly ChannelHtlc[] {
  const { events, decidedHtlcs, sources, confirmedSpend, previousHolderCommitment } = monitor;
  const over = confirmedSpend === undefined ? previousHolderCommitment?.spec : undefined;
  const specs = knownSpecs(monitor).filter((spec) => spec !== over);
  const inCommitments = specs.flatMap(({ htlcs }) => htlcs).filter(({ id }) => !decidedHtlcs.has(id));
  const inChannel = state.kind === 'open' ? [...allHtlcs(state.commitments).values()] : [];
  const undecided = inChannel.filter(({ id, source }) => source === undefined && !decidedHtlcs.has(id));
  const all = [...inCommitments, ...undecided, ...events.map(({ htlc }) => htlc)];
  const own = all.filter(({ direction, id }) => direction === 'outbound' && !sources.has(id));
  return [...new Map(own.map((htlc) => [htlc.id, htlc])).values()];
}
