import { assert } from '../primitives/errors.ts';
import type { WireFields, WireValue } from '../wire/codec.ts';
import { decode, encode } from '../wire/codec.ts';
import { ByteReader } from '../wire/reader.ts';
import { forEachRecord, refuseEven, writeRecord } from '../wire/records.ts';
import type { Schema, TlvsOf } from '../wire/schema.ts';
import { codecOf } from '../wire/schema-codec.ts';
import { WireError } from '../wire/wire-error.ts';
import { ByteWriter } from '../wire/writer.ts';

/** The records of a hop's payload (BOLT 4, Payload Format), and keysend's, which is even and so has to be known. */
export const payloadRecords = {
  amtToForward: [2, 'tu64'],
  outgoingCltvValue: [4, 'tu32'],
  shortChannelId: [6, 'shortChannelId'],
  paymentData: [8, { kind: 'struct', fields: { paymentSecret: { kind: 'fixed', length: 32 }, totalMsat: 'tu64' } }],
  encryptedRecipientData: [10, 'remaining'],
  currentPathKey: [12, 'point'],
  paymentMetadata: [16, 'remaining'],
  totalAmountMsat: [18, 'tu64'],
  keysendPreimage: [5482373484, { kind: 'fixed', length: 32 }],
} as const;

/** A record that BOLT 4 does not know: odd for a recipient who may ignore it. */
export interface CustomRecord {
  readonly type: bigint;
  readonly value: Uint8Array;
}

/** What a hop is told. Which fields a hop must have depends on where it is: see `hopInstruction`. */
export type HopPayload = TlvsOf<typeof payloadRecords> & { readonly customRecords?: readonly CustomRecord[] };

export type DecodedPayload =
  | { readonly kind: 'payload'; readonly payload: HopPayload }
  /** The record (and where it starts) for invalid_onion_payload. */
  | { readonly kind: 'invalid'; readonly type: bigint; readonly offset: number };

/** The TLV stream of a payload, without its length. Throws `InvariantBroken` when two records have one type. */
export function encodePayload(payload: HopPayload): Uint8Array {
  const fields = payload as WireFields;
  const known = knownRecords
    .filter(({ name }) => fields[name] !== undefined)
    .map(({ type, name, codec }) => ({ type, value: encode(codec, fields[name] as WireValue) }));
  const records = [...known, ...(payload.customRecords ?? [])].sort((a, b) => (a.type < b.type ? -1 : 1));
  const writer = new ByteWriter();
  let previous = -1n;
  for (const { type, value } of records) {
    assert(type > previous, 'record types differ');
    previous = type;
    writeRecord(writer, type, value);
  }
  return writer.finish();
}

/** Reads a hop's TLV stream; unknown odd records become `customRecords`. Never throws on what a sender wrote. */
export function decodePayload(bytes: Uint8Array): DecodedPayload {
  const reader = new ByteReader(bytes);
  const fields: { [name: string]: WireValue } = {};
  const customRecords: CustomRecord[] = [];
  let current = { type: 0n, offset: 0 };
  try {
    forEachRecord(reader, (type, content) => {
      current = { ...current, type };
      const known = recordByType.get(type);
      if (known === undefined) {
        refuseEven(type);
        customRecords.push({ type, value: content.bytes(content.remaining) });
      } else fields[known.name] = decode(known.codec, content.bytes(content.remaining));
      current = { type: 0n, offset: bytes.length - reader.remaining };
    });
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const record = error.details['record'];
    return { kind: 'invalid', ...current, ...(typeof record === 'bigint' ? { type: record } : {}) };
  }
  const payload = customRecords.length > 0 ? { ...fields, customRecords } : fields;
  return { kind: 'payload', payload: payload as HopPayload };
}

const entries = Object.entries(payloadRecords) as readonly [string, readonly [number, Schema]][];

const knownRecords = entries.map(([name, [type, schema]]) => ({
  name,
  type: BigInt(type),
  codec: codecOf<Schema>(schema),
}));

const recordByType = new Map(knownRecords.map((record) => [record.type, record]));
