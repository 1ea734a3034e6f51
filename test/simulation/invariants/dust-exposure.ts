import { isOpen, type OpenEntry } from '../../../worker/engine/manager/channel-entry.ts';
import {
  nextCounterpartySpec,
  pendingHolderSpec,
  withHeldProposed,
  type Commitments,
} from '../../../worker/engine/channel/commitments.ts';
import { isTrimmed } from '../../../worker/engine/transactions/commitment-fees.ts';
import type { ChannelHtlc } from '../../../worker/engine/transactions/channel-htlc.ts';
import type { CommitmentSpec } from '../../../worker/engine/transactions/commitment-spec.ts';
import type { Side } from '../side.ts';
import type { World } from '../world.ts';

/** No payment of ours brings the HTLCs without an output in a commitment above the limit, or further above it. */
export function checkDustOfOffers(world: World, side: Side, pay: () => void): void {
  const before = new Map(openOf(side).map((entry) => [entry.key, offeredExposure(entry)]));
  const numbers = new Map(openOf(side).map(({ key, state }) => [key, state.commitments.nextHolderHtlcId]));
  pay();
  const limit = side.node.config.maxDustExposureMsat;
  for (const entry of openOf(side)) {
    if (numbers.get(entry.key) === entry.state.commitments.nextHolderHtlcId) continue;
    const after = offeredExposure(entry);
    if (after > limit && after > (before.get(entry.key) ?? 0n))
      world.complain(side.name, `offered an HTLC that makes the dust ${after} msat, above ${limit}`);
  }
}

/** An HTLC without an output is claimed by nobody whose commitments have too many of them: it goes back. */
export function checkDustOfClaims(world: World, side: Side, receive: () => void): void {
  const before = new Set(openOf(side).flatMap(claimedDust));
  receive();
  const limit = side.node.config.maxDustExposureMsat;
  for (const entry of openOf(side)) {
    if (claimedDust(entry).every((name) => before.has(name))) continue;
    const exposure = acceptedExposure(entry);
    if (exposure > limit) world.complain(side.name, `took an HTLC with ${exposure} msat of dust, above ${limit}`);
  }
}

const openOf = (side: Side): readonly OpenEntry[] => side.node.manager.channels().filter(isOpen);

function offeredExposure(entry: OpenEntry): bigint {
  const pending = withHeldProposed(entry.state.commitments);
  return exposure(entry, pendingHolderSpec(pending), nextCounterpartySpec(pending));
}

const acceptedExposure = (entry: OpenEntry): bigint =>
  exposure(entry, entry.state.commitments.holderCommit.spec, entry.state.commitments.counterpartyCommit.spec);

function exposure(entry: OpenEntry, holder: CommitmentSpec, counterparty: CommitmentSpec): bigint {
  const [ours, theirs] = [dustMsat(entry, 'holder', holder), dustMsat(entry, 'counterparty', counterparty)];
  return ours > theirs ? ours : theirs;
}

const dustMsat = (entry: OpenEntry, owner: Owner, spec: CommitmentSpec): bigint =>
  spec.htlcs.filter((htlc) => isDust(entry, owner, spec, htlc)).reduce((sum, { amountMsat }) => sum + amountMsat, 0n);

type Owner = 'holder' | 'counterparty';

function isDust({ state: { params } }: OpenEntry, owner: Owner, spec: CommitmentSpec, htlc: ChannelHtlc): boolean {
  const offered = (htlc.direction === 'outbound') === (owner === 'holder');
  const { amountMsat } = htlc;
  return isTrimmed({ offered, amountMsat }, params.format, spec.feeratePerKw, params[owner].dustLimitSat);
}

/** HTLCs without an output in our commitment that we have the preimage given for, by name. */
function claimedDust(entry: OpenEntry): readonly string[] {
  const { holderChanges, holderCommit }: Commitments = withHeldProposed(entry.state.commitments);
  return holderChanges.proposed.flatMap((change) => {
    if (change.kind !== 'fulfill') return [];
    const htlc = holderCommit.spec.htlcs.find(({ direction, id }) => direction === 'inbound' && id === change.htlcId);
    return htlc !== undefined && isDust(entry, 'holder', holderCommit.spec, htlc)
      ? [`${entry.key}/${change.htlcId}`]
      : [];
  });
}
