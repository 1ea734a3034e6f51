import type { ChainUpdate } from '../edges/chain/chain-update.ts';
import type { ChainParameters } from '../edges/chain/chain-parameters.ts';
import { WatchList } from '../edges/chain/watch-list.ts';
import type { Store } from '../edges/storage/store.ts';
import { GlowwormError } from '../engine/primitives/errors.ts';
import { nobleSecp256k1, type Secp256k1 } from '../engine/primitives/secp256k1.ts';
import type { StoreWrites } from '../engine/primitives/store.ts';
import { defaultChannelConfig } from '../engine/channel/channel-config.ts';
import { KeysManager } from '../engine/keys/keys-manager.ts';
import { mnemonicSeed } from '../engine/keys/mnemonic.ts';
import { ChannelManager } from '../engine/manager/channel-manager.ts';
import type { EngineEvent } from '../engine/manager/engine-event.ts';
import type { RecordsOrigin } from '../engine/manager/reconciliation.ts';
import type { Effect } from '../engine/manager/turn.ts';
import { Descriptors } from '../engine/wallet/descriptors.ts';
import { decodeWallet } from '../engine/wallet/wallet-record.ts';
import { OnchainWallet } from '../engine/wallet/wallet.ts';
import { readable } from '../engine/wire/stored-record.ts';
import type { NetworkName, WalletConfig } from './api.ts';
import { BackgroundProcessor } from './background-processor.ts';
import { backgroundTasks, type TaskName } from './background-tasks.ts';
import { EventDelivery } from './event-delivery.ts';
import { HeaderStore } from './header-store.ts';
import { chainHashOf } from './chain-hash.ts';
import { ChainFollower } from './chain-follower.ts';
import { ChainUpdates } from './chain-updates.ts';
import { configuredChain } from './configured-chain.ts';
import { NodePayer } from './node-payer.ts';
import { NodeTurns } from './node-turns.ts';
import { OnchainPayments } from './onchain-payments.ts';
import { reserveSat } from './onchain-reserve.ts';
import { OnchainRows } from './onchain-rows.ts';
import { PeerManager } from './peers/peer-manager.ts';
import type { WalletPlatform } from './platform.ts';
import { RefusedPayments } from './refused-payments.ts';
import { Wakefulness } from './wakefulness.ts';
import { WatchedScripts } from './watched-scripts.ts';
import {
  decodeFeerates,
  encodeFeerates,
  encodeWalletSecret,
  FEERATES_KEY,
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

/**
 * A wallet that exists, at work: the engine, and around it the store, the chain, the peers and the clock. Everything that
 * happens goes through `turns`.
 */
export class LightningNode {
  readonly secp: Secp256k1 = nobleSecp256k1;
  readonly keys: KeysManager;
  readonly wallet: OnchainWallet;
  readonly manager: ChannelManager;
  readonly turns: NodeTurns;
  readonly peers: PeerManager;
  readonly chain: ChainFollower;
  readonly payer: NodePayer;
  readonly payments: OnchainPayments;
  readonly rows: OnchainRows;
  readonly events: EventDelivery;
  readonly background: BackgroundProcessor<TaskName>;
  readonly #parts: NodeParts;
  readonly #watchList: WatchList = new WatchList();
  readonly #refused: RefusedPayments;
  readonly #updates: ChainUpdates;
  readonly #scripts: WatchedScripts;
  readonly #headers: HeaderStore;
  readonly #awake = new Wakefulness();

  constructor(parts: NodeParts) {
    this.#parts = parts;
    const { config, store, log } = parts;
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
    this.turns = this.#nodeTurns();
    const { secp, keys, wallet, manager, turns, chain } = this;
    this.peers = new PeerManager({ ...parts, secp, keys, manager, turns, records });
    this.manager.load(records, parts.origin);
    this.rows = this.#onchainRows();
    this.events = new EventDelivery(this.manager, parts.event);
    this.manager.skipKeys(parts.secret.firstKeysIndex);
    const { sent, received } = this.rows;
    const turn = (work: () => void): void => turns.turn(work);
    const now = (): number => this.#now();
    this.#refused = new RefusedPayments({ wallet, sent, turn, log });
    this.#updates = new ChainUpdates({ wallet, manager, sent, refused: this.#refused, received, turn, now });
    this.payer = new NodePayer({ network, secp, descriptors, wallet, manager, chain, sent });
    this.payments = this.#onchainPayments();
    this.background = this.#backgroundProcessor();
  }

  get network(): NetworkName {
    return this.#parts.config.network;
  }

  /** The failure of storage that stopped everything. */
  get problem(): GlowwormError | undefined {
    return this.turns.problem;
  }

  /** Peers had a while to come back since the start, and what is known of the chain is what is there now. */
  get mayCloseAtDeadlines(): boolean {
    return this.#awake.isLong(this.#now()) && this.chain.knowsChannels;
  }

  /** Resolves when what is done about the channels as they were read is durable, or is not going to be: see `problem`. */
  async start(): Promise<void> {
    this.#awake.note(this.#now());
    // Only now: what the wallet learns later it has from the chain, or the chain has still to learn it from us.
    this.#scripts.start();
    this.#knowFundings();
    this.turns.turn(() => {
      this.manager.bestBlockUpdated(this.chain.status.blockHeight);
      this.manager.resume();
    });
    this.chain.start();
    this.background.wake('feerates');
    this.background.start();
    await this.turns.settled();
  }

  /** Those that are in a block need not be proven at every start. Without the headers that were told, nobody would notice that one left. */
  #knowFundings(): void {
    if (this.#headers.told === undefined) return;
    for (const { state } of this.manager.channels())
      if (state.kind === 'open' && state.funding.kind === 'confirmed')
        this.#watchList.knowTx(state.params.fundingTxid, state.funding.height);
  }

  /** Waits for the store alone: what was done lazily is written once more, and what is asked of servers and peers is dropped. */
  async stop(): Promise<void> {
    this.background.stop();
    this.payments.stop();
    this.chain.stop();
    this.peers.close();
    await this.turns.stop();
  }

  acknowledgeEvent(id: number): void {
    this.turns.lazily(() => this.manager.acknowledgeEvent(id));
  }

  /** As `WalletApi.wake`. */
  wake(): void {
    this.peers.wake();
    this.#scripts.look();
    this.#wakeChain();
  }

  /** Addresses were handed out. */
  watchScripts(): void {
    this.#scripts.changed();
    this.#wakeChain();
  }

  /** After a sleep nobody has asked for feerates. */
  #wakeChain(): void {
    this.chain.wake();
    if (this.chain.feeratesAreStale) this.background.wake('feerates');
  }

  #now(): number {
    return this.#parts.platform.timers.now();
  }

  #watchedScripts(isSearching: boolean): WatchedScripts {
    return new WatchedScripts({
      wallet: this.wallet,
      watchList: this.#watchList,
      entropy: this.#parts.platform.entropy,
      others: [this.keys.destinationScript()],
      contested: () => this.rows.sent.contested(),
      isHeardOut: () => this.chain.isHeardOut,
      isSearching,
    });
  }

  #chainFollower(parameters: ChainParameters): ChainFollower {
    const { config, platform, changed, log } = this.#parts;
    const inTurn = (work: () => void): void => this.turns.guarded(() => this.turns.turn(work));
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
      onHeaders: (writes) => inTurn(() => this.#record(writes)),
      onChannelsKnown: () => this.#channelsKnown(),
      onSynced: () => this.#synced(),
      onStatus: () => this.#chainStatusChanged(),
      onStanding: (txid, standing) => {
        this.turns.guarded(() => this.#refused.stands(txid, standing));
        changed();
      },
      onFeerates: (update, memories) =>
        inTurn(() => {
          this.manager.updateFeerates(update);
          if (memories !== undefined) this.manager.record(FEERATES_KEY, encodeFeerates(memories));
        }),
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
        trustedForZeroConf: (nodeId) => this.peers.trusts(nodeId),
        inboundChannels: (nodeId) => this.peers.inboundChannelRule(nodeId),
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

  #nodeTurns(): NodeTurns {
    const { store, platform, changed, log } = this.#parts;
    return new NodeTurns({
      manager: this.manager,
      store,
      now: () => this.#now(),
      soon: platform.soon,
      leave: (effect) => this.#leave(effect),
      wrote: () => this.rows.wrote(),
      changed,
      log,
      frozen: (problem) => {
        this.background.fail(problem);
        this.chain.stop();
        this.peers.close();
      },
    });
  }

  #onchainRows(): OnchainRows {
    const { manager, turns } = this;
    return new OnchainRows({
      channels: this,
      rows: {
        undo: () => manager.undo,
        record: (key, value) => manager.record(key, value),
        log: this.#parts.log,
      },
      turns,
      records: this.#parts.store.records,
      now: () => this.#now(),
    });
  }

  #onchainPayments(): OnchainPayments {
    const { payer, turns } = this;
    const { platform, changed } = this.#parts;
    return new OnchainPayments({
      payer,
      turn: (work) => turns.turn(work),
      durably: (work) => turns.durably(work),
      soon: platform.soon,
      changed,
      now: () => this.#now(),
    });
  }

  #backgroundProcessor(): BackgroundProcessor<TaskName> {
    const { manager, turns, peers, chain, rows, events } = this;
    const { platform, changed, log } = this.#parts;
    const now = (): number => this.#now();
    const tasks = backgroundTasks({ manager, turns, peers, chain, rows, events, awake: this.#awake, now, changed });
    return new BackgroundProcessor({ tasks, timers: platform.timers, soon: platform.soon, log });
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

  #leave(effect: Effect): void {
    switch (effect.kind) {
      case 'send':
        return this.peers.send(effect);
      case 'disconnect':
        return this.peers.endConnection(effect);
      case 'broadcast':
        return this.chain.broadcast(effect.transactions);
      case 'readRevoked':
        return void this.#readRevoked(effect);
      case 'event':
        this.events.durable(effect.event.id);
        return this.background.wake('eventDelivery');
      default:
        return effect satisfies never;
    }
  }

  /** Where the store does not answer, the next block asks again. */
  async #readRevoked({ channelKey, recordKey }: Extract<Effect, { kind: 'readRevoked' }>): Promise<void> {
    try {
      const records = await this.#parts.store.readBelow(recordKey);
      this.turns.turn(() => this.manager.revokedRead(channelKey, recordKey, records.get(recordKey)));
    } catch (error) {
      this.turns.report(error);
    }
  }

  /** An update that could not be taken would be missing for ever: better to stop, and to ask for it again after a restart. */
  #chainUpdated(update: ChainUpdate, writes: StoreWrites): void {
    try {
      this.#updates.take(update, writes);
      this.rows.noteChannels(update);
      this.#scripts.confirmed(update.confirmed.flatMap(({ txs }) => txs.map(({ txid }) => txid)));
      this.#scripts.changed();
    } catch (error) {
      this.turns.report(error);
      if (this.problem === undefined)
        this.turns.freeze(new GlowwormError('EngineFailed', 'The wallet could not take in a block. Reload the page.'));
    }
  }

  #record(writes: StoreWrites): void {
    for (const [key, value] of writes) this.manager.record(key, value);
  }

  #channelsKnown(): void {
    // What is held for later is decided upon by a height that is known, and before any peer is met.
    if (this.peers.areMet) return;
    this.turns.guarded(() => this.turns.turn(() => this.manager.decideAccepted()));
    this.#awake.met(this.#now());
    this.peers.chainKnown();
  }

  /** Everything registered was asked for. */
  #synced(): void {
    if (!this.#scripts.synced()) return;
    const searched = encodeWalletSecret({ ...this.#parts.secret, searched: true });
    this.turns.turn(() => this.manager.record(WALLET_KEY, searched));
  }

  #chainStatusChanged(): void {
    if (this.chain.status.kind !== 'unreachable') this.peers.chainSeen();
    this.#parts.changed();
  }
}
