import type { ByteReader } from './reader.ts';
import { WireError } from './wire-error.ts';
import type { ByteWriter } from './writer.ts';

/**
 * Walks the records of a stream. Types must be strictly increasing, types and lengths minimal; throws `WireError`.
 * Whether a type is known is for `visit` to say: `refuseEven` is BOLT 1's rule for those that are not.
 */
export function forEachRecord(reader: ByteReader, visit: (type: bigint, content: ByteReader) => void): void {
  let previous = -1n;
  while (reader.remaining > 0) {
    const type = reader.bigsize();
    if (type <= previous)
      throw new WireError('recordOrder', `record ${type} comes after record ${previous}`, { record: type });
    previous = type;
    const length = reader.bigsize();
    if (length > BigInt(reader.remaining))
      throw new WireError('truncated', `record ${type} is longer than its stream`, { record: type });
    visit(type, reader.sub(Number(length)));
  }
}

/** Throws for an even type: whoever does not know such a record must not act on the message. */
export function refuseEven(type: bigint): void {
  if (type % 2n === 0n)
    throw new WireError('unknownEvenRecord', `record ${type} is unknown and even`, { record: type });
}

export function writeRecord(writer: ByteWriter, type: bigint, content: Uint8Array): void {
  writer.bigsize(type);
  writer.bigsize(BigInt(content.length));
  writer.bytes(content);
}
