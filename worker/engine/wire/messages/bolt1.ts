/** BOLT 1: setup, control and peer storage. */
export const bolt1Messages = {
  warning: { type: 1, fields: { channelId: 'channelId', data: 'bytes' }, tlvs: {} },
  peer_storage: { type: 7, fields: { blob: 'bytes' }, tlvs: {} },
  peer_storage_retrieval: { type: 9, fields: { blob: 'bytes' }, tlvs: {} },
  init: {
    type: 16,
    fields: { globalfeatures: 'bytes', features: 'bytes' },
    tlvs: { networks: [1, { kind: 'rest', of: 'chainHash' }], remoteAddr: [3, 'remaining'] },
  },
  error: { type: 17, fields: { channelId: 'channelId', data: 'bytes' }, tlvs: {} },
  ping: { type: 18, fields: { numPongBytes: 'u16', ignored: 'bytes' }, tlvs: {} },
  pong: { type: 19, fields: { ignored: 'bytes' }, tlvs: {} },
} as const;
