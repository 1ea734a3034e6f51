import { toHex } from '../../../worker/engine/primitives/bytes.ts';
import type { ChannelMonitor } from '../../../worker/engine/monitor/channel-monitor.ts';
import { isTrimmed } from '../../../worker/engine/transactions/commitment-fees.ts';
import { liveCommitments } from '../oracle.ts';

/** Twice what an HTLC transaction costs in a calm hour. */
const WORTH_TAKING_MSAT = 3_000_000n;

/**
 * Whether an HTLC of a hash is lost in the close of a channel: without an output in the commitment nothing in the chain can tell
 * whether it was taken, and an output that costs more than it brings nobody takes.
 */
export function isLostIn(monitor: ChannelMonitor, paymentHash: string): boolean {
  if (monitor.confirmedSpend === undefined) return false;
  const { params } = monitor;
  return liveCommitments(monitor).some(({ owner, spec }) =>
    spec.htlcs.some(
      (htlc) =>
        toHex(htlc.paymentHash) === paymentHash &&
        (htlc.amountMsat < WORTH_TAKING_MSAT ||
          isTrimmed(
            { offered: (htlc.direction === 'outbound') === (owner === 'holder'), amountMsat: htlc.amountMsat },
            params.format,
            spec.feeratePerKw,
            params[owner].dustLimitSat,
          )),
    ),
  );
}
