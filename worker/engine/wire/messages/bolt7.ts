/** BOLT 7: announcements and gossip queries. */
export const bolt7Messages = {
  channel_announcement: {
    type: 256,
    fields: {
      nodeSignature1: 'signature',
      nodeSignature2: 'signature',
      bitcoinSignature1: 'signature',
      bitcoinSignature2: 'signature',
      features: 'bytes',
      chainHash: 'chainHash',
      shortChannelId: 'shortChannelId',
      nodeId1: 'point',
      nodeId2: 'point',
      bitcoinKey1: 'point',
      bitcoinKey2: 'point',
    },
    tlvs: {},
  },
  node_announcement: {
    type: 257,
    fields: {
      signature: 'signature',
      features: 'bytes',
      timestamp: 'u32',
      nodeId: 'point',
      rgbColor: { kind: 'fixed', length: 3 },
      alias: { kind: 'fixed', length: 32 },
      addresses: 'bytes',
    },
    tlvs: {},
  },
  channel_update: {
    type: 258,
    fields: {
      signature: 'signature',
      chainHash: 'chainHash',
      shortChannelId: 'shortChannelId',
      timestamp: 'u32',
      messageFlags: 'u8',
      channelFlags: 'u8',
      cltvExpiryDelta: 'u16',
      htlcMinimumMsat: 'u64',
      feeBaseMsat: 'u32',
      feeProportionalMillionths: 'u32',
      htlcMaximumMsat: 'u64',
    },
    // bLIP 18, as lnd sends it: what its signature covers has to be kept as it came.
    tlvs: { inboundFees: [55_555, 'remaining'] },
  },
  announcement_signatures: {
    type: 259,
    fields: {
      channelId: 'channelId',
      shortChannelId: 'shortChannelId',
      nodeSignature: 'signature',
      bitcoinSignature: 'signature',
    },
    tlvs: {},
  },
  query_short_channel_ids: {
    type: 261,
    fields: { chainHash: 'chainHash', encodedShortIds: 'bytes' },
    tlvs: { queryFlags: [1, { kind: 'struct', fields: { encodingType: 'u8', encodedQueryFlags: 'remaining' } }] },
  },
  reply_short_channel_ids_end: { type: 262, fields: { chainHash: 'chainHash', fullInformation: 'u8' }, tlvs: {} },
  query_channel_range: {
    type: 263,
    fields: { chainHash: 'chainHash', firstBlocknum: 'u32', numberOfBlocks: 'u32' },
    tlvs: { queryOption: [1, 'bigsize'] },
  },
  reply_channel_range: {
    type: 264,
    fields: {
      chainHash: 'chainHash',
      firstBlocknum: 'u32',
      numberOfBlocks: 'u32',
      syncComplete: 'u8',
      encodedShortIds: 'bytes',
    },
    tlvs: {
      timestampsTlv: [1, { kind: 'struct', fields: { encodingType: 'u8', encodedTimestamps: 'remaining' } }],
      checksumsTlv: [
        3,
        { kind: 'rest', of: { kind: 'struct', fields: { checksumNodeId1: 'u32', checksumNodeId2: 'u32' } } },
      ],
    },
  },
  gossip_timestamp_filter: {
    type: 265,
    fields: { chainHash: 'chainHash', firstTimestamp: 'u32', timestampRange: 'u32' },
    tlvs: {},
  },
} as const;
