import { fromUtf8 } from '../primitives/bytes.ts';
import { UndoableMap, type UndoLog } from '../primitives/undo-log.ts';
import type { FeatureSet } from '../wire/features.ts';
import type { Message } from '../wire/message.ts';
import type { Turn } from './turn.ts';

/** A peer's newest connection. */
export interface Peer {
  readonly connectionId: number;
  readonly features: FeatureSet;
}

/** The peers that are connected, and what the running turn says to them; to others nothing is said. */
export class PeerTable {
  readonly #turn: () => Turn;
  readonly #peers: UndoableMap<string, Peer>;

  constructor(turn: () => Turn, undo: () => UndoLog | undefined) {
    this.#turn = turn;
    this.#peers = new UndoableMap(undo);
  }

  get(nodeId: string): Peer | undefined {
    return this.#peers.get(nodeId);
  }

  add(nodeId: string, peer: Peer): void {
    this.#peers.set(nodeId, peer);
  }

  remove(nodeId: string): void {
    this.#peers.delete(nodeId);
  }

  send(nodeId: string, message: Message): void {
    const connectionId = this.#peers.get(nodeId)?.connectionId;
    if (connectionId !== undefined) this.#turn().leave({ kind: 'send', nodeId, connectionId, message });
  }

  sendError(nodeId: string, channelId: Uint8Array, reason: string): void {
    this.send(nodeId, { kind: 'error', channelId, data: fromUtf8(reason), tlvs: {} });
  }

  sendWarning(nodeId: string, channelId: Uint8Array, reason: string): void {
    this.send(nodeId, { kind: 'warning', channelId, data: fromUtf8(reason), tlvs: {} });
  }

  disconnect(nodeId: string, reason: string): void {
    const connectionId = this.#peers.get(nodeId)?.connectionId;
    if (connectionId !== undefined) this.#turn().leave({ kind: 'disconnect', nodeId, connectionId, reason });
  }
}
