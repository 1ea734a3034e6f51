import { fromHex, toHex } from '../../engine/primitives/bytes.ts';
import { assert, GlowwormError } from '../../engine/primitives/errors.ts';
import type { Secp256k1 } from '../../engine/primitives/secp256k1.ts';
import type { Message } from '../../engine/wire/message.ts';
import type { PeerAddress, PeerConfig, PeerStatus } from '../api.ts';
import type { PeerPorts } from './peer-connection.ts';
import { PeerConnection } from './peer-connection.ts';

/** The peers that we want to stay connected with, each by its node id (33 bytes, lower-case hex). */
export class PeerConnections {
  readonly #ports: PeerPorts;
  readonly #peers = new Map<string, PeerConnection>();
  #lastConnectionId = 0;
  #closed = false;

  constructor(ports: PeerPorts) {
    this.#ports = ports;
  }

  /**
   * Connects and stays connected. A peer that is there already is woken, or moves to its new address. Throws `NodeIdInvalid`;
   * an address that cannot be used shows in the peer's status.
   */
  add(peer: PeerConfig): void {
    assert(!this.#closed, 'the connections are not closed');
    const nodeId = checkedNodeId(this.#ports.secp, peer.nodeId);
    const nodeIdHex = toHex(nodeId);
    const known = this.#peers.get(nodeIdHex);
    if (known !== undefined && isSameAddress(known.address, peer.address)) return known.wake();
    this.remove(nodeIdHex);
    const connection = new PeerConnection(this.#ports, nodeId, peer.address, () => ++this.#lastConnectionId);
    this.#peers.set(nodeIdHex, connection);
    connection.wake();
  }

  /** Throws `NodeIdInvalid`. */
  checkNodeId(nodeIdHex: string): void {
    checkedNodeId(this.#ports.secp, nodeIdHex);
  }

  /** Disconnects for good. */
  remove(nodeIdHex: string): void {
    const connection = this.#peers.get(nodeIdHex);
    this.#peers.delete(nodeIdHex);
    connection?.close();
  }

  /** Drops the message when that connection is gone: what matters is sent again after `channel_reestablish`. */
  send(nodeIdHex: string, connectionId: number, message: Message): void {
    this.#peers.get(nodeIdHex)?.send(connectionId, message);
  }

  /** Ends that connection, if it is not gone, and makes a new one after the usual wait; `reason` goes to the log. */
  disconnect(nodeIdHex: string, connectionId: number, reason: string): void {
    this.#peers.get(nodeIdHex)?.disconnect(connectionId, reason);
  }

  /** After a sleep, or with a new network: waiting peers are tried now, and connected ones must show that they are there. */
  wake(): void {
    for (const connection of this.#peers.values()) connection.wake();
  }

  /** Time passes: connected peers that are quiet must show that they are there. To be called about once a second. */
  timerTick(): void {
    for (const connection of this.#peers.values()) connection.timerTick();
  }

  /** Disconnects from everybody; nothing can be added any more. */
  close(): void {
    this.#closed = true;
    for (const nodeIdHex of this.#peers.keys()) this.remove(nodeIdHex);
  }

  statuses(): readonly PeerStatus[] {
    return [...this.#peers.values()].map(({ status }) => status);
  }
}

function checkedNodeId(secp: Secp256k1, hex: string): Uint8Array {
  if (/^[0-9a-f]{66}$/i.test(hex)) {
    const nodeId = fromHex(hex);
    if (secp.isPoint(nodeId)) return nodeId;
  }
  throw new GlowwormError('NodeIdInvalid', 'This is not a node id: it must be 66 hex digits that stand for a key.');
}

function isSameAddress(a: PeerAddress, b: PeerAddress): boolean {
  if (a.kind === 'websocket') return b.kind === 'websocket' && a.url === b.url;
  if (b.kind === 'websocket') return false;
  return a.kind === b.kind && a.proxyUrl === b.proxyUrl && a.host === b.host && a.port === b.port;
}
