/** BOLT 4: onion messages. */
export const bolt4Messages = {
  onion_message: { type: 513, fields: { pathKey: 'point', onionMessagePacket: 'bytes' }, tlvs: {} },
} as const;
