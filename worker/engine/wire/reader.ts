import { WireError } from './wire-error.ts';

/**
 * A cursor over received bytes. Every method throws `WireError` instead of reading past the end; byte arrays are copies,
 * so that a small field does not keep a large buffer alive.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** How many bytes are left. */
  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4));
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#advance(8));
  }

  s64(): bigint {
    return this.#view.getBigInt64(this.#advance(8));
  }

  /** A copy of the next `length` bytes. */
  bytes(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.slice(start, start + length);
  }

  /** A cursor of its own over the next `length` bytes. */
  sub(length: number): ByteReader {
    const start = this.#advance(length);
    return new ByteReader(this.#bytes.subarray(start, start + length));
  }

  /** BOLT 1, BigSize: the shortest of its four forms, or the number is refused. */
  bigsize(): bigint {
    const first = this.u8();
    if (first < 0xfd) return BigInt(first);
    if (first === 0xfd) return canonical(BigInt(this.u16()), 0xfdn);
    if (first === 0xfe) return canonical(BigInt(this.u32()), 0x1_0000n);
    return canonical(this.u64(), 0x1_0000_0000n);
  }

  /** A truncated integer (BOLT 1, tu16 to tu64): all that is left, at most `most` bytes, without a leading zero. */
  truncated(most: number): bigint {
    if (this.remaining > most) throw new WireError('trailingBytes', `a truncated integer is longer than ${most} bytes`);
    let value = 0n;
    while (this.remaining > 0) {
      const byte = this.u8();
      if (value === 0n && byte === 0) throw new WireError('notCanonical', 'a truncated integer starts with a zero');
      value = (value << 8n) | BigInt(byte);
    }
    return value;
  }

  /** Throws unless everything was read. */
  end(): void {
    if (this.remaining > 0) throw new WireError('trailingBytes', `${this.remaining} bytes are left over`);
  }

  #advance(length: number): number {
    const start = this.#offset;
    if (length > this.remaining) throw new WireError('truncated', `${length} bytes wanted, ${this.remaining} left`);
    this.#offset += length;
    return start;
  }
}

function canonical(value: bigint, least: bigint): bigint {
  if (value < least) throw new WireError('notCanonical', 'a bigsize is longer than it need be');
  return value;
}
