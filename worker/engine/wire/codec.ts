import { ByteReader } from './reader.ts';
import { ByteWriter } from './writer.ts';

/** Anything that a schema can describe, and the name of a message. */
export type WireValue = number | bigint | true | string | Uint8Array | readonly WireValue[] | WireFields;

/** A struct, the records of a stream, a message. */
export interface WireFields {
  readonly [field: string]: WireValue | undefined;
}

/** Reads throw `WireError` and nothing else; writes throw `InvariantBroken` on a value outside its type. */
export interface Codec<T> {
  read(reader: ByteReader): T;
  write(writer: ByteWriter, value: T): void;
}

/** Decodes all of `bytes`; throws `WireError`. */
export function decode<T>(codec: Codec<T>, bytes: Uint8Array): T {
  const reader = new ByteReader(bytes);
  const value = codec.read(reader);
  reader.end();
  return value;
}

export function encode<T>(codec: Codec<T>, value: T): Uint8Array {
  const writer = new ByteWriter();
  codec.write(writer, value);
  return writer.finish();
}
