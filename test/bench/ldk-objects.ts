import { freeRecord, isPresent, ldk } from '../world/ldk-bindings.ts';
import type { StoredNode } from './ldk-store.ts';

export interface LdkOptions {
  /** 32 bytes. */
  readonly seed: Uint8Array;
  /** Where a new node begins; `hash` in wire order. */
  readonly tip: { readonly hash: Uint8Array; readonly height: number; readonly time: number };
  /** Absent for a new node. */
  readonly stored: StoredNode | undefined;
  readonly persist: ldk.Persist;
  readonly broadcast: (transactions: readonly Uint8Array[]) => void;
}

const NETWORK = ldk.Network.LDKNetwork_Regtest;
const FEERATE_SAT_PER_KW = 1000;
const MAXIMUM_FEERATE_SAT_PER_KW = 10_000;
const MINIMUM_FEERATE_SAT_PER_KW = 253;

/** The objects of one LDK node, wired together. They stay fields because LDK throws when a collected one is called. */
export class LdkObjects {
  readonly manager: ldk.ChannelManager;
  readonly chainMonitor: ldk.ChainMonitor;
  readonly peers: ldk.PeerManager;
  readonly confirms: readonly ldk.Confirm[];
  readonly eventSources: readonly ldk.EventsProvider[];
  readonly #kept: object[] = [];
  readonly #options: LdkOptions;
  readonly #fees: ldk.FeeEstimator;
  readonly #logger: ldk.Logger;
  readonly #graph: ldk.NetworkGraph;
  readonly #keys: ldk.KeysManager;
  readonly #broadcaster: ldk.BroadcasterInterface;

  constructor(options: LdkOptions) {
    this.#options = options;
    this.#fees = ldk.FeeEstimator.new_impl({ get_est_sat_per_1000_weight: feerateFor });
    this.#logger = ldk.Logger.new_impl({
      // Each record has a finalizer unless it is freed here.
      log: (record) => {
        if (isPresent(record)) freeRecord(record);
      },
    });
    this.#broadcaster = ldk.BroadcasterInterface.new_impl({ broadcast_transactions: options.broadcast });
    this.#graph = ldk.NetworkGraph.constructor_new(NETWORK, this.#logger);
    this.#keys = ldk.KeysManager.constructor_new(options.seed, BigInt(options.tip.time), options.stored ? 2 : 1);
    this.chainMonitor = ldk.ChainMonitor.constructor_new(
      ldk.Option_FilterZ.constructor_none(),
      this.#broadcaster,
      this.#logger,
      this.#fees,
      this.#keep(options.persist),
    );
    this.manager = options.stored === undefined ? this.#newManager() : this.#readManager(options.stored);
    this.confirms = [this.chainMonitor.as_Confirm(), this.manager.as_Confirm()];
    this.eventSources = [this.manager.as_EventsProvider(), this.chainMonitor.as_EventsProvider()];
    this.peers = this.#peerManager();
  }

  #newManager(): ldk.ChannelManager {
    const { hash, height, time } = this.#options.tip;
    return ldk.ChannelManager.constructor_new(
      this.#fees,
      this.#keep(this.chainMonitor.as_Watch()),
      this.#broadcaster,
      this.#router(),
      this.#messageRouter(),
      this.#logger,
      this.#keep(this.#keys.as_EntropySource()),
      this.#keep(this.#keys.as_NodeSigner()),
      this.#keep(this.#keys.as_SignerProvider()),
      config(),
      ldk.ChainParameters.constructor_new(NETWORK, ldk.BestBlock.constructor_new(hash, height)),
      time,
    );
  }

  #readManager(stored: StoredNode): ldk.ChannelManager {
    const watch = this.#keep(this.chainMonitor.as_Watch());
    const monitors = stored.monitors.map((monitor) => this.#readMonitor(monitor));
    const read = ldk.UtilMethods.constructor_C2Tuple_ThirtyTwoBytesChannelManagerZ_read(
      stored.manager,
      this.#keep(this.#keys.as_EntropySource()),
      this.#keep(this.#keys.as_NodeSigner()),
      this.#keep(this.#keys.as_SignerProvider()),
      this.#fees,
      watch,
      this.#broadcaster,
      this.#router(),
      this.#messageRouter(),
      this.#logger,
      config(),
      monitors,
    );
    if (!(read instanceof ldk.Result_C2Tuple_ThirtyTwoBytesChannelManagerZDecodeErrorZ_OK))
      throw new Error('LDK cannot read its channel manager');
    this.#keep(read);
    for (const monitor of monitors) watch.watch_channel(monitor.get_funding_txo().get_a(), monitor);
    return read.res.get_b();
  }

  #readMonitor({ whole, updates }: StoredNode['monitors'][number]): ldk.ChannelMonitor {
    const [entropy, signers] = [this.#keys.as_EntropySource(), this.#keys.as_SignerProvider()];
    const read = ldk.UtilMethods.constructor_C2Tuple_ThirtyTwoBytesChannelMonitorZ_read(whole, entropy, signers);
    if (!(read instanceof ldk.Result_C2Tuple_ThirtyTwoBytesChannelMonitorZDecodeErrorZ_OK))
      throw new Error('LDK cannot read its channel monitor');
    const monitor = read.res.get_b();
    for (const bytes of updates) {
      const update = ldk.ChannelMonitorUpdate.constructor_read(bytes);
      if (!(update instanceof ldk.Result_ChannelMonitorUpdateDecodeErrorZ_OK))
        throw new Error('LDK cannot read a monitor update');
      if (update.res.get_update_id() > monitor.get_latest_update_id())
        monitor.update_monitor(update.res, this.#broadcaster, this.#fees, this.#logger);
    }
    return monitor;
  }

  #router(): ldk.Router {
    const scorer = ldk.ProbabilisticScorer.constructor_new(
      ldk.ProbabilisticScoringDecayParameters.constructor_default(),
      this.#graph,
      this.#logger,
    );
    const score = this.#keep(ldk.MultiThreadedLockableScore.constructor_new(this.#keep(scorer).as_Score()));
    const router = ldk.DefaultRouter.constructor_new(
      this.#graph,
      this.#logger,
      this.#keep(this.#keys.as_EntropySource()),
      this.#keep(score.as_LockableScore()),
      ldk.ProbabilisticScoringFeeParameters.constructor_default(),
    );
    return this.#keep(this.#keep(router).as_Router());
  }

  #messageRouter(): ldk.MessageRouter {
    const router = ldk.DefaultMessageRouter.constructor_new(this.#graph, this.#keep(this.#keys.as_EntropySource()));
    return this.#keep(this.#keep(router).as_MessageRouter());
  }

  #peerManager(): ldk.PeerManager {
    const noLookup = ldk.Option_UtxoLookupZ.constructor_none();
    const gossip = this.#keep(ldk.P2PGossipSync.constructor_new(this.#graph, noLookup, this.#logger));
    const ignorer = this.#keep(ldk.IgnoringMessageHandler.constructor_new());
    const [entropy, signer] = [this.#keep(this.#keys.as_EntropySource()), this.#keep(this.#keys.as_NodeSigner())];
    const messenger = ldk.OnionMessenger.constructor_new(
      entropy,
      signer,
      this.#logger,
      this.manager.as_NodeIdLookUp(),
      this.#messageRouter(),
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
      entropy.get_secure_random_bytes(),
      this.#logger,
      signer,
    );
  }

  #keep<T extends object>(object: T): T {
    this.#kept.push(object);
    return object;
  }
}

function config(): ldk.UserConfig {
  const handshake = ldk.ChannelHandshakeConfig.constructor_default();
  handshake.set_negotiate_anchors_zero_fee_htlc_tx(true);
  handshake.set_announce_for_forwarding(false);
  handshake.set_max_inbound_htlc_value_in_flight_percent_of_channel(100);
  handshake.set_minimum_depth(3);
  const limits = ldk.ChannelHandshakeLimits.constructor_default();
  limits.set_force_announced_channel_preference(false);
  const all = ldk.UserConfig.constructor_default();
  all.set_channel_handshake_config(handshake);
  all.set_channel_handshake_limits(limits);
  all.set_accept_inbound_channels(true);
  // LDK refuses anchor channels unless each is accepted by hand.
  all.set_manually_accept_inbound_channels(true);
  return all;
}

function feerateFor(target: ldk.ConfirmationTarget): number {
  switch (target) {
    case ldk.ConfirmationTarget.LDKConfirmationTarget_MaximumFeeEstimate:
      return MAXIMUM_FEERATE_SAT_PER_KW;
    case ldk.ConfirmationTarget.LDKConfirmationTarget_MinAllowedAnchorChannelRemoteFee:
    case ldk.ConfirmationTarget.LDKConfirmationTarget_MinAllowedNonAnchorChannelRemoteFee:
    case ldk.ConfirmationTarget.LDKConfirmationTarget_ChannelCloseMinimum:
      return MINIMUM_FEERATE_SAT_PER_KW;
    default:
      return FEERATE_SAT_PER_KW;
  }
}
