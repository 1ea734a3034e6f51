import { equalBytes } from '../../../worker/engine/primitives/bytes.ts';
import { sortable } from '../../../worker/engine/primitives/store.ts';
import type { ChannelMonitor, CounterpartyCommitment } from '../../../worker/engine/monitor/channel-monitor.ts';
import { storeName } from '../../../worker/engine/monitor/channel-records.ts';
import { encodeRevoked } from '../../../worker/engine/monitor/monitor-records.ts';

/**
 * Of each commitment that the counterparty revokes, the HTLCs are kept: without them their outputs could not be rebuilt
 * and taken if it were broadcast.
 */
export function checkRevokedRecords(
  records: ReadonlyMap<string, Uint8Array>,
  before: ChannelMonitor,
  after: ChannelMonitor,
  complain: (problem: string) => void,
): void {
  const oldest = after.counterpartyCommitments[0]?.number ?? 0;
  for (const commitment of before.counterpartyCommitments)
    if (commitment.number < oldest && commitment.spec.htlcs.length > 0 && !isKept(records, after, commitment))
      complain(`the HTLCs of the revoked commitment ${commitment.number} are not kept`);
}

function isKept(
  records: ReadonlyMap<string, Uint8Array>,
  { params }: ChannelMonitor,
  commitment: CounterpartyCommitment,
): boolean {
  const kept = records.get(`mon/${storeName(params)}/old/${sortable(commitment.number)}`);
  return kept !== undefined && equalBytes(kept, encodeRevoked(commitment));
}
