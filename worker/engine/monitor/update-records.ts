import { GlowwormError } from '../primitives/errors.ts';
import type { CommitmentSpec } from '../transactions/commitment-spec.ts';
import { decode, encode } from '../wire/codec.ts';
import { codecOf } from '../wire/schema-codec.ts';
import type { Schema, ValueOf } from '../wire/schema.ts';
import { recordFormat } from '../wire/stored-record.ts';
import { sourceFromRecord, sourceSchema, sourceToRecord } from './channel-records.ts';
import type { ChannelMonitor } from './channel-monitor.ts';
import type { ChannelMonitorUpdate, MonitorStep } from './monitor-update.ts';
import {
  chainEventFromRecord,
  chainEventSchema,
  childFromRecord,
  childSchema,
  childToRecord,
  confirmedSchema,
  counterpartyFromRecord,
  counterpartySchema,
  eventFromRecord,
  eventSchema,
  eventToRecord,
  FATES,
  holderFromRecord,
  holderSchema,
  known,
  listed,
  outpointSchema,
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
import { changedSpec, specChange, specChangeSchema } from './spec-change.ts';

const secretSchema = { kind: 'struct', fields: { number: 'u64', secret: preimageSchema } } as const;

const updateRecord = recordFormat(
  'monitor update',
  3,
  { updateId: [14, 'u64'] },
  {
    // Version 1 has its steps by kind, with whole commitments.
    holderCommitments: [2, { kind: 'rest', of: holderSchema }],
    secrets: [4, { kind: 'rest', of: secretSchema }],
    counterpartyCommitments: [6, { kind: 'rest', of: counterpartySchema }],
    preimages: [8, { kind: 'rest', of: preimageSchema }],
    shutdownScripts: [10, { kind: 'rest', of: 'bytes' }],
    closed: [12, { kind: 'rest', of: 'u8' }],
    steps: [16, { kind: 'rest', of: { kind: 'struct', fields: { kind: 'u8', body: 'longBytes' } } }],
  },
);

/** The commitments that the next ones are stored as changes of. */
interface SpecBases {
  holder: CommitmentSpec;
  counterparty: CommitmentSpec;
}

interface StepReader<S extends MonitorStep = MonitorStep> {
  readonly code: number;
  read(body: Uint8Array, bases: SpecBases): S;
}

interface StepFormat<S extends MonitorStep> extends StepReader<S> {
  write(step: S, bases: SpecBases): Uint8Array;
}

type Step<K extends MonitorStep['kind']> = Extract<MonitorStep, { readonly kind: K }>;

function stepFormat<K extends MonitorStep['kind'], const S extends Schema>(
  code: number,
  schema: S,
  write: (step: Step<K>, bases: SpecBases) => ValueOf<S>,
  read: (stored: ValueOf<S>, bases: SpecBases) => Step<K>,
): StepFormat<Step<K>> {
  const codec = codecOf(schema);
  return {
    code,
    write: (step, bases) => encode(codec, write(step, bases)),
    read: (body, bases) => read(decode(codec, body), bases),
  };
}

/**
 * How each kind of step is stored. A code that was given once stands for its kind for ever. A new kind needs a new version of the
 * record: without it an older program takes the update for a damaged one, and goes on without it.
 */
const FORMATS: { readonly [K in MonitorStep['kind']]: StepFormat<Step<K>> } = {
  latestHolderCommitment: stepFormat(
    1,
    {
      kind: 'struct',
      fields: {
        number: 'u64',
        signature: 'signature',
        htlcSignatures: { kind: 'counted', of: 'signature' },
        spec: specChangeSchema,
      },
    },
    ({ number, signature, htlcSignatures, spec }, { holder }) => ({
      number: BigInt(number),
      signature,
      htlcSignatures,
      spec: specChange(holder, spec),
    }),
    ({ number, signature, htlcSignatures, spec }, { holder }) => ({
      kind: 'latestHolderCommitment',
      number: Number(number),
      spec: changedSpec(holder, spec),
      signature,
      htlcSignatures,
    }),
  ),
  latestCounterpartyCommitment: stepFormat(
    2,
    { kind: 'struct', fields: { number: 'u64', perCommitmentPoint: 'point', spec: specChangeSchema } },
    ({ number, perCommitmentPoint, spec }, { counterparty }) => ({
      number: BigInt(number),
      perCommitmentPoint,
      spec: specChange(counterparty, spec),
    }),
    ({ number, perCommitmentPoint, spec }, { counterparty }) => ({
      kind: 'latestCounterpartyCommitment',
      number: Number(number),
      spec: changedSpec(counterparty, spec),
      perCommitmentPoint,
    }),
  ),
  paymentPreimage: stepFormat(
    3,
    preimageSchema,
    ({ preimage }) => preimage,
    (preimage) => ({ kind: 'paymentPreimage', preimage }),
  ),
  commitmentSecret: stepFormat(
    4,
    secretSchema,
    ({ number, secret }) => ({ number: BigInt(number), secret }),
    ({ number, secret }) => ({ kind: 'commitmentSecret', number: Number(number), secret }),
  ),
  channelForceClosed: stepFormat(
    5,
    'u8',
    ({ holderCommitment }) => FATES.indexOf(holderCommitment),
    (fate) => ({ kind: 'channelForceClosed', holderCommitment: known(FATES[fate], 'closed') }),
  ),
  shutdownScript: stepFormat(
    6,
    'remaining',
    ({ script }) => script,
    (script) => ({ kind: 'shutdownScript', script }),
  ),
  copied: stepFormat(
    7,
    'flag',
    () => true as const,
    () => ({ kind: 'copied' }),
  ),
  stateConfirmed: stepFormat(
    8,
    'flag',
    () => true as const,
    () => ({ kind: 'stateConfirmed' }),
  ),
  fundingSpent: stepFormat(
    9,
    { kind: 'struct', fields: { ...spendFields, transaction: 'longBytes' } },
    ({ confirmedSpend }) => spendToRecord(confirmedSpend),
    (stored) => ({ kind: 'fundingSpent', confirmedSpend: spendFromRecord(stored) }),
  ),
  fundingSpendUnconfirmed: stepFormat(
    10,
    'flag',
    () => true as const,
    () => ({ kind: 'fundingSpendUnconfirmed' }),
  ),
  revokedRead: stepFormat(
    11,
    revokedSchema,
    ({ revoked }) => revokedToRecord(revoked),
    (stored) => ({ kind: 'revokedRead', revoked: revokedFromRecord(stored) }),
  ),
  outputSpent: stepFormat(
    12,
    confirmedSchema,
    ({ spend }) => spend,
    (spend) => ({ kind: 'outputSpent', spend }),
  ),
  outputUnspent: stepFormat(
    13,
    'sha256',
    ({ txid }) => txid,
    (txid) => ({ kind: 'outputUnspent', txid }),
  ),
  eventAcknowledged: stepFormat(
    15,
    'u32',
    ({ id }) => id,
    (id) => ({ kind: 'eventAcknowledged', id }),
  ),
  packagesChanged: stepFormat(
    16,
    {
      kind: 'struct',
      fields: { over: { kind: 'counted', of: outpointSchema }, made: { kind: 'counted', of: packageSchema } },
    },
    ({ over, made }) => ({ over, made: made.map(packageToRecord) }),
    ({ over, made }) => ({ kind: 'packagesChanged', over, made: made.map(packageFromRecord) }),
  ),
  htlcResolved: stepFormat(
    18,
    eventSchema,
    ({ htlc, resolution }) => eventToRecord({ id: 0, htlc, resolution }),
    (stored) => {
      const { htlc, resolution } = eventFromRecord(stored);
      return { kind: 'htlcResolved', htlc, resolution };
    },
  ),
  htlcSource: stepFormat(
    19,
    sourceSchema,
    ({ htlcId, source }) => sourceToRecord(htlcId, source),
    (stored) => {
      const [htlcId, source] = sourceFromRecord(stored);
      return { kind: 'htlcSource', htlcId, source };
    },
  ),
  anchorChildChanged: stepFormat(
    17,
    { kind: 'counted', of: childSchema },
    ({ child }) => listed(child).map(childToRecord),
    ([child]) => ({ kind: 'anchorChildChanged', child: child && childFromRecord(child) }),
  ),
};

/** Of the programs before, to which only the chain told of HTLCs: read, and never written. */
const CHAIN_EVENT: StepReader = {
  code: 14,
  read: (body) => {
    const { htlc, resolution } = chainEventFromRecord(decode(codecOf(chainEventSchema), body));
    return { kind: 'htlcResolved', htlc, resolution };
  },
};

const BY_CODE: ReadonlyMap<number, StepReader> = new Map(
  [...Object.values(FORMATS), CHAIN_EVENT].map((format) => [format.code, format]),
);

/** An update of a monitor as it was before: commitments are stored as what changed in them. */
export function encodeUpdate({ updateId, steps }: ChannelMonitorUpdate, before: ChannelMonitor): Uint8Array {
  const bases = basesOf(before);
  const stored = steps.map((step) => {
    const { code, write } = FORMATS[step.kind] as StepFormat<MonitorStep>;
    const body = write(step, bases);
    follow(bases, step);
    return { kind: code, body };
  });
  return updateRecord.encode({ updateId: BigInt(updateId), steps: stored });
}

/** `before` is the monitor that it is the next update of. Throws what `RecordFormat.decode` throws. */
export function decodeUpdate(bytes: Uint8Array, before: ChannelMonitor): ChannelMonitorUpdate {
  const stored = updateRecord.decode(bytes);
  const updateId = Number(stored.updateId);
  if (stored.steps === undefined) return { updateId, steps: stepsOfVersion1(stored) };
  const bases = basesOf(before);
  const steps = stored.steps.map(({ kind, body }) => {
    const step = formatOf(kind).read(body, bases);
    follow(bases, step);
    return step;
  });
  return { updateId, steps };
}

/** Which update a record is, whatever it follows. Throws what `RecordFormat.decode` throws. */
export const updateIdOf = (bytes: Uint8Array): number => Number(updateRecord.decode(bytes).updateId);

function formatOf(code: number): StepReader {
  const format = BY_CODE.get(code);
  if (format === undefined)
    throw new GlowwormError('RecordDamaged', 'a stored monitor update has an unknown step', { code });
  return format;
}

const basesOf = ({ holderCommitment, counterpartyCommitments }: ChannelMonitor): SpecBases => ({
  holder: holderCommitment.spec,
  counterparty: counterpartyCommitments.at(-1)?.spec ?? holderCommitment.spec,
});

function follow(bases: SpecBases, step: MonitorStep): void {
  if (step.kind === 'latestHolderCommitment') bases.holder = step.spec;
  if (step.kind === 'latestCounterpartyCommitment') bases.counterparty = step.spec;
}

/** In the only order in which a turn made them: a turn signs after it saw the revocation, and the rest depends on neither. */
const stepsOfVersion1 = (stored: ReturnType<typeof updateRecord.decode>): readonly MonitorStep[] => [
  ...(stored.holderCommitments ?? []).map(
    (commitment) => ({ kind: 'latestHolderCommitment', ...holderFromRecord(commitment) }) as const,
  ),
  ...(stored.secrets ?? []).map(
    ({ number, secret }) => ({ kind: 'commitmentSecret', number: Number(number), secret }) as const,
  ),
  ...(stored.counterpartyCommitments ?? []).map(
    (commitment) => ({ kind: 'latestCounterpartyCommitment', ...counterpartyFromRecord(commitment) }) as const,
  ),
  ...(stored.preimages ?? []).map((preimage) => ({ kind: 'paymentPreimage', preimage }) as const),
  ...(stored.shutdownScripts ?? []).map((script) => ({ kind: 'shutdownScript', script }) as const),
  ...(stored.closed ?? []).map(
    (fate) => ({ kind: 'channelForceClosed', holderCommitment: known(FATES[fate], 'closed') }) as const,
  ),
];
