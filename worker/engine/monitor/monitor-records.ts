import { assert, GlowwormError } from '../primitives/errors.ts';
import { toHex } from '../primitives/bytes.ts';
import { sha256 } from '../primitives/hash.ts';
import { sortable } from '../primitives/store.ts';
import type { ChannelParameters } from '../transactions/channel-parameters.ts';
import { decodeTransaction, encodeTransaction } from '../transactions/transaction.ts';
import type { ValueOf } from '../wire/schema.ts';
import { recordFormat } from '../wire/stored-record.ts';
import {
  htlcFromRecord,
  htlcToRecord,
  noOnion,
  specFromRecord,
  specSchema,
  specToRecord,
  storeName,
} from './channel-records.ts';
import type {
  ChannelMonitor,
  ConfirmedSpend,
  CounterpartyCommitment,
  FundingSpend,
  HolderCommitment,
  HtlcEvent,
  RevokedCommitment,
} from './channel-monitor.ts';
import type { ClaimPackage } from './claims/claim-package.ts';
import type { ChannelMonitorUpdate, HolderCommitmentFate, MonitorStep } from './monitor-update.ts';

const holderSchema = {
  kind: 'struct',
  fields: {
    number: 'u64',
    signature: 'signature',
    htlcSignatures: { kind: 'counted', of: 'signature' },
    spec: specSchema,
  },
} as const;

const counterpartySchema = {
  kind: 'struct',
  fields: { number: 'u64', perCommitmentPoint: 'point', spec: specSchema },
} as const;

const secretSchema = { kind: 'struct', fields: { index: 'u64', secret: { kind: 'fixed', length: 32 } } } as const;
const preimageSchema = { kind: 'fixed', length: 32 } as const;

const revokedSchema = { kind: 'struct', fields: { number: 'u64', spec: specSchema } } as const;

const confirmedSchema = {
  kind: 'struct',
  fields: { height: 'u32', txid: 'sha256', transaction: 'longBytes' },
} as const;

const eventSchema = {
  kind: 'struct',
  fields: { id: 'u32', htlc: specSchema.fields.htlcs.of, preimages: { kind: 'counted', of: preimageSchema } },
} as const;

const packageSchema = {
  kind: 'struct',
  fields: {
    feeratePerKw: 'u32',
    height: 'u32',
    since: 'u32',
    outpoints: { kind: 'counted', of: { kind: 'struct', fields: { txid: 'sha256', vout: 'u32' } } },
    transaction: 'longBytes',
  },
} as const;

const spendFields = {
  spend: 'u8',
  number: 'u64',
  perCommitmentPoint: { kind: 'fixed', length: 33 },
  height: 'u32',
  txid: 'sha256',
} as const;

const snapshotRecord = recordFormat(
  'monitor',
  2,
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
    events: [29, { kind: 'rest', of: eventSchema }],
    decidedHtlcs: [31, { kind: 'rest', of: 'u64' }],
  },
);

const updateRecord = recordFormat('monitor update', 1, {
  holderCommitments: [2, { kind: 'rest', of: holderSchema }],
  secrets: [4, { kind: 'rest', of: { kind: 'struct', fields: { number: 'u64', secret: preimageSchema } } }],
  counterpartyCommitments: [6, { kind: 'rest', of: counterpartySchema }],
  preimages: [8, { kind: 'rest', of: preimageSchema }],
  shutdownScripts: [10, { kind: 'rest', of: 'bytes' }],
  closed: [12, { kind: 'rest', of: 'u8' }],
  updateId: [14, 'u64'],
});

const revokedRecord = recordFormat('revoked commitment', 1, { number: [2, 'u64'], spec: [4, specSchema] });

const CLOSED: readonly ChannelMonitor['closed'][] = ['no', 'broadcast', 'wait', 'never'];
const FATES: readonly HolderCommitmentFate[] = ['wait', 'broadcast', 'never'];
const SPENDS: readonly FundingSpend['kind'][] = [
  'holderCommitment',
  'counterpartyCommitment',
  'revokedCommitment',
  'unknownCommitment',
  'cooperative',
];

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
    decidedHtlcs: monitor.decidedHtlcs,
  });

export function decodeMonitor(params: ChannelParameters, bytes: Uint8Array): ChannelMonitor {
  const stored = snapshotRecord.decode(bytes);
  const [spend] = stored.close ?? stored.confirmedSpend ?? [];
  const [previous] = stored.previousHolderCommitment ?? [];
  const [revoked] = stored.revoked ?? [];
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
    events: (stored.events ?? []).map(eventFromRecord),
    decidedHtlcs: stored.decidedHtlcs ?? [],
  };
}

/**
 * An update as its steps by kind, in the only order in which a turn makes them: our commitment, the secret of the
 * counterparty's old one, its new one, and the rest, which depends on none of them.
 */
export function encodeUpdate({ updateId, steps }: ChannelMonitorUpdate): Uint8Array {
  const of = <K extends MonitorStep['kind']>(kind: K): Extract<MonitorStep, { kind: K }>[] =>
    steps.filter((step): step is Extract<MonitorStep, { kind: K }> => step.kind === kind);
  const order = steps.map(({ kind }) => kind);
  const secret = order.indexOf('commitmentSecret');
  const signed = order.indexOf('latestCounterpartyCommitment');
  assert(secret < 0 || signed < 0 || secret < signed, 'a turn signs after it saw the revocation');
  return updateRecord.encode({
    holderCommitments: of('latestHolderCommitment').map(holderToRecord),
    secrets: of('commitmentSecret').map((step) => ({ number: BigInt(step.number), secret: step.secret })),
    counterpartyCommitments: of('latestCounterpartyCommitment').map(counterpartyToRecord),
    preimages: of('paymentPreimage').map(({ preimage }) => preimage),
    shutdownScripts: of('shutdownScript').map(({ script }) => script),
    closed: of('channelForceClosed').map(({ holderCommitment }) => FATES.indexOf(holderCommitment)),
    updateId: BigInt(updateId),
  });
}

export function decodeUpdate(bytes: Uint8Array): ChannelMonitorUpdate {
  const stored = updateRecord.decode(bytes);
  const steps: MonitorStep[] = [
    ...stored.holderCommitments.map(
      (commitment) => ({ kind: 'latestHolderCommitment', ...holderFromRecord(commitment) }) as const,
    ),
    ...stored.secrets.map(
      ({ number, secret }) => ({ kind: 'commitmentSecret', number: Number(number), secret }) as const,
    ),
    ...stored.counterpartyCommitments.map(
      (commitment) => ({ kind: 'latestCounterpartyCommitment', ...counterpartyFromRecord(commitment) }) as const,
    ),
    ...stored.preimages.map((preimage) => ({ kind: 'paymentPreimage', preimage }) as const),
    ...stored.shutdownScripts.map((script) => ({ kind: 'shutdownScript', script }) as const),
    ...stored.closed.map(
      (fate) => ({ kind: 'channelForceClosed', holderCommitment: known(FATES[fate], 'closed') }) as const,
    ),
  ];
  return { updateId: Number(stored.updateId), steps };
}

/** Where the record of a revoked commitment is. */
export const revokedKey = (params: ChannelParameters, number: number): string =>
  `mon/${storeName(params)}/old/${sortable(number)}`;

export const encodeRevoked = (revoked: RevokedCommitment): Uint8Array => revokedRecord.encode(revokedToRecord(revoked));

export const decodeRevoked = (bytes: Uint8Array): RevokedCommitment => revokedFromRecord(revokedRecord.decode(bytes));

const revokedToRecord = ({ number, spec }: RevokedCommitment): ValueOf<typeof revokedSchema> => ({
  number: BigInt(number),
  spec: specToRecord(spec),
});

const revokedFromRecord = ({ number, spec }: ValueOf<typeof revokedSchema>): RevokedCommitment => ({
  number: Number(number),
  spec: specFromRecord(spec, noOnion),
});

const eventToRecord = ({ id, htlc, preimage }: HtlcEvent): ValueOf<typeof eventSchema> => ({
  id,
  htlc: htlcToRecord(htlc),
  preimages: listed(preimage),
});

const eventFromRecord = ({ id, htlc, preimages }: ValueOf<typeof eventSchema>): HtlcEvent => ({
  id,
  htlc: htlcFromRecord(htlc, noOnion),
  preimage: preimages[0],
});

const packageToRecord = ({ tx, ...rest }: ClaimPackage): ValueOf<typeof packageSchema> => ({
  ...rest,
  transaction: encodeTransaction(tx),
});

const packageFromRecord = ({ transaction, ...rest }: ValueOf<typeof packageSchema>): ClaimPackage => ({
  ...rest,
  tx: decodeTransaction(transaction),
});

const listed = <T>(value: T | undefined): readonly T[] => (value === undefined ? [] : [value]);

const holderToRecord = ({
  number,
  spec,
  signature,
  htlcSignatures,
}: HolderCommitment): ValueOf<typeof holderSchema> => ({
  number: BigInt(number),
  signature,
  htlcSignatures,
  spec: specToRecord(spec),
});

const holderFromRecord = (stored: ValueOf<typeof holderSchema>): HolderCommitment => ({
  number: Number(stored.number),
  signature: stored.signature,
  htlcSignatures: stored.htlcSignatures,
  spec: specFromRecord(stored.spec, noOnion),
});

const counterpartyToRecord = ({
  number,
  spec,
  perCommitmentPoint,
}: CounterpartyCommitment): ValueOf<typeof counterpartySchema> => ({
  number: BigInt(number),
  perCommitmentPoint,
  spec: specToRecord(spec),
});

const counterpartyFromRecord = (stored: ValueOf<typeof counterpartySchema>): CounterpartyCommitment => ({
  number: Number(stored.number),
  perCommitmentPoint: stored.perCommitmentPoint,
  spec: specFromRecord(stored.spec, noOnion),
});

interface StoredSpend {
  readonly spend: number;
  readonly number: bigint;
  readonly perCommitmentPoint: Uint8Array;
  readonly height: number;
  readonly txid: Uint8Array;
  readonly transaction: Uint8Array;
}

function spendToRecord({ spend, height, txid, transaction }: ConfirmedSpend): StoredSpend {
  return {
    spend: SPENDS.indexOf(spend.kind),
    number: 'number' in spend ? BigInt(spend.number) : 0n,
    perCommitmentPoint: 'perCommitmentPoint' in spend ? spend.perCommitmentPoint : new Uint8Array(33),
    height,
    txid,
    transaction,
  };
}

function spendFromRecord(stored: StoredSpend): ConfirmedSpend {
  const { height, txid, transaction, perCommitmentPoint } = stored;
  return { spend: spendOf(stored, perCommitmentPoint), height, txid, transaction };
}

function spendOf(stored: StoredSpend, perCommitmentPoint: Uint8Array): FundingSpend {
  const kind = known(SPENDS[stored.spend], 'spend');
  const number = Number(stored.number);
  switch (kind) {
    case 'counterpartyCommitment':
      return { kind, number, perCommitmentPoint };
    case 'revokedCommitment':
    case 'unknownCommitment':
      return { kind, number };
    case 'holderCommitment':
    case 'cooperative':
      return { kind };
    default:
      return kind satisfies never;
  }
}

function known<T>(value: T | undefined, field: string): T {
  if (value === undefined)
    throw new GlowwormError('RecordIncomplete', `a stored monitor has an unknown ${field}`, { field });
  return value;
}
