import { toHex } from '../primitives/bytes.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import type { StoredRecords } from '../primitives/store.ts';
import { msat } from '../primitives/units.ts';
import type { ChannelState, ClosedChannel, OpenChannel } from '../channel/channel-state.ts';
import { allHolderChanges, type Commitments } from '../channel/commitments.ts';
import { checkHolderSignatures } from '../channel/commitment-signatures.ts';
import type { SignerProvider } from '../keys/ports.ts';
import type { SignerState } from '../keys/signer-state.ts';
import type { AnchorChild } from '../monitor/claims/anchor-child.ts';
import { bareMonitor, unknownCommitments, type KnownCommitments } from '../monitor/bare-monitor.ts';
import { knownSpecs, type ChannelMonitor } from '../monitor/channel-monitor.ts';
import type { MonitorPersister } from '../monitor/monitor-persister.ts';
import { readable } from '../wire/stored-record.ts';
import { decodeTransaction } from '../transactions/transaction.ts';
import { newEntry, type ChannelEntry } from './channel-entry.ts';
import { readChannels, type ReadingParts, type StoredChannel } from './channel-store.ts';

/**
 * What is to be done with a channel as it was read back. `channelBehind`: it is closed from its monitor, which is newer.
 * `monitorBehind`: it neither operates nor is broadcast, for what its monitor has could be revoked; the peer has to close it.
 */
export type Plan = 'operate' | 'channelBehind' | 'monitorBehind';

/** Whether records are what this program itself wrote last, or were brought back from elsewhere and may be older. */
export type RecordsOrigin = 'ownStore' | 'copy';

/** A channel that was read back, with its monitor. */
export interface RestoredChannel {
  readonly entry: ChannelEntry;
  readonly monitor: ChannelMonitor;
  readonly plan: Plan;
  /** The child of its commitment that an older program kept apart from the monitor. */
  readonly storedChild: AnchorChild | undefined;
}

/** What channels are restored with. */
export interface RestoringParts extends ReadingParts {
  readonly persister: MonitorPersister;
  readonly keys: SignerProvider;
  readonly secp: Secp256k1;
}

/** Every channel of the store with its plan, each by itself. Throws `RecordTooNew`. */
export function restoreChannels(records: StoredRecords, parts: RestoringParts): readonly RestoredChannel[] {
  return readChannels(records, parts).map((stored) => {
    const restored = restore(records, stored, parts);
    parts.log(planText(restored));
    return restored;
  });
}

/** A line for the log: what was read of a channel, and what is to be done with it. */
function planText({ entry, monitor, plan }: RestoredChannel): string {
  const { holderCommitment, counterpartyCommitments, updateId, closed } = monitor;
  const numbers = [holderCommitment, ...counterpartyCommitments].map(({ number }) => number).join('/');
  const { state } = entry;
  return `${entry.key.slice(0, 8)} ${state.kind}: ${plan}; monitor at update ${updateId}, commitments ${numbers}, closed: ${closed}`;
}

/**
 * Channel and monitor are written in one transaction, so they agree. If they do not, one of them was lost or comes from
 * elsewhere: whoever went on from the older one could broadcast what is revoked.
 */
export function reconcile(commitments: Commitments, monitor: ChannelMonitor): Plan {
  const { counterpartyNext, counterpartyCommit, holderCommit } = commitments;
  const signed =
    counterpartyNext.kind === 'awaitingRevocation' ? counterpartyNext.commit.number : counterpartyCommit.number;
  const oldest = monitor.counterpartyCommitments[0]?.number ?? 0;
  const newest = monitor.counterpartyCommitments.at(-1)?.number ?? 0;
  const ahead = [
    holderCommit.number - monitor.holderCommitment.number,
    counterpartyCommit.number - oldest,
    signed - newest,
  ];
  if (ahead.some((numbers) => numbers > 0) || monitor.closed === 'never') return 'monitorBehind';
  return ahead.some((numbers) => numbers < 0) || monitor.closed !== 'no' ? 'channelBehind' : 'operate';
}

/**
 * Preimages that were given for HTLCs of a channel, which its monitor lacks: an update that had nothing else is lost, and no number
 * shows it. Without them those HTLCs are never taken out of the chain. `preimageOf` is that of the payment that came in one.
 */
export function lostPreimages(
  state: ChannelState,
  monitor: ChannelMonitor,
  preimageOf: (htlcId: bigint) => Uint8Array | undefined,
): readonly Uint8Array[] {
  const changes = state.kind === 'open' ? allHolderChanges(state.commitments.holderChanges) : [];
  const fulfilled = new Map(
    changes.flatMap((change) => (change.kind === 'fulfill' ? [[change.htlcId, change.preimage] as const] : [])),
  );
  const lost = knownSpecs(monitor)
    .flatMap(({ htlcs }) => htlcs)
    .filter(({ direction, paymentHash }) => direction === 'inbound' && !monitor.preimages.has(toHex(paymentHash)));
  return [...new Set(lost.map(({ id }) => id))].flatMap((id) => fulfilled.get(id) ?? preimageOf(id) ?? []);
}

function restore(records: StoredRecords, stored: StoredChannel, parts: RestoringParts): RestoredChannel {
  const { persister, keys } = parts;
  const { key, params } = stored;
  const loaded = readable(() => sound(persister.load(key, params, records), parts));
  const known = loaded ?? bareMonitor(params, commitmentsOf(stored));
  const isWhole = loaded !== undefined && loaded.updateId >= persister.newestUpdateId(loaded, records);
  const plan = planOf(stored, loaded, isWhole);
  const monitor = plan === 'monitorBehind' || !isWhole ? persister.begin(key, known, records) : known;
  const kept = plan === 'operate' && stored.kind !== 'lost' ? stored.signer : undefined;
  const signerState = kept ?? signerStateOf(monitor);
  const signer = keys.deriveChannelSigner(params, params.fundingSat, signerState);
  const state = stateOf(stored, monitor, plan);
  const nodeId = toHex(params.counterpartyNodeId);
  const entry: ChannelEntry = {
    ...newEntry({ key, nodeId, signer, state, connection: 'disconnected' }),
    forwarding: stored.forwarding,
    saved: stored.kind === 'lost' ? undefined : { state: stored.channel, signerState: signer.state },
    storedOnions: new Set(stored.onions),
  };
  return { entry, monitor, plan, storedChild: stored.kind === 'closed' ? stored.anchorChild : undefined };
}

/**
 * The monitor, if what it would broadcast is worth something: damaged, or another channel's, its signature does not fit. Throws
 * where it cannot be read.
 */
function sound(monitor: ChannelMonitor | undefined, { secp, keys }: RestoringParts): ChannelMonitor | undefined {
  if (monitor === undefined) return undefined;
  const { params, holderCommitment, confirmedSpend } = monitor;
  if (confirmedSpend !== undefined) decodeTransaction(confirmedSpend.transaction);
  const signer = keys.deriveChannelSigner(params, params.fundingSat);
  const { number, spec } = holderCommitment;
  const version = { number, spec, perCommitmentPoint: signer.perCommitmentPoint(number) };
  const invalid = checkHolderSignatures({ secp, signer }, params, version, holderCommitment);
  return invalid === undefined || monitor.closed === 'never' ? monitor : undefined;
}

function planOf(stored: StoredChannel, monitor: ChannelMonitor | undefined, isWhole: boolean): Plan {
  if (monitor === undefined) return 'monitorBehind';
  if (stored.kind === 'open') return reconcile(stored.channel.commitments, monitor);
  // Both say in one commit that a channel is closed: a monitor that does not know of it is older, and so is what it has.
  if (stored.kind === 'closed') return monitor.closed === 'no' ? 'monitorBehind' : 'operate';
  // Nothing else than its own records can say that it is the newest.
  return isWhole && monitor.closed !== 'never' ? 'channelBehind' : 'monitorBehind';
}

/** What is read, or as much as its monitor knows; a channel that is closed says why nothing more can be done for it. */
function stateOf(stored: StoredChannel, monitor: ChannelMonitor, plan: Plan): OpenChannel | ClosedChannel {
  if (stored.kind === 'lost') return closedFrom(monitor, plan === 'monitorBehind' ? plan : 'channelBehind');
  // What was agreed upon needs no monitor: it goes on being broadcast.
  if (stored.kind === 'open' || plan === 'operate' || stored.channel.reason.kind === 'cooperative')
    return stored.channel;
  return { ...stored.channel, reason: { kind: 'monitorBehind' } };
}

/** What a monitor allows its channel's signer: the newest commitment, and nothing before it. */
const signerStateOf = ({ holderCommitment, counterpartyCommitments }: ChannelMonitor): SignerState => ({
  counterpartySigned: [],
  counterpartyRevoked: counterpartyCommitments[0]?.number ?? 0,
  holderReleased: holderCommitment.number,
  holderSigned: [],
});

/** What a channel without its monitor still knows. */
function commitmentsOf(stored: StoredChannel): KnownCommitments {
  if (stored.kind === 'open') return stored.channel.commitments;
  if (stored.kind === 'lost') return unknownCommitments(stored.params, msat(0n));
  const { negotiated, holderMsat, params } = stored.channel;
  return negotiated?.commitments ?? unknownCommitments(params, holderMsat);
}

const closedFrom = (
  { params, holderCommitment }: ChannelMonitor,
  kind: 'channelBehind' | 'monitorBehind',
): ClosedChannel => ({
  kind: 'closed',
  params,
  reason: { kind },
  holderMsat: msat(holderCommitment.spec.toHolderMsat),
  unseenFunding: undefined,
});
