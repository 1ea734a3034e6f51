import { toHex } from '../primitives/bytes.ts';
import { sha256 } from '../primitives/hash.ts';
import { sortable } from '../primitives/store.ts';
import type { ChannelParameters } from '../transactions/channel-parameters.ts';
import { recordFormat } from '../wire/stored-record.ts';
import { sourceFromRecord, sourceSchema, sourceToRecord, specSchema, storeName } from './channel-records.ts';
import type { ChannelMonitor, RevokedCommitment } from './channel-monitor.ts';
import type { HtlcEvents } from './htlc-resolution.ts';
import {
  chainEventFromRecord,
  chainEventSchema,
  childFromRecord,
  childSchema,
  childToRecord,
  confirmedSchema,
  counterpartyFromRecord,
  counterpartySchema,
  counterpartyToRecord,
  eventFromRecord,
  eventSchema,
  eventToRecord,
  holderFromRecord,
  holderSchema,
  holderToRecord,
  known,
  listed,
  packageFromRecord,
  packageSchema,
  packageToRecord,
  preimageSchema,
  revokedFromRecord,
  revokedSchema,
  revokedToRecord,
  spendFields,
  spendFromRecord,
  spendToRecord,
} from './record-parts.ts';

const secretSchema = { kind: 'struct', fields: { index: 'u64', secret: { kind: 'fixed', length: 32 } } } as const;

const snapshotRecord = recordFormat(
  'monitor',
  3,
  {
    updateId: [2, 'u64'],
    holderCommitment: [4, holderSchema],
    counterpartyCommitments: [6, { kind: 'rest', of: counterpartySchema }],
    secrets: [8, { kind: 'rest', of: secretSchema }],
    preimages: [10, { kind: 'rest', of: preimageSchema }],
    shutdownScript: [12, 'remaining'],
    closed: [14, 'u8'],
    broadcastTransaction: [16, 'remaining'],
  },
  {
    // Of version 1, whose lengths no transaction of 65,536 bytes fits.
    confirmedSpend: [18, { kind: 'rest', of: { kind: 'struct', fields: { ...spendFields, transaction: 'bytes' } } }],
    // Of version 1, without the transactions: the chain source tells of them again.
    resolvedOutputs: [
      20,
      { kind: 'rest', of: { kind: 'struct', fields: { vout: 'u32', txid: 'sha256', height: 'u32' } } },
    ],
    close: [19, { kind: 'rest', of: { kind: 'struct', fields: { ...spendFields, transaction: 'longBytes' } } }],
    previousHolderCommitment: [21, { kind: 'rest', of: holderSchema }],
    revoked: [23, { kind: 'rest', of: revokedSchema }],
    outputSpends: [25, { kind: 'rest', of: confirmedSchema }],
    packages: [27, { kind: 'rest', of: packageSchema }],
    // Of version 2, when only the chain told of HTLCs.
    chainEvents: [29, { kind: 'rest', of: chainEventSchema }],
    decidedHtlcs: [31, { kind: 'rest', of: 'u64' }],
    isCopy: [33, 'flag'],
    anchorChild: [35, { kind: 'rest', of: childSchema }],
    events: [38, { kind: 'rest', of: eventSchema }],
    nextEventId: [40, 'u32'],
    fulfilledHtlcs: [42, { kind: 'rest', of: 'u64' }],
    sources: [44, { kind: 'rest', of: sourceSchema }],
  },
);

const revokedRecord = recordFormat('revoked commitment', 1, { number: [2, 'u64'], spec: [4, specSchema] });

const CLOSED: readonly ChannelMonitor['closed'][] = ['no', 'broadcast', 'wait', 'never'];

/** A whole monitor but for the channel's parameters, which have a record of their own. */
export const encodeMonitor = (monitor: ChannelMonitor): Uint8Array =>
  snapshotRecord.encode({
    updateId: BigInt(monitor.updateId),
    holderCommitment: holderToRecord(monitor.holderCommitment),
    counterpartyCommitments: monitor.counterpartyCommitments.map(counterpartyToRecord),
    secrets: monitor.secrets.map(({ index, secret }) => ({ index: BigInt(index), secret })),
    preimages: [...monitor.preimages.values()],
    shutdownScript: monitor.shutdownScript,
    closed: CLOSED.indexOf(monitor.closed),
    broadcastTransaction: monitor.broadcastTransaction,
    close: listed(monitor.confirmedSpend).map(spendToRecord),
    previousHolderCommitment: listed(monitor.previousHolderCommitment).map(holderToRecord),
    revoked: listed(monitor.revoked).map(revokedToRecord),
    outputSpends: monitor.outputSpends,
    packages: monitor.packages.map(packageToRecord),
    events: monitor.events.map(eventToRecord),
    nextEventId: monitor.nextEventId,
    decidedHtlcs: [...monitor.decidedHtlcs.keys()],
    fulfilledHtlcs: [...monitor.decidedHtlcs].flatMap(([id, outcome]) => (outcome === 'fulfilled' ? [id] : [])),
    sources: [...monitor.sources].map(([id, source]) => sourceToRecord(id, source)),
    ...(monitor.isCopy ? { isCopy: true } : {}),
    anchorChild: listed(monitor.anchorChild).map(childToRecord),
  });

export function decodeMonitor(params: ChannelParameters, bytes: Uint8Array): ChannelMonitor {
  const stored = snapshotRecord.decode(bytes);
  const [spend] = stored.close ?? stored.confirmedSpend ?? [];
  const [previous] = stored.previousHolderCommitment ?? [];
  const [revoked] = stored.revoked ?? [];
  const [child] = stored.anchorChild ?? [];
  return {
    params,
    updateId: Number(stored.updateId),
    holderCommitment: holderFromRecord(stored.holderCommitment),
    counterpartyCommitments: stored.counterpartyCommitments.map(counterpartyFromRecord),
    secrets: stored.secrets.map(({ index, secret }) => ({ index: Number(index), secret })),
    preimages: new Map(stored.preimages.map((preimage) => [toHex(sha256(preimage)), preimage])),
    shutdownScript: stored.shutdownScript,
    closed: known(CLOSED[stored.closed], 'closed'),
    broadcastTransaction: stored.broadcastTransaction,
    confirmedSpend: spend === undefined ? undefined : spendFromRecord(spend),
    previousHolderCommitment: previous && holderFromRecord(previous),
    revoked: revoked && revokedFromRecord(revoked),
    outputSpends: stored.outputSpends ?? [],
    packages: (stored.packages ?? []).map(packageFromRecord),
    ...eventsFromRecord(stored),
    sources: new Map((stored.sources ?? []).map(sourceFromRecord)),
    isCopy: stored.isCopy ?? false,
    anchorChild: child && childFromRecord(child),
  };
}

/** Version 2 gave an id to each HTLC that was decided, and did not note which of them were fulfilled: those are told once more. */
function eventsFromRecord(stored: ReturnType<typeof snapshotRecord.decode>): HtlcEvents {
  const { chainEvents = [], events = [], decidedHtlcs = [], fulfilledHtlcs = [] } = stored;
  const fulfilled = new Set(fulfilledHtlcs);
  return {
    events: [...chainEvents.map(chainEventFromRecord), ...events.map(eventFromRecord)],
    nextEventId: stored.nextEventId ?? decidedHtlcs.length,
    decidedHtlcs: new Map(decidedHtlcs.map((id) => [id, fulfilled.has(id) ? 'fulfilled' : 'failed'])),
  };
}

/** Where the record of a revoked commitment is. */
export const revokedKey = (params: ChannelParameters, number: number): string =>
  `mon/${storeName(params)}/old/${sortable(number)}`;

export const encodeRevoked = (revoked: RevokedCommitment): Uint8Array => revokedRecord.encode(revokedToRecord(revoked));

export const decodeRevoked = (bytes: Uint8Array): RevokedCommitment => revokedFromRecord(revokedRecord.decode(bytes));
