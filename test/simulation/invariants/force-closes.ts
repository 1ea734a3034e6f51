import { CLTV_CLAIM_BUFFER } from '../../../worker/engine/primitives/lock-times.ts';
import { toHex } from '../../../worker/engine/primitives/bytes.ts';
import type { ChannelMonitor } from '../../../worker/engine/monitor/channel-monitor.ts';
import { htlcAtDeadline } from '../../../worker/engine/monitor/claims/deadlines.ts';
import type { Side } from '../side.ts';
import type { World } from '../world.ts';

/**
 * Nobody closes a channel alone, unless it was told to, the other side did, or an HTLC is at its deadline that somebody did not
 * hear of in time.
 */
export function checkForceClose(world: World, side: Side, channelKey: string, monitor: ChannelMonitor): void {
  if (world.forced || world.honest.length < world.sides.length) return;
  if (world.commanded.has(channelKey) || isClosedByPeer(world, side, channelKey)) return;
  // Whoever took an attempt that its opener has forgotten hears of an error.
  if (world.opened && !world.startingChannels.has(channelKey)) return;
  if (!isKeptAway(world, side, monitor)) world.complain(side.name, 'closed a channel alone without a reason');
}

const isClosedByPeer = (world: World, side: Side, channelKey: string): boolean =>
  world.sides.some((each) => each !== side && each.view.closed.has(channelKey));

/** Somebody on the way of an HTLC was out of touch since before it had to be settled. */
function isKeptAway(world: World, side: Side, monitor: ChannelMonitor): boolean {
  const height = world.chain.height - side.source.behind;
  const htlc = htlcAtDeadline(monitor, height);
  if (htlc === undefined) return false;
  const hash = toHex(htlc.paymentHash);
  const deadline = htlc.direction === 'outbound' ? htlc.cltvExpiry : htlc.cltvExpiry - CLTV_CLAIM_BUFFER;
  const onTheWay = world.htlcs.all().filter(({ paymentHash }) => paymentHash === hash);
  return world.links.some(
    (link) => link.metAt < deadline && onTheWay.some(({ from, to }) => link.has(from) && link.has(to)),
  );
}
