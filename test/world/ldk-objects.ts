import { freeRecord, guarded, isPresent, ldk } from './ldk-bindings.ts';
import { feeEstimator, userConfig } from './ldk-config.ts';

/** What a node finds on its disk. */
export interface StoredNode {
  readonly manager: Uint8Array;
  readonly monitors: readonly StoredMonitor[];
}

/** All of a monitor, and the updates that were written after that. */
interface StoredMonitor {
  readonly whole: Uint8Array;
  readonly updates: readonly Uint8Array[];
}

export interface LdkOptions {
  /** 32 bytes. */
  readonly seed: Uint8Array;
  /** Absent for a new node. */
  readonly stored: StoredNode | undefined;
  /** Where a new node begins; `hash` in wire order. */
  readonly tip: { readonly hash: Uint8Array; readonly height: number; readonly time: number };
  /** Differs at every start, see `KeysManager`. */
  readonly starts: number;
  readonly scidPrivacy: boolean;
  readonly persist: ldk.Persist;
  readonly broadcast: (transactions: readonly Uint8Array[]) => void;
  /** Absent where what LDK logs is not even to be asked for. */
  readonly log?: (level: number, line: string) => void;
  readonly onError: (error: unknown) => void;
}

const NETWORK = ldk.Network.LDKNetwork_Regtest;

/**
 * The objects of one LDK node, wired together, in Node and in a worker alike. They stay fields because LDK throws when a
 * collected one is called.
 */
export class LdkObjects {
  readonly manager: ldk.ChannelManager;
  readonly chainMonitor: ldk.ChainMonitor;
  readonly peers: ldk.PeerManager;
  readonly keys: ldk.KeysManager;
  readonly entropy: ldk.EntropySource;
  readonly confirms: readonly ldk.Confirm[];
  readonly eventSources: readonly ldk.EventsProvider[];
  readonly #options: LdkOptions;
  readonly #kept: object[] = [];
  readonly #fees: ldk.FeeEstimator;
  readonly #logger: ldk.Logger;
  /** One per node: an empty one takes 150 MB of wasm memory. */
  readonly #graph: ldk.NetworkGraph;
  readonly #broadcaster: ldk.BroadcasterInterface;

  constructor(options: LdkOptions) {
    this.#options = options;
    this.#fees = this.#keep(feeEstimator());
    this.#logger = this.#keep(logger(options));
    this.#graph = this.#keep(ldk.NetworkGraph.constructor_new(NETWORK, this.#logger));
    this.#broadcaster = this.#keep(broadcaster(options));
    this.chainMonitor = ldk.ChainMonitor.constructor_new(
      ldk.Option_FilterZ.constructor_none(),
      this.#broadcaster,
      this.#logger,
      this.#fees,
      this.#keep(options.persist),
    );
    this.keys = ldk.KeysManager.constructor_new(options.seed, BigInt(options.tip.time), options.starts);
    this.entropy = this.#keep(this.keys.as_EntropySource());
    this.manager = this.#channelManager();
    this.confirms = [this.chainMonitor.as_Confirm(), this.manager.as_Confirm()];
    this.eventSources = [this.manager.as_EventsProvider(), this.chainMonitor.as_EventsProvider()];
    this.peers = this.#peerManager();
  }

  /** Raises the fees of its transactions with coins of a wallet. */
  bumperWith(source: ldk.WalletSource): ldk.BumpTransactionEventHandler {
    const wallet = this.#keep(ldk.Wallet.constructor_new(this.#keep(source), this.#logger));
    return ldk.BumpTransactionEventHandler.constructor_new(
      this.#broadcaster,
      this.#keep(wallet.as_CoinSelectionSource()),
      this.#keep(this.keys.as_SignerProvider()),
      this.#logger,
    );
  }

  /** The node's configuration, with its own answer to whether a channel that it opens hides its short channel id. */
  config(scidPrivacy: boolean = this.#options.scidPrivacy): ldk.UserConfig {
    return userConfig(scidPrivacy);
  }

  #channelManager(): ldk.ChannelManager {
    const router = this.#keep(this.#router().as_Router());
    const messageRouter = this.#keep(this.#messageRouter().as_MessageRouter());
    const signers = this.#keep(this.keys.as_SignerProvider());
    const nodeSigner = this.#keep(this.keys.as_NodeSigner());
    const watch = this.#keep(this.chainMonitor.as_Watch());
    const { stored, tip } = this.#options;
    if (stored === undefined) {
      const best = ldk.BestBlock.constructor_new(tip.hash, tip.height);
      return ldk.ChannelManager.constructor_new(
        this.#fees,
        watch,
        this.#broadcaster,
        router,
        messageRouter,
        this.#logger,
        this.entropy,
        nodeSigner,
        signers,
        this.config(),
        ldk.ChainParameters.constructor_new(NETWORK, best),
        tip.time,
      );
    }
    const monitors = stored.monitors.map((monitor) => this.#readMonitor(monitor, signers));
    const read = ldk.UtilMethods.constructor_C2Tuple_ThirtyTwoBytesChannelManagerZ_read(
      stored.manager,
      this.entropy,
      nodeSigner,
      signers,
      this.#fees,
      watch,
      this.#broadcaster,
      router,
      messageRouter,
      this.#logger,
      this.config(),
      monitors,
    );
    if (!(read instanceof ldk.Result_C2Tuple_ThirtyTwoBytesChannelManagerZDecodeErrorZ_OK)) {
      throw new Error('LDK cannot read its channel manager');
    }
    this.#keep(read);
    for (const monitor of monitors) watch.watch_channel(monitor.get_funding_txo().get_a(), monitor);
    return read.res.get_b();
  }

  #readMonitor({ whole, updates }: StoredMonitor, signers: ldk.SignerProvider): ldk.ChannelMonitor {
    const read = ldk.UtilMethods.constructor_C2Tuple_ThirtyTwoBytesChannelMonitorZ_read(whole, this.entropy, signers);
    if (!(read instanceof ldk.Result_C2Tuple_ThirtyTwoBytesChannelMonitorZDecodeErrorZ_OK)) {
      throw new Error('LDK cannot read its channel monitor');
    }
    const monitor = read.res.get_b();
    for (const bytes of updates) {
      const update = ldk.ChannelMonitorUpdate.constructor_read(bytes);
      if (!(update instanceof ldk.Result_ChannelMonitorUpdateDecodeErrorZ_OK)) {
        throw new Error('LDK cannot read a monitor update');
      }
      if (update.res.get_update_id() > monitor.get_latest_update_id())
        monitor.update_monitor(update.res, this.#broadcaster, this.#fees, this.#logger);
    }
    return monitor;
  }

  #router(): ldk.DefaultRouter {
    const scorer = ldk.ProbabilisticScorer.constructor_new(
      ldk.ProbabilisticScoringDecayParameters.constructor_default(),
      this.#graph,
      this.#logger,
    );
    const score = ldk.MultiThreadedLockableScore.constructor_new(this.#keep(scorer).as_Score());
    const fees = ldk.ProbabilisticScoringFeeParameters.constructor_default();
    const lockable = this.#keep(this.#keep(score).as_LockableScore());
    return this.#keep(ldk.DefaultRouter.constructor_new(this.#graph, this.#logger, this.entropy, lockable, fees));
  }

  #messageRouter(): ldk.DefaultMessageRouter {
    return this.#keep(ldk.DefaultMessageRouter.constructor_new(this.#graph, this.entropy));
  }

  #peerManager(): ldk.PeerManager {
    const noLookup = ldk.Option_UtxoLookupZ.constructor_none();
    const gossip = this.#keep(ldk.P2PGossipSync.constructor_new(this.#graph, noLookup, this.#logger));
    const ignorer = this.#keep(ldk.IgnoringMessageHandler.constructor_new());
    const nodeSigner = this.#keep(this.keys.as_NodeSigner());
    const messenger = ldk.OnionMessenger.constructor_new(
      this.entropy,
      nodeSigner,
      this.#logger,
      this.manager.as_NodeIdLookUp(),
      this.#keep(this.#messageRouter().as_MessageRouter()),
      this.manager.as_OffersMessageHandler(),
      this.manager.as_AsyncPaymentsMessageHandler(),
      this.manager.as_DNSResolverMessageHandler(),
      ignorer.as_CustomOnionMessageHandler(),
    );
    return ldk.PeerManager.constructor_new(
      this.manager.as_ChannelMessageHandler(),
      gossip.as_RoutingMessageHandler(),
      this.#keep(messenger).as_OnionMessageHandler(),
      ignorer.as_CustomMessageHandler(),
      this.#options.tip.time,
      this.entropy.get_secure_random_bytes(),
      this.#logger,
      nodeSigner,
    );
  }

  #keep<T extends object>(object: T): T {
    this.#kept.push(object);
    return object;
  }
}

function broadcaster({ broadcast, onError }: LdkOptions): ldk.BroadcasterInterface {
  return ldk.BroadcasterInterface.new_impl({
    broadcast_transactions: (transactions) =>
      guarded(
        () => undefined,
        onError,
        () => broadcast(transactions),
      ),
  });
}

/** LDK hands over records of every level, each with a finalizer: free them here. */
function logger({ log, onError }: LdkOptions): ldk.Logger {
  return ldk.Logger.new_impl({
    log: (record) =>
      guarded(
        () => undefined,
        onError,
        () => {
          if (!isPresent(record)) return;
          if (log !== undefined && record.get_level() >= ldk.Level.LDKLevel_Info) {
            log(record.get_level(), `${record.get_module_path()}:${record.get_line()} ${record.get_args()}`);
          }
          freeRecord(record);
        },
      ),
  });
}
