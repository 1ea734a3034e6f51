import type { Timers } from '../../edges/transport/timers.ts';
import { GlowwormError } from '../../engine/primitives/errors.ts';
import { recordsBelow, type StoredRecords } from '../../engine/primitives/store.ts';
import { readable } from '../../engine/wire/stored-record.ts';
import type { PeerConfig, PeerSummary } from '../api.ts';
import { decodePeer, peerKey } from '../wallet-records.ts';
import type { PeerConnections } from './peer-connections.ts';

export interface AdmissionParts {
  readonly connections: PeerConnections;
  readonly timers: Timers;
  readonly log: (line: string) => void;
}

/** So long the last height that was known is good enough. */
const BLIND_MS = 30 * 60_000;

/**
 * Who our peers are, and when we meet them: only while the height is known. An HTLC that is taken by an old one could
 * expire before it can be claimed, and one that is sent by it would be refused.
 */
export class PeerAdmission {
  readonly #parts: AdmissionParts;
  readonly #known = new Map<string, PeerConfig>();
  /** Left by the owner: they stay known, and are met again at the next start or when the owner wants them. */
  readonly #left = new Set<string>();
  /** The chain was reached in this run, and not too long ago. */
  #isOpen = false;
  /** When the chain was last heard of, in milliseconds since 1970. */
  #chainSeenAt = 0;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /** The peers of earlier runs, and those of the configuration, which counts where both have one. */
  load(records: StoredRecords, configured: readonly PeerConfig[]): void {
    for (const [nodeId, bytes] of recordsBelow(records, peerKey(''))) {
      const peer = readable(() => decodePeer(nodeId, bytes));
      if (peer === undefined) this.#parts.log(`the record of the peer ${nodeId} is damaged`);
      else this.#known.set(nodeId, peer);
    }
    for (const peer of configured) this.#known.set(peer.nodeId.toLowerCase(), lowerCase(peer));
  }

  /** Whether peers are met now. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Whether its channels may be used before they confirm. */
  trusts(nodeId: string): boolean {
    return this.#known.get(nodeId)?.trustedForZeroConf === true;
  }

  /**
   * Stays connected with a peer from now on; answers what to know of it in later runs. Trust that is not mentioned stays as
   * it was. Throws `NodeIdInvalid`.
   */
  connect(peer: PeerConfig): PeerConfig {
    const { connections } = this.#parts;
    connections.checkNodeId(peer.nodeId);
    const { nodeId, address, trustedForZeroConf } = lowerCase(peer);
    const known = { nodeId, address, trustedForZeroConf: trustedForZeroConf ?? this.trusts(nodeId) };
    this.#known.set(nodeId, known);
    this.#left.delete(nodeId);
    if (this.#isOpen) connections.add(known);
    return known;
  }

  /** Leaves a peer until the next start, or until it is wanted again. Throws `PeerUnknown`. */
  disconnect(nodeId: string): void {
    this.#checkKnown(nodeId);
    this.#left.add(nodeId);
    this.#parts.connections.remove(nodeId);
  }

  /** Leaves a peer for good. Throws `PeerUnknown`. */
  forget(nodeId: string): void {
    this.disconnect(nodeId);
    this.#known.delete(nodeId);
    this.#left.delete(nodeId);
  }

  /** All that are known, in the order in which they became so. */
  summaries(): readonly Omit<PeerSummary, 'forgettable'>[] {
    const statuses = new Map(this.#parts.connections.statuses().map((status) => [status.nodeId, status]));
    return [...this.#known.values()].map(({ nodeId, address }) => ({
      ...(statuses.get(nodeId) ?? { nodeId, state: 'disconnected' }),
      address,
      trustedForZeroConf: this.trusts(nodeId),
    }));
  }

  /** The chain has answered. */
  chainSeen(): void {
    this.#chainSeenAt = this.#parts.timers.now();
  }

  /** The height is known: peers are met. */
  chainKnown(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    for (const peer of this.#known.values()) if (!this.#left.has(peer.nodeId)) this.#add(peer);
  }

  /** Without the chain for so long, the height is not known any more: also after a sleep, before anything else happens. */
  leaveIfBlind(): void {
    if (!this.#isOpen || this.#parts.timers.now() - this.#chainSeenAt <= BLIND_MS) return;
    this.#parts.log('the chain was not reached for too long: peers are left until it is');
    this.#isOpen = false;
    for (const nodeId of this.#known.keys()) this.#parts.connections.remove(nodeId);
  }

  /** A peer of a record or of the configuration, whose node id nobody has checked yet. */
  #add(peer: PeerConfig): void {
    try {
      this.#parts.connections.add(peer);
    } catch (error) {
      this.#parts.log(`peer ${peer.nodeId.slice(0, 8)}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #checkKnown(nodeId: string): void {
    if (!this.#known.has(nodeId))
      throw new GlowwormError('PeerUnknown', 'There is no such peer. Connect to it first.', { nodeId });
  }
}

const lowerCase = (peer: PeerConfig): PeerConfig => ({ ...peer, nodeId: peer.nodeId.toLowerCase() });
