import { concat } from '../primitives/bytes.ts';
import { GlowwormError } from '../primitives/errors.ts';
import { decodeTransaction, encodeTransaction } from '../transactions/transaction.ts';
import type { ValueOf } from '../wire/schema.ts';
import {
  htlcFromRecord,
  htlcSchema,
  htlcToRecord,
  noOnion,
  specFromRecord,
  specSchema,
  specToRecord,
} from './channel-records.ts';
import type {
  ConfirmedSpend,
  CounterpartyCommitment,
  FundingSpend,
  HolderCommitment,
  RevokedCommitment,
} from './channel-monitor.ts';
import type { AnchorChild } from './claims/anchor-child.ts';
import type { ClaimPackage } from './claims/claim-package.ts';
import type { HtlcEvent, HtlcResolution } from './htlc-resolution.ts';
import type { HolderCommitmentFate } from './monitor-update.ts';

export const preimageSchema = { kind: 'fixed', length: 32 } as const;

/** Fields one after the other. */
interface Struct<F> {
  readonly kind: 'struct';
  readonly fields: Readonly<F>;
}

interface Counted<S> {
  readonly kind: 'counted';
  readonly of: S;
}

export const holderSchema: Struct<{
  number: 'u64';
  signature: 'signature';
  htlcSignatures: Counted<'signature'>;
  spec: typeof specSchema;
}> = {
  kind: 'struct',
  fields: {
    number: 'u64',
    signature: 'signature',
    htlcSignatures: { kind: 'counted', of: 'signature' },
    spec: specSchema,
  },
};

export const counterpartySchema: Struct<{ number: 'u64'; perCommitmentPoint: 'point'; spec: typeof specSchema }> = {
  kind: 'struct',
  fields: { number: 'u64', perCommitmentPoint: 'point', spec: specSchema },
};

export const revokedSchema: Struct<{ number: 'u64'; spec: typeof specSchema }> = {
  kind: 'struct',
  fields: { number: 'u64', spec: specSchema },
};

/** `content` is the preimage, the reason of a failure, or code and hash of a malformed one. */
export const eventSchema: Struct<{ id: 'u32'; htlc: typeof htlcSchema; resolution: 'u8'; content: 'bytes' }> = {
  kind: 'struct',
  fields: { id: 'u32', htlc: htlcSchema, resolution: 'u8', content: 'bytes' },
};

/** Of the programs before, to which only the chain told of HTLCs; without a preimage one had failed. */
export const chainEventSchema: Struct<{
  id: 'u32';
  htlc: typeof htlcSchema;
  preimages: Counted<typeof preimageSchema>;
}> = {
  kind: 'struct',
  fields: { id: 'u32', htlc: htlcSchema, preimages: { kind: 'counted', of: preimageSchema } },
};

export const confirmedSchema = {
  kind: 'struct',
  fields: { height: 'u32', txid: 'sha256', transaction: 'longBytes' },
} as const;

export const packageSchema = {
  kind: 'struct',
  fields: {
    feeratePerKw: 'u32',
    height: 'u32',
    since: 'u32',
    outpoints: { kind: 'counted', of: { kind: 'struct', fields: { txid: 'sha256', vout: 'u32' } } },
    transaction: 'longBytes',
  },
} as const;

export const childSchema = {
  kind: 'struct',
  fields: { feeratePerKw: 'u32', height: 'u32', since: 'u32', transaction: 'longBytes' },
} as const;

export const outpointSchema: typeof packageSchema.fields.outpoints.of = packageSchema.fields.outpoints.of;

export const spendFields = {
  spend: 'u8',
  number: 'u64',
  perCommitmentPoint: { kind: 'fixed', length: 33 },
  height: 'u32',
  txid: 'sha256',
} as const;

const RESOLUTIONS = ['fulfilled', 'timedOut', 'fail', 'failMalformed'] as const;
export const FATES: readonly HolderCommitmentFate[] = ['wait', 'broadcast', 'never'];
const SPENDS: readonly FundingSpend['kind'][] = [
  'holderCommitment',
  'counterpartyCommitment',
  'revokedCommitment',
  'unknownCommitment',
  'cooperative',
];

export const revokedToRecord = ({ number, spec }: RevokedCommitment): ValueOf<typeof revokedSchema> => ({
  number: BigInt(number),
  spec: specToRecord(spec),
});

export const revokedFromRecord = ({ number, spec }: ValueOf<typeof revokedSchema>): RevokedCommitment => ({
  number: Number(number),
  spec: specFromRecord(spec, noOnion),
});

export const eventToRecord = ({ id, htlc, resolution }: HtlcEvent): ValueOf<typeof eventSchema> => ({
  id,
  htlc: htlcToRecord(htlc),
  resolution: RESOLUTIONS.indexOf(resolution.kind === 'failed' ? resolution.removal.kind : resolution.kind),
  content: contentOf(resolution),
});

export function eventFromRecord({ id, htlc, resolution, content }: ValueOf<typeof eventSchema>): HtlcEvent {
  const kind = known(RESOLUTIONS[resolution], 'resolution');
  return { id, htlc: htlcFromRecord(htlc, noOnion), resolution: resolutionFrom(kind, htlc.id, content) };
}

export const chainEventFromRecord = ({ id, htlc, preimages }: ValueOf<typeof chainEventSchema>): HtlcEvent => ({
  id,
  htlc: htlcFromRecord(htlc, noOnion),
  resolution: preimages[0] === undefined ? { kind: 'timedOut' } : { kind: 'fulfilled', preimage: preimages[0] },
});

function contentOf(resolution: HtlcResolution): Uint8Array {
  if (resolution.kind === 'fulfilled') return resolution.preimage;
  if (resolution.kind === 'timedOut') return new Uint8Array(0);
  const { removal } = resolution;
  if (removal.kind === 'fail') return removal.reason;
  return concat(Uint8Array.of(removal.failureCode >> 8, removal.failureCode & 0xff), removal.sha256OfOnion);
}

function resolutionFrom(kind: (typeof RESOLUTIONS)[number], htlcId: bigint, content: Uint8Array): HtlcResolution {
  switch (kind) {
    case 'fulfilled':
      return { kind, preimage: content };
    case 'timedOut':
      return { kind };
    case 'fail':
      return { kind: 'failed', removal: { kind, htlcId, reason: content } };
    case 'failMalformed': {
      const failureCode = ((content[0] ?? 0) << 8) | (content[1] ?? 0);
      return { kind: 'failed', removal: { kind, htlcId, failureCode, sha256OfOnion: content.slice(2) } };
    }
    default:
      return kind satisfies never;
  }
}

export const packageToRecord = ({ tx, ...rest }: ClaimPackage): ValueOf<typeof packageSchema> => ({
  ...rest,
  transaction: encodeTransaction(tx),
});

export const packageFromRecord = ({ transaction, ...rest }: ValueOf<typeof packageSchema>): ClaimPackage => ({
  ...rest,
  tx: decodeTransaction(transaction),
});

export const childToRecord = ({ tx, ...rest }: AnchorChild): ValueOf<typeof childSchema> => ({
  ...rest,
  transaction: encodeTransaction(tx),
});

export const childFromRecord = ({ transaction, ...rest }: ValueOf<typeof childSchema>): AnchorChild => ({
  ...rest,
  tx: decodeTransaction(transaction),
});

export const listed = <T>(value: T | undefined): readonly T[] => (value === undefined ? [] : [value]);

export const holderToRecord = ({
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

export const holderFromRecord = (stored: ValueOf<typeof holderSchema>): HolderCommitment => ({
  number: Number(stored.number),
  signature: stored.signature,
  htlcSignatures: stored.htlcSignatures,
  spec: specFromRecord(stored.spec, noOnion),
});

export const counterpartyToRecord = ({
  number,
  spec,
  perCommitmentPoint,
}: CounterpartyCommitment): ValueOf<typeof counterpartySchema> => ({
  number: BigInt(number),
  perCommitmentPoint,
  spec: specToRecord(spec),
});

export const counterpartyFromRecord = (stored: ValueOf<typeof counterpartySchema>): CounterpartyCommitment => ({
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

export function spendToRecord({ spend, height, txid, transaction }: ConfirmedSpend): StoredSpend {
  return {
    spend: SPENDS.indexOf(spend.kind),
    number: 'number' in spend ? BigInt(spend.number) : 0n,
    perCommitmentPoint: 'perCommitmentPoint' in spend ? spend.perCommitmentPoint : new Uint8Array(33),
    height,
    txid,
    transaction,
  };
}

export function spendFromRecord(stored: StoredSpend): ConfirmedSpend {
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

export function known<T>(value: T | undefined, field: string): T {
  if (value === undefined)
    throw new GlowwormError('RecordIncomplete', `a stored monitor has an unknown ${field}`, { field });
  return value;
}
