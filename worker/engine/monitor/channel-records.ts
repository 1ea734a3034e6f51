import { fromHex, toHex } from '../primitives/bytes.ts';
import { GlowwormError } from '../primitives/errors.ts';
import { feeratePerKw, msat, sat } from '../primitives/units.ts';
import type { ValueOf } from '../wire/schema.ts';
import { recordFormat } from '../wire/stored-record.ts';
import type { ChannelHtlc } from '../transactions/channel-htlc.ts';
import type { ChannelParameters, PartyTerms } from '../transactions/channel-parameters.ts';
import type { HtlcSource } from '../transactions/htlc-source.ts';
import type { CommitmentSpec } from '../transactions/commitment-spec.ts';

/** A commitment as a monitor stores it: its HTLCs without their onions, which no monitor needs. */
export const specSchema = {
  kind: 'struct',
  fields: {
    feeratePerKw: 'u32',
    toHolderMsat: 'u64',
    toCounterpartyMsat: 'u64',
    htlcs: {
      kind: 'counted',
      of: {
        kind: 'struct',
        fields: { outbound: 'u8', id: 'u64', amountMsat: 'u64', paymentHash: 'sha256', cltvExpiry: 'u32' },
      },
    },
  },
} as const;

export const htlcSchema: typeof specSchema.fields.htlcs.of = specSchema.fields.htlcs.of;

const termsSchema = {
  kind: 'struct',
  fields: {
    fundingPubkey: 'point',
    revocationBasepoint: 'point',
    paymentBasepoint: 'point',
    delayedPaymentBasepoint: 'point',
    htlcBasepoint: 'point',
    dustLimitSat: 'u64',
    maxHtlcValueInFlightMsat: 'u64',
    channelReserveSat: 'u64',
    htlcMinimumMsat: 'u64',
    toSelfDelay: 'u16',
    maxAcceptedHtlcs: 'u16',
    upfrontShutdownScript: 'bytes',
  },
} as const;

const parametersSchema = {
  channelId: [2, 'channelId'],
  counterpartyNodeId: [4, 'point'],
  channelKeysIndex: [6, 'u32'],
  isOpener: [8, 'u8'],
  anchors: [10, 'u8'],
  channelType: [12, 'remaining'],
  fundingSat: [14, 'u64'],
  fundingTxid: [16, 'sha256'],
  fundingOutputIndex: [18, 'u16'],
  holder: [20, termsSchema],
  counterparty: [22, termsSchema],
  minimumDepth: [24, 'u32'],
} as const;

const unsaltedRecord = recordFormat('channel parameters', 1, parametersSchema);
/**
 * Without the salt an older program would have other per-commitment secrets, and take the channel for damaged: it must refuse what
 * has one.
 */
const saltedRecord = recordFormat('channel parameters', 2, parametersSchema, { commitmentSalt: [25, 'bytes'] });

/** Who an outbound HTLC is there for, by its id. */
export const sourceSchema = {
  kind: 'struct',
  fields: {
    id: 'u64',
    kind: 'u8',
    skimmedFeeMsat: 'u64',
    previous: {
      kind: 'struct',
      fields: {
        channelKey: 'channelId',
        htlcId: 'u64',
        amountMsat: 'u64',
        cltvExpiry: 'u32',
        sharedSecret: { kind: 'fixed', length: 32 },
      },
    },
  },
} as const;

type StoredSource = ValueOf<typeof sourceSchema>;

/** Of what this program knows; another number is a newer program's. */
const FORWARD = 1;

export const sourceToRecord = (id: bigint, { previous, skimmedFeeMsat }: HtlcSource): StoredSource => ({
  id,
  kind: FORWARD,
  skimmedFeeMsat,
  previous: { ...previous, channelKey: fromHex(previous.channelKey) },
});

export function sourceFromRecord({ id, kind, ...stored }: StoredSource): readonly [bigint, HtlcSource] {
  if (kind !== FORWARD) throw new GlowwormError('RecordIncomplete', 'a stored HTLC has an unknown source', { kind });
  const { channelKey, amountMsat, ...rest } = stored.previous;
  const previous = { ...rest, channelKey: toHex(channelKey), amountMsat: msat(amountMsat) };
  return [id, { kind: 'forward', previous, skimmedFeeMsat: msat(stored.skimmedFeeMsat) }];
}

type StoredHtlc = ValueOf<typeof htlcSchema>;
type StoredSpec = ValueOf<typeof specSchema>;
type StoredTerms = ValueOf<typeof termsSchema>;

export const htlcToRecord = (htlc: ChannelHtlc): StoredHtlc => ({
  outbound: htlc.direction === 'outbound' ? 1 : 0,
  id: htlc.id,
  amountMsat: htlc.amountMsat,
  paymentHash: htlc.paymentHash,
  cltvExpiry: htlc.cltvExpiry,
});

/** `onionOf` finds the packet where it is kept; a monitor needs none. */
export function htlcFromRecord(stored: StoredHtlc, onionOf: OnionLookup): ChannelHtlc {
  const direction = stored.outbound === 1 ? 'outbound' : 'inbound';
  const { id, paymentHash, cltvExpiry } = stored;
  return {
    direction,
    id,
    amountMsat: msat(stored.amountMsat),
    paymentHash,
    cltvExpiry,
    onion: onionOf({ direction, id }),
  };
}

export type OnionLookup = (htlc: Pick<ChannelHtlc, 'direction' | 'id'>) => Uint8Array;

/** For readers that need no onion. */
export const noOnion: OnionLookup = () => new Uint8Array(0);

export const specToRecord = (spec: CommitmentSpec): StoredSpec => ({
  feeratePerKw: spec.feeratePerKw,
  toHolderMsat: spec.toHolderMsat,
  toCounterpartyMsat: spec.toCounterpartyMsat,
  htlcs: spec.htlcs.map(htlcToRecord),
});

export const specFromRecord = (stored: StoredSpec, onionOf: OnionLookup): CommitmentSpec => ({
  feeratePerKw: feeratePerKw(stored.feeratePerKw),
  toHolderMsat: msat(stored.toHolderMsat),
  toCounterpartyMsat: msat(stored.toCounterpartyMsat),
  htlcs: stored.htlcs.map((htlc) => htlcFromRecord(htlc, onionOf)),
});

/** The name of a channel in the store's keys: short, since every step of a payment writes some, and never used again. */
export const storeName = ({ channelKeysIndex }: Pick<ChannelParameters, 'channelKeysIndex'>): string =>
  String(channelKeysIndex);

export function encodeParameters({ commitmentSalt, ...params }: ChannelParameters): Uint8Array {
  const stored = { ...params, isOpener: params.isOpener ? 1 : 0, anchors: params.format === 'anchors' ? 1 : 0 };
  return commitmentSalt.length === 0
    ? unsaltedRecord.encode(stored)
    : saltedRecord.encode({ ...stored, commitmentSalt });
}

/** Throws what `RecordFormat.decode` throws. */
export function decodeParameters(bytes: Uint8Array): ChannelParameters {
  const { anchors, commitmentSalt = new Uint8Array(0), ...stored } = saltedRecord.decode(bytes);
  return {
    ...stored,
    commitmentSalt,
    isOpener: stored.isOpener === 1,
    format: anchors === 1 ? 'anchors' : 'static_remotekey',
    fundingSat: sat(stored.fundingSat),
    holder: termsFromRecord(stored.holder),
    counterparty: termsFromRecord(stored.counterparty),
  };
}

const termsFromRecord = (stored: StoredTerms): PartyTerms => ({
  ...stored,
  dustLimitSat: sat(stored.dustLimitSat),
  channelReserveSat: sat(stored.channelReserveSat),
});
