import { toHex } from '../../primitives/bytes.ts';
import { CLTV_CLAIM_BUFFER, LATENCY_GRACE_PERIOD_BLOCKS } from '../../primitives/lock-times.ts';
import type { ChannelHtlc } from '../../transactions/channel-htlc.ts';
import type { ChannelMonitor } from '../channel-monitor.ts';

/**
 * The HTLC for whose sake a channel has to be closed at a height (BOLT 5, BOLT 2 `cltv_expiry_delta` Selection): one of ours
 * that the counterparty did not give back, or one of its own that it did not take the preimage for. One of ours whose
 * preimage it gave is no reason: there is nothing in it for us.
 */
export function htlcAtDeadline(monitor: ChannelMonitor, height: number): ChannelHtlc | undefined {
  const { holderCommitment, counterpartyCommitments, preimages } = monitor;
  const specs = [holderCommitment, ...counterpartyCommitments].map(({ spec }) => spec);
  const isDue = ({ direction, cltvExpiry, paymentHash }: ChannelHtlc): boolean => {
    const isKnown = preimages.has(toHex(paymentHash));
    return direction === 'outbound'
      ? !isKnown && height >= cltvExpiry + LATENCY_GRACE_PERIOD_BLOCKS
      : isKnown && height + CLTV_CLAIM_BUFFER >= cltvExpiry;
  };
  for (const { htlcs } of specs) {
    const due = htlcs.find(isDue);
    if (due !== undefined) return due;
  }
  return undefined;
}
