import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../worker/engine/primitives/bytes.ts';
import { decodeMessage, encodeMessage } from '../../../worker/engine/wire/message.ts';
import {
  channelPosition,
  decodeShortChannelIds,
  decodeTimestamps,
  encodeShortChannelIds,
  formatShortChannelId,
  parseShortChannelId,
  shortChannelId,
} from '../../../worker/engine/wire/short-channel-id.ts';
import queries from '../../vectors/bolt07-extended-queries.json' with { type: 'json' };
import positions from '../../vectors/bolt07-short-channel-id.json' with { type: 'json' };

describe('short channel id', () => {
  it.each(positions)('$text', ({ text, value, blockHeight, transactionIndex, outputIndex }) => {
    const position = { blockHeight, transactionIndex, outputIndex };
    expect(shortChannelId(position)).toBe(BigInt(value));
    expect(channelPosition(BigInt(value))).toEqual(position);
    expect(formatShortChannelId(BigInt(value))).toBe(text);
    expect(parseShortChannelId(text)).toBe(BigInt(value));
  });

  it.each(['', '1x2', '1x2x3x4', '16777216x0x0', '0x16777216x0', '0x0x65536', '-1x0x0', '1x 2x3'])(
    '"%s" is refused',
    (text) => {
      expect(() => parseShortChannelId(text)).toThrow('is not a short channel id');
    },
  );
});

describe('extended queries', () => {
  it.each(queries)('$kind $message', (row) => {
    const message = decodeMessage(fromHex(row.message));
    expect(message.kind).toBe(row.kind);
    if (message.kind === 'unknown') throw new Error('unknown message');
    expect(toHex(encodeMessage(message))).toBe(row.message);
    if (message.kind === 'query_channel_range' || message.kind === 'reply_channel_range') {
      expect(toHex(message.chainHash)).toBe(row.chainHash);
      expect(message.firstBlocknum).toBe(row.firstBlocknum);
      expect(message.numberOfBlocks).toBe(row.numberOfBlocks);
    }
    if (message.kind === 'query_channel_range') {
      const expected = row.queryOption === undefined ? {} : { queryOption: BigInt(row.queryOption) };
      expect(message.tlvs).toEqual(expected);
    }
    if (message.kind === 'reply_channel_range') {
      const checksums = message.tlvs.checksumsTlv?.map((pair) => [pair.checksumNodeId1, pair.checksumNodeId2]);
      expect(checksums).toEqual(row.checksums);
    }
  });

  it.each(queries.filter((row) => row.shortChannelIds !== undefined))('ids of $message', (row) => {
    const message = decodeMessage(fromHex(row.message));
    if (!('encodedShortIds' in message)) throw new Error('message without ids');
    const encoded = message.encodedShortIds;
    if (row.zlib) return expect(() => decodeShortChannelIds(encoded)).toThrow('lists are not encoded as 1');
    const ids = decodeShortChannelIds(encoded);
    expect(ids.map(formatShortChannelId)).toEqual(row.shortChannelIds);
    expect(encodeShortChannelIds(ids)).toEqual(encoded);
  });

  it.each(queries.filter((row) => row.timestamps !== undefined))('timestamps of $message', (row) => {
    const message = decodeMessage(fromHex(row.message));
    if (message.kind !== 'reply_channel_range') throw new Error('not reply_channel_range');
    const { encodingType = -1, encodedTimestamps = new Uint8Array() } = message.tlvs.timestampsTlv ?? {};
    const decoded = () => decodeTimestamps(encodingType, encodedTimestamps);
    if (row.timestampsZlib) return expect(decoded).toThrow('lists are not encoded as 1');
    expect(decoded().map((pair) => [pair.timestampNodeId1, pair.timestampNodeId2])).toEqual(row.timestamps);
  });
});
