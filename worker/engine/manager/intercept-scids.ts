import { hmacSha256 } from '../primitives/hash.ts';
import { channelPosition, shortChannelId } from '../wire/short-channel-id.ts';
import { ByteReader } from '../wire/reader.ts';
import { ByteWriter } from '../wire/writer.ts';

/** Where blocks and transactions of real channels are: the names must not look different from theirs. */
const BLOCKS = 800_000;
const TRANSACTIONS = 2_500;

/**
 * Names of channels that there are not: a payment that is to go over one is held for the app. A name shows by its last two bytes that
 * it was made with this key, so that it is known after any restart, and after a restore, without being stored.
 */
export class InterceptScids {
  readonly #key: Uint8Array;

  /** 32 bytes, derived from the seed. */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** A new name, from 32 fresh random bytes. */
  make(random: Uint8Array): bigint {
    const reader = new ByteReader(random);
    const [blockHeight, transactionIndex] = [1 + (reader.u32() % BLOCKS), 1 + (reader.u32() % TRANSACTIONS)];
    return shortChannelId({ blockHeight, transactionIndex, outputIndex: this.#tag(blockHeight, transactionIndex) });
  }

  /** Whether it is one of ours; of other numbers one in 65,536 looks so. */
  has(scid: bigint): boolean {
    const { blockHeight, transactionIndex, outputIndex } = channelPosition(scid);
    return this.#tag(blockHeight, transactionIndex) === outputIndex;
  }

  #tag(blockHeight: number, transactionIndex: number): number {
    const writer = new ByteWriter();
    writer.u32(blockHeight);
    writer.u32(transactionIndex);
    return new ByteReader(hmacSha256(this.#key, writer.finish())).u16();
  }
}
