import type { ChannelMonitor } from '../../../worker/engine/monitor/channel-monitor.ts';

/** A payment whose preimage a monitor has was made, whatever else the chain has decided about its HTLCs. */
export function checkPreimageKept(
  monitors: ReadonlyMap<string, ChannelMonitor>,
  paymentHash: string,
  complain: (problem: string) => void,
): void {
  for (const { preimages } of monitors.values())
    if (preimages.has(paymentHash)) complain(`failed the payment ${paymentHash.slice(0, 8)}, whose preimage it knows`);
}
