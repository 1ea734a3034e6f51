import { assert } from '../primitives/errors.ts';

/** Writes Bitcoin's little-endian encodings front to back into bytes that were counted before: an array for each number is slow. */
export class CountedWriter {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(length: number) {
    this.#bytes = new Uint8Array(length);
    this.#view = new DataView(this.#bytes.buffer);
  }

  u8(value: number): void {
    this.#view.setUint8(this.#advance(1), value);
  }

  u32(value: number): void {
    this.#view.setUint32(this.#advance(4), value, true);
  }

  u64(value: bigint): void {
    this.#view.setBigUint64(this.#advance(8), value, true);
  }

  compactSize(value: number): void {
    if (value < 0xfd) return this.u8(value);
    if (value > 0xffff) {
      this.u8(0xfe);
      return this.u32(value);
    }
    this.u8(0xfd);
    this.#view.setUint16(this.#advance(2), value, true);
  }

  raw(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#advance(bytes.length));
  }

  /** Bytes preceded by their compact size. */
  sized(bytes: Uint8Array): void {
    this.compactSize(bytes.length);
    this.raw(bytes);
  }

  /** All of them. Throws `InvariantBroken` where there are fewer than were counted, as the other methods where there are more. */
  end(): Uint8Array {
    assert(this.#offset === this.#bytes.length, 'a transaction has the length that was counted');
    return this.#bytes;
  }

  #advance(length: number): number {
    const start = this.#offset;
    this.#offset += length;
    assert(this.#offset <= this.#bytes.length, 'a transaction has the length that was counted');
    return start;
  }
}

/** The bytes of a compact size. */
export function compactSizeLength(value: number): number {
  if (value < 0xfd) return 1;
  return value <= 0xffff ? 3 : 5;
}

/** The bytes of some that are preceded by their compact size. */
export const sizedLength = ({ length }: Uint8Array): number => compactSizeLength(length) + length;
