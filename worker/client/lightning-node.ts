import type { ChainUpdate } from '../edges/chain/chain-update.ts';
import type { ChainParameters } from '../edges/chain/chain-parameters.ts';
import { WatchList } from '../edges/chain/watch-list.ts';
import type { Store } from '../edges/storage/store.ts';
import { WebSocketTransport } from '../edges/transport/websocket-transport.ts';
import { GlowwormError } from '../engine/primitives/errors.ts';
import { nobleSecp256k1, type Secp256k1 } from '../engine/primitives/secp256k1.ts';
import { recordsBelow, type StoreWrites } from '../engine/primitives/store.ts';
import { defaultChannelConfig } from '../engine/channel/channel-config.ts';
import { KeysManager } from '../engine/keys/keys-manager.ts';
import { mnemonicSeed } from '../engine/keys/mnemonic.ts';
import { ChannelManager } from '../engine/manager/channel-manager.ts';
import { isUnfunded } from '../engine/manager/channel-entry.ts';
import type { EngineEvent } from '../engine/manager/engine-event.ts';
import type { RecordsOrigin } from '../engine/manager/reconciliation.ts';
import type { InboundChannelRule } from '../engine/manager/manager-context.ts';
import type { Effect, TurnResult } from '../engine/manager/turn.ts';
import { Descriptors } from '../engine/wallet/descriptors.ts';
import { decodeWallet } from '../engine/wallet/wallet-record.ts';
import { OnchainWallet } from '../engine/wallet/wallet.ts';
import type { FeatureSet } from '../engine/wire/features.ts';
import type { Message } from '../engine/wire/message.ts';
import { readable } from '../engine/wire/stored-record.ts';
import type { NetworkName, PeerConfig, PeerSummary, WalletConfig } from './api.ts';
import { HeaderStore } from './header-store.ts';
import { ChannelActivity, NO_NEWS } from './channel-activity.ts';
import { chainHashOf } from './chain-hash.ts';
import { ChainFollower } from './chain-follower.ts';
import { ChainUpdates } from './chain-updates.ts';
import { configuredChain } from './configured-chain.ts';
import { Committer } from './committer.ts';
import { AddressLabels } from './address-labels.ts';
import { NodePayer } from './node-payer.ts';
import { OnchainPayments } from './onchain-payments.ts';
import { reserveSat } from './onchain-reserve.ts';
import { sentKey } from './onchain-send.ts';
import { localFeatures } from './peers/local-features.ts';
import { PeerAdmission } from './peers/peer-admission.ts';
import { PeerConnections } from './peers/peer-connections.ts';
import type { WalletPlatform } from './platform.ts';
import { ReceivedPayments, type BlockNews } from './received-payments.ts';
import { RefusedPayments } from './refused-payments.ts';
import { SentPayments, type PaymentRows } from './sent-payments.ts';
import { Wakefulness } from './wakefulness.ts';
import { WatchedScripts } from './watched-scripts.ts';
import {
  channelRowKey,
  decodeFeerates,
  encodeFeerates,
  encodePeer,
  encodeWalletSecret,
  FEERATES_KEY,
  labelKey,
  peerKey,
  receivedKey,
  type NotedRow,
  WALLET_KEY,
  type WalletSecret,
} from './wallet-records.ts';

export interface NodeParts {
  readonly config: WalletConfig;
  readonly secret: WalletSecret;
  readonly platform: WalletPlatform;
  readonly store: Store;
  /** Where the store's records come from. */
  readonly origin: RecordsOrigin;
  readonly log: (line: string) => void;
  /** Something that a snapshot shows has changed. */
  readonly changed: () => void;
  readonly event: (event: EngineEvent) => void;
}

const COINS_KEY = 'coin/state';
const TICK_MS = 1_000;

/**
 * A wallet that exists, at work: the engine, and around it the store, the chain, the peers and the clock. Everything that
 * happens goes through `turn`.
 */
export class LightningNode {
  readonly secp: Secp256k1 = nobleSecp256k1;
  readonly keys: KeysManager;
  readonly wallet: OnchainWallet;
  readonly manager: ChannelManager;
  readonly peers: PeerConnections;
  readonly admission: PeerAdmission;
  readonly chain: ChainFollower;
  readonly payer: NodePayer;
  readonly payments: OnchainPayments;
  readonly sent: SentPayments;
  readonly received: ReceivedPayments;
  readonly labels: AddressLabels;
  readonly #parts: NodeParts;
  readonly #committer: Committer;
  readonly #watchList: WatchList = new WatchList();
  readonly #refused: RefusedPayments;
  readonly #updates: ChainUpdates;
  readonly #channelActivity: ChannelActivity;
  /** Something was written since the rows of channels were last looked at. */
  #rowsAreDue = true;
  /** The newest event whose commit has completed: one that is only noted may still be lost, and is told to nobody. */
  #durableEventId = 0;
  #problem: GlowwormError | undefined;
  readonly #scripts: WatchedScripts;
  readonly #headers: HeaderStore;
  #tick: unknown;
  /** As a page knows it. */
  #staleMinutes: number | undefined;
  readonly #awake = new Wakefulness();

  constructor(parts: NodeParts) {
    this.#parts = parts;
    const { config, platform, store, log } = parts;
    const { network } = config;
    const { records } = store;
    const seed = mnemonicSeed(parts.secret.mnemonic);
    this.keys = new KeysManager(this.secp, seed, network);
    const descriptors = new Descriptors(seed, network);
    const coins = this.#stored(COINS_KEY, decodeWallet);
    this.wallet = new OnchainWallet(this.secp, descriptors, coins);
    // What is damaged is found again from the words, as after a restore.
    this.#scripts = this.#watchedScripts(!parts.secret.searched || (coins === undefined && records.has(COINS_KEY)));
    const parameters = configuredChain(config);
    const toldHeight = this.wallet.state.bestHeight;
    this.#headers = new HeaderStore(parameters, records, toldHeight, (key) => this.#reportDamage(key));
    this.chain = this.#chainFollower(parameters);
    this.manager = this.#channelManager();
    this.#committer = this.#newCommitter();
    this.peers = this.#peerConnections();
    this.admission = new PeerAdmission({ connections: this.peers, timers: platform.timers, log });
    this.admission.load(records, config.peers ?? []);
    this.manager.load(records, parts.origin);
    const rows: PaymentRows = {
      undo: () => this.manager.undo,
      record: (key, value) => this.manager.record(key, value),
      log,
    };
    this.sent = new SentPayments(recordsBelow(records, sentKey('')), rows);
    this.received = new ReceivedPayments(recordsBelow(records, receivedKey('')), rows);
    this.labels = new AddressLabels(recordsBelow(records, labelKey('')), rows);
    this.#channelActivity = new ChannelActivity(recordsBelow(records, channelRowKey('')), this, rows);
    this.#durableEventId = this.manager.pendingEvents().at(-1)?.id ?? 0;
    this.manager.skipKeys(parts.secret.firstKeysIndex);
    const { secp, wallet, manager, chain, sent, received } = this;
    const turn = <T>(work: () => T): T => this.turn(work);
    const now = (): number => platform.timers.now();
    this.#refused = new RefusedPayments({ wallet, sent, turn, log });
    this.#updates = new ChainUpdates({ wallet, manager, sent, refused: this.#refused, received, turn, now });
    this.payer = new NodePayer({ network, secp, descriptors, wallet, manager, chain, sent });
    this.payments = new OnchainPayments({
      payer: this.payer,
      turn,
      durably: (work) => this.durably(work),
      soon: platform.soon,
      changed: parts.changed,
      now,
    });
  }

  get network(): NetworkName {
    return this.#parts.config.network;
  }

  /** The failure of storage that stopped everything. */
  get problem(): GlowwormError | undefined {
    return this.#problem;
  }

  /** Peers had a while to come back since the start, and what is known of the chain is what is there now. */
  get mayCloseAtDeadlines(): boolean {
    return this.#awake.isLong(this.#parts.platform.timers.now()) && this.chain.knowsChannels;
  }

  /** Resolves when what is done about the channels as they were read is durable, or is not going to be: see `problem`. */
  async start(): Promise<void> {
    this.#awake.note(this.#parts.platform.timers.now());
    // Only now: what the wallet learns later it has from the chain, or the chain has still to learn it from us.
    this.#scripts.start();
    this.#knowFundings();
    this.turn(() => {
      this.manager.bestBlockUpdated(this.chain.status.blockHeight);
      this.manager.resume();
    });
    this.chain.start();
    this.#scheduleTick();
    await this.#committer.settled().catch(() => undefined);
  }

  /** Those that are in a block need not be proven at every start. Without the headers that were told, nobody would notice that one left. */
  #knowFundings(): void {
    if (this.#headers.told === undefined) return;
    for (const { state } of this.manager.channels())
      if (state.kind === 'open' && state.funding.kind === 'confirmed')
        this.#watchList.knowTx(state.params.fundingTxid, state.funding.height);
  }

  async stop(): Promise<void> {
    this.#parts.platform.timers.clearTimeout(this.#tick);
    this.payments.stop();
    this.chain.stop();
    this.peers.close();
    this.#committer.flush();
    // What is under way may still become durable; a failure has been reported already.
    await this.#committer.settled().catch(() => undefined);
    this.#committer.stop();
  }

  /** Runs one input; what it changes is written, and what it sends leaves after that. Throws what `work` throws. */
  turn<T>(work: () => T): T {
    const { value, result } = this.#run(work);
    this.#committer.submit(result);
    if (result.writes.size > 0) this.#rowsAreDue = true;
    if (result.commitDue || result.writes.size > 0) this.#parts.changed();
    return value;
  }

  /** As `turn`, and resolves when the outcome is durable. Rejects with the error of the store when it can't be. */
  async durably<T>(work: () => T): Promise<T> {
    const value = this.turn(work);
    await this.#committer.settled();
    return value;
  }

  /** As `turn`, for what may be lost without harm: it is written with the next thing that is. */
  lazily(work: () => void): void {
    this.#committer.submitLazily(this.#run(work).result);
  }

  /** Durable and not acknowledged, oldest first. */
  pendingEvents(): readonly EngineEvent[] {
    return this.manager.pendingEvents().filter(({ id }) => id <= this.#durableEventId);
  }

  acknowledgeEvent(id: number): void {
    this.lazily(() => this.manager.acknowledgeEvent(id));
  }

  /** As `WalletApi.connectPeer`. */
  async connectPeer(peer: PeerConfig): Promise<void> {
    const known = this.admission.connect(peer);
    await this.durably(() => {
      this.manager.record(peerKey(known.nodeId), encodePeer(known));
      this.manager.retryChannels(known.nodeId);
    });
  }

  peerSummaries(): readonly PeerSummary[] {
    return this.admission.summaries().map((peer) => ({ ...peer, forgettable: !this.manager.needsPeer(peer.nodeId) }));
  }

  /** As `WalletApi.forgetPeer`. */
  async forgetPeer(nodeId: string): Promise<void> {
    const message =
      'There is a channel with this peer whose close is not in the chain: it may need the peer. Until then you can disconnect.';
    if (this.manager.needsPeer(nodeId)) throw new GlowwormError('PeerHasChannels', message, { nodeId });
    this.admission.forget(nodeId);
    await this.durably(() => this.manager.record(peerKey(nodeId), undefined));
  }

  /** What opening and closing channels moved and cost, in no order. */
  channelActivity(): readonly NotedRow[] {
    return this.#channelActivity.list(this.#parts.platform.timers.now());
  }

  /** As `WalletApi.wake`. */
  wake(): void {
    this.peers.wake();
    this.#scripts.look();
    this.chain.wake();
  }

  /** Addresses were handed out. */
  watchScripts(): void {
    this.#scripts.changed();
    this.chain.wake();
  }

  #watchedScripts(isSearching: boolean): WatchedScripts {
    return new WatchedScripts({
      wallet: this.wallet,
      watchList: this.#watchList,
      entropy: this.#parts.platform.entropy,
      others: [this.keys.destinationScript()],
      contested: () => this.sent.contested(),
      isHeardOut: () => this.chain.isHeardOut,
      isSearching,
    });
  }

  #chainFollower(parameters: ChainParameters): ChainFollower {
    const { config, platform, changed, log } = this.#parts;
    return new ChainFollower({
      network: config.network,
      parameters,
      esploraUrls: config.esploraUrls,
      requestsPer10s: config.requestsPer10s,
      platform,
      watchList: this.#watchList,
      headers: this.#headers,
      storedFeerates: this.#stored(FEERATES_KEY, decodeFeerates),
      onUpdate: (update, writes) => this.#chainUpdated(update, writes),
      onHeaders: (writes) => this.#guarded(() => this.turn(() => this.#record(writes))),
      onChannelsKnown: () => this.#channelsKnown(),
      onSynced: () => this.#synced(),
      onStatus: () => this.#chainStatusChanged(),
      onStanding: (txid, standing) => {
        this.#guarded(() => this.#refused.stands(txid, standing));
        changed();
      },
      onFeerates: (update, memories) =>
        this.#guarded(() =>
          this.turn(() => {
            this.manager.updateFeerates(update);
            if (memories !== undefined) this.manager.record(FEERATES_KEY, encodeFeerates(memories));
          }),
        ),
      log,
    });
  }

  #channelManager(): ChannelManager {
    const { config, platform, changed, log } = this.#parts;
    return new ChannelManager(
      {
        secp: this.secp,
        keys: this.keys,
        entropy: platform.entropy,
        wallet: this.wallet,
        filter: this.#watchList,
        config: defaultChannelConfig,
        forwarding: config.forwarding,
        interception: config.interception,
        interceptKey: this.keys.secretFor('intercept short_channel_id'),
        chainHash: chainHashOf(config.network),
        trustedForZeroConf: (nodeId) => this.admission.trusts(nodeId),
        inboundChannels: (nodeId) => this.#inboundChannelRule(nodeId),
        reserveSat,
        mayCloseAtDeadlines: () => this.mayCloseAtDeadlines,
        unsettledPayments: () => this.payer.unsettled(),
        isTipFresh: () => this.chain.staleness?.stopped !== true,
        channelFrozen: changed,
        log,
      },
      this.chain.feerates,
    );
  }

  #newCommitter(): Committer {
    const { store, platform } = this.#parts;
    return new Committer({
      target: store,
      soon: platform.soon,
      release: (effects) => effects.forEach((effect) => this.#guarded(() => this.#leave(effect))),
      endCommit: (updates) => this.manager.endCommit(platform.timers.now(), updates),
      completed: (updates) => {
        if (updates.length > 0)
          this.#guarded(() =>
            this.turn(() =>
              updates.forEach((done) => this.manager.channelMonitorUpdated(done.channelKey, done.updateId)),
            ),
          );
      },
      failed: (error) => this.#freeze(error),
      threw: (error) => this.#report(error),
    });
  }

  #peerConnections(): PeerConnections {
    const { config, platform, changed, log } = this.#parts;
    return new PeerConnections({
      secp: this.secp,
      staticKey: this.keys,
      entropy: platform.entropy,
      transport: new WebSocketTransport(platform),
      timers: platform.timers,
      localFeatures,
      chainHash: chainHashOf(config.network),
      handlers: {
        connected: (nodeId, connectionId, features) => this.#peerConnected(nodeId, connectionId, features),
        disconnected: (nodeId, connectionId) =>
          this.#guarded(() => this.turn(() => this.manager.peerDisconnected(nodeId, connectionId))),
        message: (nodeId, connectionId, message) => this.#messageCame(nodeId, connectionId, message),
        status: changed,
        log,
      },
    });
  }

  /** What can be learnt again is left out where its record is damaged. */
  #stored<T>(key: string, decode: (bytes: Uint8Array) => T): T | undefined {
    const bytes = this.#parts.store.records.get(key);
    const value = bytes && readable(() => decode(bytes));
    if (bytes !== undefined && value === undefined) this.#reportDamage(key);
    return value;
  }

  #reportDamage(key: string): void {
    this.#parts.log(`the record ${key} is damaged`);
  }

  #inboundChannelRule(nodeId: string): InboundChannelRule {
    const { inboundChannels: rule = 'all', peers = [] } = this.#parts.config;
    if (rule !== 'knownPeers') return rule === 'ask' ? 'ask' : 'accept';
    const isConfigured = peers.some((peer) => peer.nodeId.toLowerCase() === nodeId);
    const hasChannel = this.manager
      .channels()
      .some((entry) => entry.nodeId === nodeId && entry.state.kind === 'open' && !isUnfunded(entry.state));
    return isConfigured || hasChannel ? 'accept' : 'refuse';
  }

  #leave(effect: Effect): void {
    switch (effect.kind) {
      case 'send':
        return this.peers.send(effect.nodeId, effect.connectionId, effect.message);
      case 'disconnect':
        return this.peers.disconnect(effect.nodeId, effect.connectionId, effect.reason);
      case 'broadcast':
        return this.chain.broadcast(effect.transactions);
      case 'readRevoked':
        return void this.#readRevoked(effect);
      case 'event':
        this.#durableEventId = effect.event.id;
        return this.#parts.event(effect.event);
      default:
        return effect satisfies never;
    }
  }

  /** Where the store does not answer, the next block asks again. */
  async #readRevoked({ channelKey, recordKey }: Extract<Effect, { kind: 'readRevoked' }>): Promise<void> {
    try {
      const records = await this.#parts.store.readBelow(recordKey);
      this.turn(() => this.manager.revokedRead(channelKey, recordKey, records.get(recordKey)));
    } catch (error) {
      this.#report(error);
    }
  }

  /** An update that could not be taken would be missing for ever: better to stop, and to ask for it again after a restart. */
  #chainUpdated(update: ChainUpdate, writes: StoreWrites): void {
    try {
      this.#updates.take(update, writes);
      this.#noteRows(update);
      this.#scripts.confirmed(update.confirmed.flatMap(({ txs }) => txs.map(({ txid }) => txid)));
      this.#scripts.changed();
    } catch (error) {
      this.#report(error);
      if (this.#problem === undefined)
        this.#freeze(new GlowwormError('EngineFailed', 'The wallet could not take in a block. Reload the page.'));
    }
  }

  #record(writes: StoreWrites): void {
    for (const [key, value] of writes) this.manager.record(key, value);
  }

  #channelsKnown(): void {
    // What is held for later is decided upon by a height that is known, and before any peer is met.
    if (this.admission.isOpen) return;
    this.#guarded(() => this.turn(() => this.manager.decideAccepted()));
    this.#awake.met(this.#parts.platform.timers.now());
    this.admission.chainKnown();
  }

  /** Everything registered was asked for. */
  #synced(): void {
    if (!this.#scripts.synced()) return;
    this.turn(() => this.manager.record(WALLET_KEY, encodeWalletSecret({ ...this.#parts.secret, searched: true })));
  }

  #chainStatusChanged(): void {
    if (this.chain.status.kind !== 'unreachable') this.admission.chainSeen();
    this.#parts.changed();
  }

  #peerConnected(nodeId: string, connectionId: number, features: FeatureSet): void {
    this.#heard(() => this.manager.peerConnected(nodeId, connectionId, features));
  }

  #messageCame(nodeId: string, connectionId: number, message: Message): void {
    this.#heard(() => this.manager.receive(nodeId, connectionId, message));
  }

  /** Throws what `work` throws: what a peer said and we could not take is taken up again on a new connection. */
  #heard(work: () => void): void {
    this.admission.leaveIfBlind();
    if (!this.admission.isOpen) return;
    try {
      this.turn(work);
    } catch (error) {
      this.#report(error);
      throw error;
    }
  }

  #scheduleTick(): void {
    this.#tick = this.#parts.platform.timers.setTimeout(() => {
      this.admission.leaveIfBlind();
      this.#awake.note(this.#parts.platform.timers.now());
      this.#guarded(() => this.turn(() => this.manager.timerTick()));
      if (this.#rowsAreDue) this.#noteRows(NO_NEWS);
      this.#noteStaleness();
      this.#committer.flush();
      if (this.#problem === undefined) this.#scheduleTick();
    }, TICK_MS);
  }

  /** A page is told when the chain comes to be too old, which nothing else tells it. */
  #noteStaleness(): void {
    const { staleness } = this.chain;
    if (staleness?.minutes === this.#staleMinutes) return;
    this.#staleMinutes = staleness?.minutes;
    this.#parts.changed();
  }

  /** Apart from the turn that they are of: what is only shown takes nothing back that a block brought. */
  #noteRows(news: BlockNews): void {
    this.#rowsAreDue = false;
    this.#guarded(() => this.lazily(() => this.#channelActivity.update(news, this.#parts.platform.timers.now())));
  }

  /** What a turn threw may have frozen channels, which is shown. */
  #run<T>(work: () => T): { readonly value: T; readonly result: TurnResult } {
    if (this.#problem !== undefined) throw this.#problem;
    try {
      return this.manager.run(this.#parts.platform.timers.now(), work);
    } catch (error) {
      this.#parts.changed();
      throw error;
    }
  }

  /** For inputs that nobody waits for: an error of ours has frozen its channel already, and here it goes to the log. */
  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    if (error === this.#problem) return;
    this.#parts.log(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }

  /** A write failed: what is in memory may be ahead of the store, so nothing of it may leave, ever. */
  #freeze(error: GlowwormError): void {
    this.#problem = error;
    this.#parts.log(`frozen: ${error.code} ${error.message}`);
    this.chain.stop();
    this.peers.close();
    this.#parts.changed();
  }
}
