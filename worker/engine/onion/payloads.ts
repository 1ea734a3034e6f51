import { assert } from '../primitives/errors.ts';
import type { Codec, WireFields, WireValue } from '../wire/codec.ts';
import { decode, encode } from '../wire/codec.ts';
import { ByteReader } from '../wire/reader.ts';
import { forEachRecord, refuseEven, writeRecord } from '../wire/records.ts';
import type { Records, Schema, TlvsOf } from '../wire/schema.ts';
import { codecOf } from '../wire/schema-codec.ts';
import { WireError } from '../wire/wire-error.ts';
import { ByteWriter } from '../wire/writer.ts';

/** The records of a hop's payload (BOLT 4, Payload Format), and those beside it that are even and so have to be known. */
export const payloadRecords = {
  amtToForward: [2, 'tu64'],
  outgoingCltvValue: [4, 'tu32'],
  shortChannelId: [6, 'shortChannelId'],
  paymentData: [8, { kind: 'struct', fields: { paymentSecret: { kind: 'fixed', length: 32 }, totalMsat: 'tu64' } }],
  encryptedRecipientData: [10, 'remaining'],
  currentPathKey: [12, 'point'],
  paymentMetadata: [16, 'remaining'],
  totalAmountMsat: [18, 'tu64'],
  // BOLT proposal 836; what eclair, Phoenix and Electrum have in its place; keysend's.
  trampolineOnionPacket: [20, 'remaining'],
  deployedTrampolineOnion: [66100, 'remaining'],
  keysendPreimage: [5482373484, { kind: 'fixed', length: 32 }],
} as const;

/** A record that BOLT 4 does not know: odd for a recipient who may ignore it. */
export interface CustomRecord {
  readonly type: bigint;
  readonly value: Uint8Array;
}

/** The payload that consists of these records, and of such as nobody has to know. */
export type PayloadOf<R> = TlvsOf<R> & { readonly customRecords?: readonly CustomRecord[] };

/** What a hop is told. Which fields a hop must have depends on where it is: see `hopInstruction`. */
export type HopPayload = PayloadOf<typeof payloadRecords>;

export type DecodedPayload<Payload = HopPayload> =
  | { readonly kind: 'payload'; readonly payload: Payload }
  /** The record (and where it starts) for invalid_onion_payload. */
  | { readonly kind: 'invalid'; readonly type: bigint; readonly offset: number };

/** Payloads to and from bytes, without their length. */
export interface PayloadCodec<Payload> {
  /** Throws `InvariantBroken` when two records have one type. */
  encode(payload: Payload): Uint8Array;
  /** Unknown odd records become `customRecords`. Never throws on what a sender wrote. */
  decode(bytes: Uint8Array): DecodedPayload<Payload>;
  /** The record of a field, for invalid_onion_payload. */
  typeOf(field: keyof Payload): bigint;
}

/** The codec of payloads that consist of these records. Build it once and keep it. */
export function payloadCodec<const R extends Records>(records: R): PayloadCodec<PayloadOf<R>> {
  const entries = Object.entries(records) as readonly [string, readonly [number, Schema]][];
  const known = entries.map(([name, [type, schema]]) => ({ name, type: BigInt(type), codec: codecOf<Schema>(schema) }));
  return {
    encode: (payload) => encodeRecords(known, payload),
    decode: (bytes) => decodeRecords(known, bytes) as DecodedPayload<PayloadOf<R>>,
    typeOf: (field) => known.find(({ name }) => name === field)?.type ?? 0n,
  };
}

const hopPayloadCodec = payloadCodec(payloadRecords);

/** The TLV stream of a payload, without its length. Throws `InvariantBroken` when two records have one type. */
export const encodePayload = (payload: HopPayload): Uint8Array => hopPayloadCodec.encode(payload);

/** Reads a hop's TLV stream; unknown odd records become `customRecords`. Never throws on what a sender wrote. */
export const decodePayload = (bytes: Uint8Array): DecodedPayload => hopPayloadCodec.decode(bytes);

interface KnownRecord {
  readonly name: string;
  readonly type: bigint;
  readonly codec: Codec<WireValue>;
}

function encodeRecords(known: readonly KnownRecord[], payload: object): Uint8Array {
  const { customRecords = [], ...fields } = payload as PayloadOf<Records>;
  const values = fields as WireFields;
  const records = known
    .filter(({ name }) => values[name] !== undefined)
    .map(({ type, name, codec }) => ({ type, value: encode(codec, values[name] as WireValue) }));
  const writer = new ByteWriter();
  let previous = -1n;
  for (const { type, value } of [...records, ...customRecords].sort((a, b) => (a.type < b.type ? -1 : 1))) {
    assert(type > previous, 'record types differ');
    previous = type;
    writeRecord(writer, type, value);
  }
  return writer.finish();
}

function decodeRecords(known: readonly KnownRecord[], bytes: Uint8Array): DecodedPayload<unknown> {
  const reader = new ByteReader(bytes);
  const fields: { [name: string]: WireValue } = {};
  const customRecords: CustomRecord[] = [];
  let current = { type: 0n, offset: 0 };
  try {
    forEachRecord(reader, (type, content) => {
      current = { ...current, type };
      const record = known.find((each) => each.type === type);
      if (record === undefined) {
        refuseEven(type);
        customRecords.push({ type, value: content.bytes(content.remaining) });
      } else fields[record.name] = decode(record.codec, content.bytes(content.remaining));
      current = { type: 0n, offset: bytes.length - reader.remaining };
    });
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const record = error.details['record'];
    return { kind: 'invalid', ...current, ...(typeof record === 'bigint' ? { type: record } : {}) };
  }
  return { kind: 'payload', payload: customRecords.length > 0 ? { ...fields, customRecords } : fields };
}
