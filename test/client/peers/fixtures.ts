import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { Message } from '../../../worker/engine/wire/message.ts';
import { peerAddress, peerId, setUp } from './fake-peer.ts';

export const zeroes = (length: number) => new Uint8Array(length);
export const channelId = zeroes(32).fill(5);
export const ping = (numPongBytes: number): Message => ({ kind: 'ping', numPongBytes, ignored: zeroes(0), tlvs: {} });
export const pong: Message = { kind: 'pong', ignored: zeroes(0), tlvs: {} };
export const stfu: Message = { kind: 'stfu', channelId, initiator: 0, tlvs: {} };
export const channelReady: Message = {
  kind: 'channel_ready',
  channelId,
  secondPerCommitmentPoint: zeroes(33).fill(2),
  tlvs: {},
};
export const said = (kind: 'error' | 'warning', text: string, about = channelId): Message => ({
  kind,
  channelId: about,
  data: utf8ToBytes(text),
  tlvs: {},
});

/** A peer was added: its connection is not open yet. */
export const start = (...args: Parameters<typeof setUp>) => {
  const all = setUp(...args);
  all.peers.add({ nodeId: peerId, address: peerAddress });
  return all;
};
/** A peer is connected, and what was sent to it so far is read. */
export const connected = (...args: Parameters<typeof setUp>) => {
  const all = start(...args);
  all.transport.latest.greet();
  all.transport.latest.read();
  return all;
};
