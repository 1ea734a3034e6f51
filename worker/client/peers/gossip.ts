import type { DecodeResult, MessageKind } from '../../engine/wire/message.ts';
import { messageDefinitions } from '../../engine/wire/message.ts';

/** What of BOLT 7 this wallet has no use for: it offers no `gossip_queries` and announces no channel. */
const unused: readonly MessageKind[] = [
  'channel_announcement',
  'node_announcement',
  'announcement_signatures',
  'query_short_channel_ids',
  'reply_short_channel_ids_end',
  'query_channel_range',
  'reply_channel_range',
  'gossip_timestamp_filter',
];

const unusedTypes = new Set(unused.map((kind) => messageDefinitions[kind].type));

/** Told by the type alone: gossip comes by the thousand and is not worth decoding. */
export const isUnusedGossip = (bytes: Uint8Array): boolean => unusedTypes.has(((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0));

/**
 * Whether a message shows that the peer is at work for us. Gossip can come from its buffers for hours, so can what we do
 * not know: a peer that sends nothing else is asked by a ping.
 */
export const isSignOfLife = (kind: DecodeResult['kind']): boolean => kind !== 'channel_update' && kind !== 'unknown';
