import fc from 'fast-check';
import type { WireFields, WireValue } from '../../../worker/engine/wire/codec.ts';
import type { Message, MessageKind } from '../../../worker/engine/wire/message.ts';
import { messageDefinitions } from '../../../worker/engine/wire/message.ts';
import type { Fields, Primitive, Records, Schema } from '../../../worker/engine/wire/schema.ts';

/** Values of a schema. */
export function arbitraryOf(schema: Schema): fc.Arbitrary<WireValue> {
  if (typeof schema === 'string') return primitives[schema];
  switch (schema.kind) {
    case 'fixed':
      return bytesOf(schema.length);
    case 'counted':
    case 'rest':
      return fc.array(arbitraryOf(schema.of), { maxLength: 4 });
    case 'times':
      return fc.array(arbitraryOf(schema.of), { minLength: schema.count, maxLength: schema.count });
    case 'struct':
      return structOf(schema.fields);
    case 'tlvs':
      return tlvsOf(schema.records);
  }
  return schema satisfies never;
}

/** Messages of one kind. */
export function messageOf(kind: MessageKind): fc.Arbitrary<Message> {
  const { fields, tlvs } = messageDefinitions[kind];
  const parts = fc.tuple(structOf(fields), tlvsOf(tlvs));
  return parts.map(([values, records]) => ({ kind, ...values, tlvs: records }) as unknown as Message);
}

/** Bytes from a seed: far cheaper than an arbitrary per byte, and what they are matters to no decoder. */
export function bytesOf(length: number): fc.Arbitrary<Uint8Array> {
  return fc.nat().map((seed) => pseudoRandomBytes(seed, length));
}

export function pseudoRandomBytes(seed: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = (seed | 0) ^ 0x9e3779b9 || 1;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state & 0xff;
  }
  return bytes;
}

const structOf = (fields: Fields): fc.Arbitrary<WireFields> =>
  fc.record(Object.fromEntries(Object.entries(fields).map(([name, schema]) => [name, arbitraryOf(schema)])));

function tlvsOf(records: Records): fc.Arbitrary<WireFields> {
  const contents = Object.entries(records).map(([name, [, schema]]) => [name, arbitraryOf(schema)] as const);
  return fc.record(Object.fromEntries(contents), { requiredKeys: [] });
}

const u64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
const u32 = fc.nat({ max: 0x7fff_ffff }).map((value) => value * 2);
const u16 = fc.nat({ max: 0xffff });
const someBytes = fc.tuple(fc.nat(), fc.nat({ max: 80 })).map(([seed, length]) => pseudoRandomBytes(seed, length));
const point = bytesOf(33).map((bytes) => {
  bytes[0] = 2 + ((bytes[0] ?? 0) & 1);
  return bytes;
});

const endOfChannel = bytesOf(9).map((bytes) => {
  bytes[0] = (bytes[0] ?? 0) & 1;
  return bytes;
});

const primitives: { readonly [P in Primitive]: fc.Arbitrary<WireValue> } = {
  u8: fc.nat({ max: 0xff }),
  u16,
  u32,
  u64,
  s64: u64.map((value) => BigInt.asIntN(64, value)),
  tu16: u16,
  tu32: u32,
  tu64: u64,
  bigsize: u64,
  chainHash: bytesOf(32),
  channelId: bytesOf(32),
  sha256: bytesOf(32),
  point,
  signature: bytesOf(64),
  shortChannelId: u64,
  sciddirOrPubkey: fc.oneof(point, endOfChannel),
  bytes: someBytes,
  longBytes: someBytes,
  remaining: someBytes,
  flag: fc.constant(true),
};
