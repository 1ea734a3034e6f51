import { WebSocketTransport } from '../../edges/transport/websocket-transport.ts';
import type { KeysManager } from '../../engine/keys/keys-manager.ts';
import { isUnfunded } from '../../engine/manager/channel-entry.ts';
import type { ChannelManager } from '../../engine/manager/channel-manager.ts';
import type { InboundChannelRule } from '../../engine/manager/manager-context.ts';
import type { Effect } from '../../engine/manager/turn.ts';
import { GlowwormError } from '../../engine/primitives/errors.ts';
import type { Secp256k1 } from '../../engine/primitives/secp256k1.ts';
import type { StoredRecords } from '../../engine/primitives/store.ts';
import type { PeerConfig, PeerStatus, PeerSummary, WalletConfig } from '../api.ts';
import { chainHashOf } from '../chain-hash.ts';
import type { NodeTurns } from '../node-turns.ts';
import type { WalletPlatform } from '../platform.ts';
import { encodePeer, peerKey } from '../wallet-records.ts';
import { localFeatures } from './local-features.ts';
import { PeerAdmission } from './peer-admission.ts';
import type { PeerHandlers } from './peer-connection.ts';
import { PeerConnections } from './peer-connections.ts';

export interface PeerManagerParts {
  readonly config: WalletConfig;
  readonly platform: WalletPlatform;
  readonly secp: Secp256k1;
  readonly keys: KeysManager;
  readonly manager: ChannelManager;
  readonly turns: NodeTurns;
  /** All that are stored. */
  readonly records: StoredRecords;
  /** Something that a snapshot shows has changed. */
  readonly changed: () => void;
  readonly log: (line: string) => void;
}

/** The peers of a node: who they are, when they are met, and what they say, each time in a turn. */
export class PeerManager {
  readonly #parts: PeerManagerParts;
  readonly #connections: PeerConnections;
  readonly #admission: PeerAdmission;

  constructor(parts: PeerManagerParts) {
    const { config, platform, secp, keys, records, log } = parts;
    this.#parts = parts;
    this.#connections = new PeerConnections({
      secp,
      staticKey: keys,
      entropy: platform.entropy,
      transport: new WebSocketTransport(platform),
      timers: platform.timers,
      localFeatures,
      chainHash: chainHashOf(config.network),
      handlers: this.#handlers(),
    });
    this.#admission = new PeerAdmission({ connections: this.#connections, timers: platform.timers, log });
    this.#admission.load(records, config.peers ?? []);
  }

  /** Those that we want to be connected with now. */
  statuses(): readonly PeerStatus[] {
    return this.#connections.statuses();
  }

  /** All that are known, in the order in which they became so. */
  summaries(): readonly PeerSummary[] {
    const { manager } = this.#parts;
    return this.#admission.summaries().map((peer) => ({ ...peer, forgettable: !manager.needsPeer(peer.nodeId) }));
  }

  /** As `WalletApi.connectPeer`. */
  async connect(peer: PeerConfig): Promise<void> {
    const { manager, turns } = this.#parts;
    const known = this.#admission.connect(peer);
    await turns.durably(() => {
      manager.record(peerKey(known.nodeId), encodePeer(known));
      manager.retryChannels(known.nodeId);
    });
  }

  /** As `WalletApi.disconnectPeer`. */
  disconnect(nodeId: string): void {
    this.#admission.disconnect(nodeId);
    this.#parts.changed();
  }

  /** As `WalletApi.forgetPeer`. */
  async forget(nodeId: string): Promise<void> {
    const { manager, turns } = this.#parts;
    const message =
      'There is a channel with this peer whose close is not in the chain: it may need the peer. Until then you can disconnect.';
    if (manager.needsPeer(nodeId)) throw new GlowwormError('PeerHasChannels', message, { nodeId });
    this.#admission.forget(nodeId);
    await turns.durably(() => manager.record(peerKey(nodeId), undefined));
  }

  /** Whether its channels may be used before they confirm. */
  trusts(nodeId: string): boolean {
    return this.#admission.trusts(nodeId);
  }

  /** What becomes of a channel that a peer wants to open. */
  inboundChannelRule(nodeId: string): InboundChannelRule {
    const { inboundChannels: rule = 'all', peers = [] } = this.#parts.config;
    if (rule !== 'knownPeers') return rule === 'ask' ? 'ask' : 'accept';
    const isConfigured = peers.some((peer) => peer.nodeId.toLowerCase() === nodeId);
    const hasChannel = this.#parts.manager
      .channels()
      .some((entry) => entry.nodeId === nodeId && entry.state.kind === 'open' && !isUnfunded(entry.state));
    return isConfigured || hasChannel ? 'accept' : 'refuse';
  }

  /** Drops the message when that connection is gone. */
  send({ nodeId, connectionId, message }: Extract<Effect, { kind: 'send' }>): void {
    this.#connections.send(nodeId, connectionId, message);
  }

  /** Ends that connection, if it is not gone, and makes a new one after the usual wait. */
  endConnection({ nodeId, connectionId, reason }: Extract<Effect, { kind: 'disconnect' }>): void {
    this.#connections.disconnect(nodeId, connectionId, reason);
  }

  /** Whether peers are met now. */
  get areMet(): boolean {
    return this.#admission.isOpen;
  }

  /** The chain has answered. */
  chainSeen(): void {
    this.#admission.chainSeen();
  }

  /** The height is known: peers are met. */
  chainKnown(): void {
    this.#admission.chainKnown();
  }

  /** Time passes: without the chain peers are left, and so are those that do not answer. To be called about once a second. */
  timerTick(): void {
    this.#admission.leaveIfBlind();
    this.#connections.timerTick();
  }

  /** After a sleep, or with a new network. */
  wake(): void {
    this.#connections.wake();
  }

  /** Disconnects from everybody, for good. */
  close(): void {
    this.#connections.close();
  }

  #handlers(): PeerHandlers {
    const { manager, turns, changed, log } = this.#parts;
    return {
      connected: (nodeId, connectionId, features) =>
        this.#heard(() => manager.peerConnected(nodeId, connectionId, features)),
      disconnected: (nodeId, connectionId) =>
        turns.guarded(() => turns.turn(() => manager.peerDisconnected(nodeId, connectionId))),
      message: (nodeId, connectionId, message) => this.#heard(() => manager.receive(nodeId, connectionId, message)),
      status: changed,
      log,
    };
  }

  /** Throws what `work` throws: what a peer said and we could not take is taken up again on a new connection. */
  #heard(work: () => void): void {
    const { turns } = this.#parts;
    this.#admission.leaveIfBlind();
    if (!this.#admission.isOpen) return;
    try {
      turns.turn(work);
    } catch (error) {
      turns.report(error);
      throw error;
    }
  }
}
