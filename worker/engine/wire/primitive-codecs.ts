import { concat } from '../primitives/bytes.ts';
import { assert } from '../primitives/errors.ts';
import type { Codec } from './codec.ts';
import type { Primitive, PrimitiveValues } from './schema.ts';
import { WireError } from './wire-error.ts';

/** Byte arrays of one length. */
export function fixed(length: number): Codec<Uint8Array> {
  return {
    read: (reader) => reader.bytes(length),
    write: (writer, value) => {
      assert(value.length === length, 'a field of fixed length has it');
      writer.bytes(value);
    },
  };
}

const bytes32 = fixed(32);

const isDirection = ([first]: Uint8Array): boolean => first === 0 || first === 1;

const isCompressed = (bytes: Uint8Array): boolean => bytes.length === 33 && (bytes[0] === 2 || bytes[0] === 3);

/** The codec of each fundamental type. */
export const primitiveCodecs: { readonly [P in Primitive]: Codec<PrimitiveValues[P]> } = {
  u8: { read: (reader) => reader.u8(), write: (writer, value) => writer.u8(value) },
  u16: { read: (reader) => reader.u16(), write: (writer, value) => writer.u16(value) },
  u32: { read: (reader) => reader.u32(), write: (writer, value) => writer.u32(value) },
  u64: { read: (reader) => reader.u64(), write: (writer, value) => writer.u64(value) },
  s64: { read: (reader) => reader.s64(), write: (writer, value) => writer.s64(value) },
  tu16: { read: (reader) => Number(reader.truncated(2)), write: (writer, value) => writer.truncated(BigInt(value), 2) },
  tu32: { read: (reader) => Number(reader.truncated(4)), write: (writer, value) => writer.truncated(BigInt(value), 4) },
  tu64: { read: (reader) => reader.truncated(8), write: (writer, value) => writer.truncated(value, 8) },
  bigsize: { read: (reader) => reader.bigsize(), write: (writer, value) => writer.bigsize(value) },
  chainHash: bytes32,
  channelId: bytes32,
  sha256: bytes32,
  point: {
    read: (reader) => {
      const bytes = reader.bytes(33);
      if (!isCompressed(bytes)) throw new WireError('invalidPoint', 'a point does not start with 2 or 3');
      return bytes;
    },
    write: (writer, value) => {
      assert(isCompressed(value), 'point is compressed');
      writer.bytes(value);
    },
  },
  signature: fixed(64),
  shortChannelId: { read: (reader) => reader.u64(), write: (writer, value) => writer.u64(value) },
  sciddirOrPubkey: {
    read: (reader) => {
      const first = reader.bytes(1);
      const rest = reader.bytes(isDirection(first) ? 8 : 32);
      const bytes = concat(first, rest);
      if (!isDirection(first) && !isCompressed(bytes))
        throw new WireError('invalidPoint', 'neither a point nor an end of a channel');
      return bytes;
    },
    write: (writer, value) => {
      assert(isDirection(value) ? value.length === 9 : isCompressed(value), 'a point or an end of a channel');
      writer.bytes(value);
    },
  },
  bytes: {
    read: (reader) => reader.bytes(reader.u16()),
    write: (writer, value) => {
      writer.u16(value.length);
      writer.bytes(value);
    },
  },
  longBytes: {
    // More than there is cannot be read, however long it claims to be.
    read: (reader) => reader.bytes(Number(reader.bigsize())),
    write: (writer, value) => {
      writer.bigsize(BigInt(value.length));
      writer.bytes(value);
    },
  },
  remaining: {
    read: (reader) => reader.bytes(reader.remaining),
    write: (writer, value) => writer.bytes(value),
  },
  flag: { read: () => true, write: () => undefined },
};
