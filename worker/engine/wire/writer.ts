import { assert } from '../primitives/errors.ts';

const MAX_U32 = 0xffff_ffff;
const MAX_U64 = 0xffff_ffff_ffff_ffffn;
const FIRST_CAPACITY = 128;

/** Collects bytes in one growing buffer. A value that does not fit its field is our own mistake: `InvariantBroken`. */
export class ByteWriter {
  #buffer: Uint8Array = new Uint8Array(FIRST_CAPACITY);
  #view: DataView = new DataView(this.#buffer.buffer);
  #length = 0;

  u8(value: number): void {
    assert(isUnsigned(value, 0xff), 'u8 in range');
    const start = this.#advance(1);
    this.#view.setUint8(start, value);
  }

  u16(value: number): void {
    assert(isUnsigned(value, 0xffff), 'u16 in range');
    const start = this.#advance(2);
    this.#view.setUint16(start, value);
  }

  u32(value: number): void {
    assert(isUnsigned(value, MAX_U32), 'u32 in range');
    const start = this.#advance(4);
    this.#view.setUint32(start, value);
  }

  u64(value: bigint): void {
    assert(value >= 0n && value <= MAX_U64, 'u64 in range');
    const start = this.#advance(8);
    this.#view.setBigUint64(start, value);
  }

  s64(value: bigint): void {
    assert(BigInt.asIntN(64, value) === value, 's64 in range');
    const start = this.#advance(8);
    this.#view.setBigInt64(start, value);
  }

  bytes(bytes: Uint8Array): void {
    const start = this.#advance(bytes.length);
    this.#buffer.set(bytes, start);
  }

  /** BOLT 1, BigSize. */
  bigsize(value: bigint): void {
    if (value < 0xfdn) return this.u8(Number(value));
    if (value <= 0xffffn) {
      this.u8(0xfd);
      return this.u16(Number(value));
    }
    if (value <= BigInt(MAX_U32)) {
      this.u8(0xfe);
      return this.u32(Number(value));
    }
    this.u8(0xff);
    this.u64(value);
  }

  /** BOLT 1, tu16 to tu64: big endian without leading zeros; zero takes no byte at all. */
  truncated(value: bigint, most: number): void {
    assert(value >= 0n && value < 1n << BigInt(8 * most), 'truncated integer in range');
    let length = 0;
    while (value >> BigInt(8 * length) > 0n) length++;
    for (let shift = length - 1; shift >= 0; shift--) this.u8(Number((value >> BigInt(8 * shift)) & 0xffn));
  }

  /** A copy of everything written so far. */
  finish(): Uint8Array {
    return this.#buffer.slice(0, this.#length);
  }

  /** Where the next `count` bytes go. */
  #advance(count: number): number {
    const start = this.#length;
    this.#length += count;
    if (this.#length > this.#buffer.length) this.#grow();
    return start;
  }

  #grow(): void {
    const grown = new Uint8Array(Math.max(this.#length, this.#buffer.length * 2));
    grown.set(this.#buffer);
    this.#buffer = grown;
    this.#view = new DataView(grown.buffer);
  }
}

const isUnsigned = (value: number, most: number): boolean => Number.isInteger(value) && value >= 0 && value <= most;
