import { GlowwormError } from '../primitives/errors.ts';

/** Bitcoin's compact size: 1, 3, 5 or 9 bytes. `value` is 0 to 2^32-1, more never occurs in a transaction. */
export function compactSize(value: number): Uint8Array {
  if (value < 0xfd) return Uint8Array.of(value);
  if (value <= 0xffff) return Uint8Array.of(0xfd, value & 0xff, value >>> 8);
  return Uint8Array.of(0xfe, ...u32le(value));
}

/** Four little-endian bytes of an unsigned integer. */
export function u32le(value: number): Uint8Array {
  return Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24);
}

/** Eight little-endian bytes of an unsigned integer. */
export function u64le(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes;
}

/** Reads Bitcoin's little-endian encodings front to back; throws `MalformedTransaction` at the end of the bytes. */
export class ByteCursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  /** The byte `ahead` of the cursor, without moving; `undefined` past the end. */
  peek(ahead = 0): number | undefined {
    return this.#bytes[this.#offset + ahead];
  }

  /** A copy of the next `length` bytes. */
  take(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.slice(start, start + length);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#advance(8), true);
  }

  /** A compact size; only the shortest form is accepted, as Bitcoin Core does. */
  compactSize(): number {
    const first = this.#view.getUint8(this.#advance(1));
    if (first < 0xfd) return first;
    if (first === 0xfd) return this.#shortest(this.#view.getUint16(this.#advance(2), true), 0xfd);
    if (first === 0xfe) return this.#shortest(this.u32(), 0x1_0000);
    throw new GlowwormError('MalformedTransaction', 'a length beyond 32 bits');
  }

  /** Bytes preceded by their length. */
  sized(): Uint8Array {
    return this.take(this.compactSize());
  }

  /** A number of items of at least `leastBytes` each: never more than the bytes left could hold. */
  count(leastBytes: number): number {
    const count = this.compactSize();
    if (count * leastBytes > this.remaining)
      throw new GlowwormError('MalformedTransaction', 'a count beyond the bytes');
    return count;
  }

  #advance(length: number): number {
    if (length > this.remaining) throw new GlowwormError('MalformedTransaction', 'the bytes end too early');
    const start = this.#offset;
    this.#offset += length;
    return start;
  }

  #shortest(value: number, least: number): number {
    if (value < least) throw new GlowwormError('MalformedTransaction', 'a length that is not in its shortest form');
    return value;
  }
}
