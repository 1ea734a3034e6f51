import { toHex } from '../../../worker/engine/primitives/bytes.ts';
import { CLTV_CLAIM_BUFFER } from '../../../worker/engine/primitives/lock-times.ts';
import type { ChannelMonitor } from '../../../worker/engine/monitor/channel-monitor.ts';
import type { Side } from '../side.ts';
import type { World } from '../world.ts';
import { UNECONOMIC_SAT } from './uneconomic.ts';

/** A commit, a broadcast and a block, and one more. */
const MOST_BLOCKS_NEEDED = 3;

/**
 * Whoever hears of blocks and writes what it does has each of its outputs before the block in which the counterparty could
 * take it, and has closed a channel before an HTLC that it knows the preimage of comes near its expiry. `next` is the height
 * of the block that comes.
 */
export function checkDeadlines(world: World, side: Side, next: number): void {
  const { chainMonitor } = side.node.manager;
  const hadTime = (validFrom: number, deadline: number): boolean =>
    Math.max(validFrom, world.disturbedAt(side)) + MOST_BLOCKS_NEEDED <= deadline;
  for (const [key, monitor] of chainMonitor.monitors()) {
    const missed = chainMonitor
      .claims(key)
      .filter(
        ({ validFrom, deadline, amountSat }) =>
          amountSat > UNECONOMIC_SAT && deadline !== undefined && deadline <= next && hadTime(validFrom, deadline),
      );
    for (const { kind, amountSat, deadline } of missed)
      world.complain(side.name, `did not take ${kind} of ${amountSat} sat before ${deadline}`);
    const late = expiring(monitor, next);
    if (late !== undefined && hadTime(0, late)) world.complain(side.name, `keeps a channel open beyond ${late}`);
  }
}

/** The height at which a channel had to be closed, where that has passed. */
function expiring(
  { closed, confirmedSpend, holderCommitment, preimages }: ChannelMonitor,
  height: number,
): number | undefined {
  if (closed !== 'no' || confirmedSpend !== undefined) return undefined;
  const due = holderCommitment.spec.htlcs
    .filter(({ direction, paymentHash }) => direction === 'inbound' && preimages.has(toHex(paymentHash)))
    .map(({ cltvExpiry }) => cltvExpiry - CLTV_CLAIM_BUFFER + MOST_BLOCKS_NEEDED);
  const earliest = Math.min(...due);
  return earliest <= height ? earliest : undefined;
}
