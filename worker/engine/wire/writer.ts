import { concat } from '../primitives/bytes.ts';
import { assert } from '../primitives/errors.ts';

const MAX_U64 = 0xffff_ffff_ffff_ffffn;

/** Collects bytes. A value that does not fit its field is our own mistake: `InvariantBroken`. */
export class ByteWriter {
  readonly #parts: Uint8Array[] = [];

  u8(value: number): void {
    this.bigEndian(BigInt(value), 1);
  }

  u16(value: number): void {
    this.bigEndian(BigInt(value), 2);
  }

  u32(value: number): void {
    this.bigEndian(BigInt(value), 4);
  }

  u64(value: bigint): void {
    this.bigEndian(value, 8);
  }

  s64(value: bigint): void {
    assert(BigInt.asIntN(64, value) === value, 's64 in range');
    this.bigEndian(BigInt.asUintN(64, value), 8);
  }

  bytes(bytes: Uint8Array): void {
    this.#parts.push(bytes);
  }

  /** BOLT 1, BigSize. */
  bigsize(value: bigint): void {
    if (value < 0xfdn) this.bigEndian(value, 1);
    else if (value <= 0xffffn) this.#prefixed(0xfd, value, 2);
    else if (value <= 0xffff_ffffn) this.#prefixed(0xfe, value, 4);
    else this.#prefixed(0xff, value, 8);
  }

  /** BOLT 1, tu16 to tu64: big endian without leading zeros; zero takes no byte at all. */
  truncated(value: bigint, most: number): void {
    assert(value >= 0n && value <= MAX_U64, 'truncated integer in range');
    let length = 0;
    while (length < 8 && value >> BigInt(8 * length) > 0n) length++;
    assert(length <= most, `truncated integer of at most ${most} bytes`);
    this.bigEndian(value, length);
  }

  /** An unsigned integer of exactly `length` bytes. */
  bigEndian(value: bigint, length: number): void {
    assert(value >= 0n && value < 1n << BigInt(8 * length), `integer fits ${length} bytes`);
    const out = new Uint8Array(length);
    let rest = value;
    for (let i = length - 1; i >= 0; i--) {
      out[i] = Number(rest & 0xffn);
      rest >>= 8n;
    }
    this.#parts.push(out);
  }

  /** Everything written so far, as one array. */
  finish(): Uint8Array {
    return concat(...this.#parts);
  }

  #prefixed(prefix: number, value: bigint, length: number): void {
    this.#parts.push(Uint8Array.of(prefix));
    this.bigEndian(value, length);
  }
}
