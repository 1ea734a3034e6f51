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
  /** Peers whose connection the engine has ended: it is there until that is durable, and what it brings meanwhile is void. */
  readonly #ended: UndoableMap<string, Peer>;

  constructor(turn: () => Turn, undo: () => UndoLog | undefined) {
    this.#turn = turn;
    this.#peers = new UndoableMap(undo);
    this.#ended = new UndoableMap(undo);
  }

  get(nodeId: string): Peer | undefined {
    return this.#peers.get(nodeId);
  }

  /** The peer, if this is its connection and nothing has ended it. */
  listening(nodeId: string, connectionId: number): Peer | undefined {
    const peer = this.#peers.get(nodeId);
    return peer?.connectionId === connectionId && this.#ended.get(nodeId) !== peer ? peer : undefined;
  }

  add(nodeId: string, peer: Peer): void {
    this.#peers.set(nodeId, peer);
  }

  remove(nodeId: string): void {
    this.#peers.delete(nodeId);
    this.#ended.delete(nodeId);
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

  /** Ends the connection, and begins a new one: nothing that the present one still brings is taken. */
  disconnect(nodeId: string, reason: string): void {
    const peer = this.#peers.get(nodeId);
    if (peer === undefined) return;
    this.#ended.set(nodeId, peer);
    this.#turn().leave({ kind: 'disconnect', nodeId, connectionId: peer.connectionId, reason });
  }
}
