import { GlowwormError, assert } from '../primitives/errors.ts';
import { ByteReader } from './reader.ts';
import { WireError } from './wire-error.ts';
import { ByteWriter } from './writer.ts';

/** Where a funding output is in the chain (BOLT 7, Definition of short_channel_id). */
export interface ChannelPosition {
  /** 24 bits. */
  readonly blockHeight: number;
  /** 24 bits. */
  readonly transactionIndex: number;
  /** 16 bits. */
  readonly outputIndex: number;
}

/** Packs a position into the u64 of the wire. Throws `InvariantBroken` when a part does not fit. */
export function shortChannelId({ blockHeight, transactionIndex, outputIndex }: ChannelPosition): bigint {
  assert(fits(blockHeight, 24) && fits(transactionIndex, 24) && fits(outputIndex, 16), 'short_channel_id in range');
  return (BigInt(blockHeight) << 40n) | (BigInt(transactionIndex) << 16n) | BigInt(outputIndex);
}

export function channelPosition(scid: bigint): ChannelPosition {
  return {
    blockHeight: Number(scid >> 40n),
    transactionIndex: Number((scid >> 16n) & 0xff_ffffn),
    outputIndex: Number(scid & 0xffffn),
  };
}

/** `539268x845x1` */
export function formatShortChannelId(scid: bigint): string {
  const { blockHeight, transactionIndex, outputIndex } = channelPosition(scid);
  return `${blockHeight}x${transactionIndex}x${outputIndex}`;
}

/** The reverse of `formatShortChannelId`. Throws `ShortChannelIdMalformed`. */
export function parseShortChannelId(text: string): bigint {
  const match = /^(\d{1,8})x(\d{1,8})x(\d{1,5})$/.exec(text);
  const [blockHeight = -1, transactionIndex = -1, outputIndex = -1] = match?.slice(1).map(Number) ?? [];
  if (!fits(blockHeight, 24) || !fits(transactionIndex, 24) || !fits(outputIndex, 16))
    throw new GlowwormError('ShortChannelIdMalformed', `${text} is not a short channel id such as 539268x845x1`);
  return shortChannelId({ blockHeight, transactionIndex, outputIndex });
}

/** The only encoding of BOLT 7's lists: uncompressed. The zlib one (1) is forbidden. */
const UNCOMPRESSED = 0;

/** Reads the `encoded_short_ids` of a gossip query. Throws `WireError`, also for zlib. */
export function decodeShortChannelIds(encoded: Uint8Array): readonly bigint[] {
  const reader = new ByteReader(encoded);
  refuseCompressed(reader.u8());
  const scids: bigint[] = [];
  while (reader.remaining > 0) scids.push(reader.u64());
  return scids;
}

export function encodeShortChannelIds(scids: readonly bigint[]): Uint8Array {
  const writer = new ByteWriter();
  writer.u8(UNCOMPRESSED);
  for (const scid of scids) writer.u64(scid);
  return writer.finish();
}

/** When each direction of a channel was last updated; seconds since 1970, 0 for never. */
export interface ChannelUpdateTimestamps {
  readonly timestampNodeId1: number;
  readonly timestampNodeId2: number;
}

/** Reads the `timestamps_tlv` of reply_channel_range after its encoding byte. Throws `WireError`. */
export function decodeTimestamps(encodingType: number, encoded: Uint8Array): readonly ChannelUpdateTimestamps[] {
  refuseCompressed(encodingType);
  const reader = new ByteReader(encoded);
  const timestamps: ChannelUpdateTimestamps[] = [];
  while (reader.remaining > 0) timestamps.push({ timestampNodeId1: reader.u32(), timestampNodeId2: reader.u32() });
  return timestamps;
}

function refuseCompressed(encoding: number): void {
  if (encoding !== UNCOMPRESSED) throw new WireError('unknownEncoding', `lists are not encoded as ${encoding}`);
}

const fits = (value: number, bits: number): boolean => Number.isInteger(value) && value >= 0 && value < 2 ** bits;
