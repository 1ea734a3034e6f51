import { toHex } from '../../../worker/engine/primitives/bytes.ts';
import type { ChannelEntry } from '../../../worker/engine/manager/channel-entry.ts';
import type { CommitmentSpec } from '../../../worker/engine/transactions/commitment-spec.ts';
import { isFunded, openedWithMsat } from '../funding.ts';
import { liveCommitments } from '../oracle.ts';
import { isTakenBy, paidBy, receivedBy } from '../settlement.ts';
import type { Side } from '../side.ts';
import type { World } from '../world.ts';

/**
 * Before fees, everybody has in open channels, closed ones and HTLCs what it began with, less what it paid, and what it
 * was paid: not less, and among the honest not more.
 */
export function checkEntitlements(world: World): void {
  const allHonest = world.honest.length === world.sides.length;
  for (const side of world.honest) {
    const due = dueMsat(world, side);
    const has = entitledMsat(world, side);
    if (has < due || (allHonest && has > due)) world.complain(side.name, `has ${has} msat, not ${due}`);
  }
}

function dueMsat(world: World, side: Side): bigint {
  const paid = paidBy(world, side);
  const opened = fundedChannels(world, side)
    .filter(({ key }) => !world.startingChannels.has(key))
    .reduce((sum, { state }) => sum + ('params' in state ? openedWithMsat(world, side, state.params) : 0n), 0n);
  return world.payments.reduce(
    (sum, { from, to, amountMsat, paymentHash }) => {
      const sent = from === side.name && paid.has(paymentHash) ? amountMsat : 0n;
      const received = to === side.name ? (receivedBy(side, paymentHash)?.amountMsat ?? 0n) : 0n;
      return sum - sent + received;
    },
    (world.beganWithMsat.get(side.name) ?? 0n) + opened,
  );
}

function entitledMsat(world: World, side: Side): bigint {
  const paid = paidBy(world, side);
  const entitled = fundedChannels(world, side).map((entry) => {
    const monitor = side.view.monitors.get(entry.key);
    // All of it, as a punishment.
    if (monitor?.confirmedSpend?.spend.kind === 'revokedCommitment') return monitor.params.fundingSat * 1000n;
    const spec = decidedSpec(side, entry);
    if (spec === undefined) return 0n;
    const htlcs = spec.htlcs.filter((htlc) => isTakenBy(side, paid, htlc) && isClaimable(side, entry, htlc));
    return htlcs.reduce((sum, { amountMsat }) => sum + amountMsat, spec.toHolderMsat as bigint);
  });
  return entitled.reduce((sum, each) => sum + each, 0n);
}

const fundedChannels = (world: World, side: Side): readonly ChannelEntry[] =>
  side.node.manager.channels().filter(({ state }) => 'params' in state && isFunded(world, state.params));

/** The commitment that counts: the one in the chain, or ours while there is none. */
function decidedSpec(side: Side, { key }: ChannelEntry): CommitmentSpec | undefined {
  const monitor = side.view.monitors.get(key);
  if (monitor === undefined) return undefined;
  if (monitor.confirmedSpend?.spend.kind === 'cooperative') return monitor.holderCommitment.spec;
  return liveCommitments(monitor)[0]?.spec;
}

/** What was paid to us can be taken out of the chain only by a monitor that has its preimage. */
const isClaimable = (side: Side, { key }: ChannelEntry, htlc: CommitmentSpec['htlcs'][number]): boolean =>
  htlc.direction === 'outbound' || side.view.monitors.get(key)?.preimages.has(toHex(htlc.paymentHash)) === true;
