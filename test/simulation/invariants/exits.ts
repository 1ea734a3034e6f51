import { isFunded } from '../funding.ts';
import { claimableSat, claimOf, liveCommitments } from '../oracle.ts';
import type { Side } from '../side.ts';
import type { World } from '../world.ts';

/** What each channel of a side gives it at least, by channel id, in satoshi. */
export type LeastClaims = ReadonlyMap<string, bigint>;

/** Whatever a peer has done, a channel with it can be closed, and nobody is believed who says that our state is old. */
export function closeAll(world: World, side: Side, peer: Side): LeastClaims {
  const least = new Map<string, bigint>();
  for (const { key, nodeId, state } of side.node.manager.channels()) {
    const monitor = side.view.monitors.get(key);
    if (nodeId !== peer.node.nodeId || monitor === undefined) continue;
    least.set(key, claimableSat(monitor));
    if (state.kind === 'closed' && state.reason.kind === 'stale')
      world.complain(side.name, 'took its state for an old one without a proof');
    if (state.kind !== 'open') continue;
    try {
      side.node.turn(() => side.node.manager.forceCloseChannel(key, { unconfirmedState: true }));
    } catch (error) {
      world.complain(side.name, `a channel cannot be closed: ${String(error)}`);
    }
  }
  return least;
}

/** Once the closes are in the chain, they give what they were to give. */
export function checkClaims(world: World, side: Side, least: LeastClaims): void {
  for (const [key, leastSat] of least) {
    const monitor = side.view.monitors.get(key);
    if (monitor === undefined || !isFunded(world, monitor.params)) continue;
    const [commitment] = liveCommitments(monitor);
    const claim = commitment === undefined ? undefined : claimOf(monitor, commitment);
    const claimedSat = claim === undefined ? claimableSat(monitor) : claim.balanceSat + claim.htlcsSat;
    if (claimedSat < leastSat && monitor.confirmedSpend?.spend.kind !== 'cooperative')
      world.complain(side.name, `can claim ${claimedSat} sat of a channel that had to give ${leastSat}`);
  }
}
