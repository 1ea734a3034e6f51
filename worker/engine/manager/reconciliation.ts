import { toHex } from '../primitives/bytes.ts';
import type { StoredRecords } from '../primitives/store.ts';
import { msat } from '../primitives/units.ts';
import type { ClosedChannel, OpenChannel } from '../channel/channel-state.ts';
import type { Commitments } from '../channel/commitments.ts';
import type { SignerProvider } from '../keys/ports.ts';
import type { SignerState } from '../keys/signer-state.ts';
import { newMonitor, type ChannelMonitor } from '../monitor/channel-monitor.ts';
import type { MonitorPersister } from '../monitor/monitor-persister.ts';
import { newEntry, type ChannelEntry } from './channel-entry.ts';
import { readable, readChannels, type StoredChannel } from './channel-store.ts';

/**
 * What is to be done with a channel as it was read back. `channelBehind`: it is closed from its monitor, which is newer.
 * `monitorBehind`: it neither operates nor is broadcast, for what its monitor has could be revoked; the peer has to close it.
 */
export type Plan = 'operate' | 'channelBehind' | 'monitorBehind';

/** A channel that cannot go on, and why. */
export interface Retirement {
  readonly entry: ChannelEntry;
  readonly plan: Exclude<Plan, 'operate'>;
}

/** A channel that was read back, with its monitor. */
export interface RestoredChannel {
  readonly entry: ChannelEntry;
  readonly monitor: ChannelMonitor;
  readonly plan: Plan;
}

/** What channels are restored with. */
export interface RestoringParts {
  readonly persister: MonitorPersister;
  readonly keys: SignerProvider;
  /** Builds the onion of an HTLC of ours again. */
  readonly onionOf: (channelKey: string, htlcId: bigint) => Uint8Array;
  readonly log: (line: string) => void;
}

/** Every channel of the store with its plan, each by itself. Throws `RecordTooNew`. */
export function restoreChannels(records: StoredRecords, parts: RestoringParts): readonly RestoredChannel[] {
  return readChannels(records, parts.onionOf).flatMap((stored) => {
    const restored = restore(records, stored, parts);
    if (restored === undefined)
      parts.log(`${stored.key.slice(0, 8)} is lost: neither its state nor its monitor is left`);
    else if (restored.plan !== 'operate') parts.log(`${stored.key.slice(0, 8)} is ${restored.plan}`);
    return restored ?? [];
  });
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
  if (ahead.some((numbers) => numbers > 0)) return 'monitorBehind';
  return ahead.some((numbers) => numbers < 0) || monitor.closed !== 'no' ? 'channelBehind' : 'operate';
}

function restore(
  records: StoredRecords,
  stored: StoredChannel,
  { persister, keys }: RestoringParts,
): RestoredChannel | undefined {
  const { key, params } = stored;
  const loaded = readable(() => persister.load(key, params, records));
  const monitor =
    loaded ?? (stored.kind === 'open' ? persister.begin(key, bareMonitor(stored.channel), records) : undefined);
  if (monitor === undefined) return undefined;
  const plan = planOf(stored, loaded);
  const kept = plan === 'operate' && stored.kind !== 'lost' ? stored.signer : undefined;
  const signerState = kept ?? signerStateOf(monitor);
  const signer = keys.deriveChannelSigner(params.channelKeysIndex, params.fundingSat, signerState);
  const state = stored.kind === 'lost' ? closedFrom(monitor) : stored.channel;
  const nodeId = toHex(params.counterpartyNodeId);
  const entry: ChannelEntry = {
    ...newEntry({ key, nodeId, signer, state, connection: 'disconnected' }),
    forwarding: stored.forwarding,
    anchorChild: stored.kind === 'closed' ? stored.anchorChild : undefined,
    saved: stored.kind === 'lost' ? undefined : { state, signerState: signer.state },
    storedOnions: new Set(stored.onions),
  };
  return { entry, monitor, plan };
}

function planOf(stored: StoredChannel, monitor: ChannelMonitor | undefined): Plan {
  if (monitor === undefined) return 'monitorBehind';
  if (stored.kind === 'open') return reconcile(stored.channel.commitments, monitor);
  return stored.kind === 'lost' ? 'channelBehind' : 'operate';
}

/** What a monitor allows its channel's signer: the newest commitment, and nothing before it. */
const signerStateOf = ({ holderCommitment, counterpartyCommitments }: ChannelMonitor): SignerState => ({
  counterpartySigned: [],
  counterpartyRevoked: counterpartyCommitments[0]?.number ?? 0,
  holderReleased: holderCommitment.number,
  holderSigned: [],
});

/** In place of a lost monitor: enough to see the counterparty's close and to take our main output of it, and no more. */
const bareMonitor = ({ params, commitments }: OpenChannel): ChannelMonitor => {
  const signatures = { signature: new Uint8Array(64), htlcSignatures: [] };
  return newMonitor(params, [
    { kind: 'latestHolderCommitment', ...commitments.holderCommit, ...signatures },
    { kind: 'latestCounterpartyCommitment', ...commitments.counterpartyCommit },
  ]);
};

const closedFrom = ({ params, holderCommitment }: ChannelMonitor): ClosedChannel => ({
  kind: 'closed',
  params,
  reason: { kind: 'channelBehind' },
  holderMsat: msat(holderCommitment.spec.toHolderMsat),
  unseenFunding: undefined,
});
