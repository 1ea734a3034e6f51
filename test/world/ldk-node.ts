import { createHash } from 'node:crypto';
import type { ChainSubscriber, RegtestChain } from './chain.ts';
import { type BlockRecord, displayHash } from './chain-index.ts';
import { Changes } from './changes.ts';
import { CoinWallet } from './coin-wallet.ts';
import { hex, ldk, loadLdk, unhex } from './ldk.ts';
import { connectBlock, disconnectBlock } from './ldk-blocks.ts';
import { closeChannel, forceCloseChannel, openChannel, type OpenRequest } from './ldk-channels.ts';
import { LdkCore } from './ldk-core.ts';
import type { LdkEvent, LdkHappening } from './ldk-events.ts';
import { createInvoice, type LdkInvoiceRequest, startKeysend, startPayment } from './ldk-payments.ts';
import { LdkReactions, type ReactionPorts } from './ldk-reactions.ts';
import { LdkSockets } from './ldk-sockets.ts';
import { type LdkBytes, NOTHING_STORED } from './ldk-store.ts';
import { balanceView, channelView, type LdkBalance, type LdkChannel, type LdkPeer, peerView } from './ldk-views.ts';

export interface LdkNodeOptions {
  readonly name: string;
  /** 32 bytes; derived from the name when absent, so that node ids stay the same from run to run. */
  readonly seed?: Uint8Array;
  /** Accept inbound channels without a confirmation; can be switched later. */
  readonly zeroConf?: boolean;
  /** Open channels of the `scid_alias` type. */
  readonly scidPrivacy?: boolean;
  readonly changes?: Changes;
}

const TURN_INTERVAL_MS = 50;
const TICK_INTERVAL_MS = 10_000;
const LOG_LINES = 2_000;

/** A real LDK node on the regtest chain, with its own coins, that keeps its state as bytes and can restart from them. */
export class LdkNode implements ChainSubscriber {
  readonly name: string;
  readonly changes: Changes;
  readonly wallet: CoinWallet;
  readonly sockets: LdkSockets;
  readonly reactions: LdkReactions = new LdkReactions();
  readonly log: string[] = [];
  readonly #chain: RegtestChain;
  readonly #options: LdkNodeOptions;
  readonly #seed: Uint8Array;
  readonly #events: LdkEvent[] = [];
  readonly #queue: ldk.Event[] = [];
  readonly #handler: ldk.EventHandler;
  #core: LdkCore;
  #starts = 0;
  #stopped = false;
  #timers: NodeJS.Timeout[] = [];
  #unsubscribe: () => void = () => undefined;

  private constructor(chain: RegtestChain, options: LdkNodeOptions) {
    this.name = options.name;
    this.changes = options.changes ?? new Changes();
    this.#chain = chain;
    this.#options = options;
    this.#seed = options.seed ?? sha256(`glowworm regtest world: ${options.name}`);
    this.wallet = new CoinWallet(chain, sha256(`${hex(this.#seed)} on-chain`));
    this.reactions.zeroConf = options.zeroConf ?? false;
    this.#handler = ldk.EventHandler.new_impl({
      handle_event: (event) => {
        this.#queue.push(event);
        return ldk.Result_NoneReplayEventZ.constructor_ok();
      },
    });
    this.sockets = new LdkSockets({
      peers: () => (this.#stopped ? undefined : this.#core.peers),
      turn: () => this.turn(),
      onError: (error) => this.#trouble(error),
    });
    this.#core = this.#build(NOTHING_STORED);
  }

  static async start(chain: RegtestChain, options: LdkNodeOptions): Promise<LdkNode> {
    await loadLdk();
    const node = new LdkNode(chain, options);
    node.#unsubscribe = chain.subscribe(node);
    node.#timers = [setInterval(() => node.turn(), TURN_INTERVAL_MS), setInterval(() => node.tick(), TICK_INTERVAL_MS)];
    return node;
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#unsubscribe();
    this.#core.peers.disconnect_all_peers();
    this.#stopped = true;
    await this.sockets.stop();
  }

  /** The public key in hex. */
  get id(): string {
    return hex(this.#core.manager.get_our_node_id());
  }

  get height(): number {
    return this.#core.manager.current_best_block().get_height();
  }

  /** Forgets everything but the stored bytes and starts again from them. Connections are gone afterwards. */
  restart(): void {
    this.#core.store.saveManager(this.#core.manager.write());
    this.restore(this.stored());
  }

  /** As `restart`, from what it had on its disk once: what it has signed and revoked since, it does not know. */
  restore(stored: LdkBytes): void {
    this.#core.peers.disconnect_all_peers();
    this.sockets.drop();
    this.#queue.length = 0;
    this.#core = this.#build(stored);
    for (let height = this.height + 1; height <= this.#chain.height; height++) {
      const block = this.#chain.index.blockAt(height);
      if (block !== undefined) this.connected(block);
    }
    this.#note({ kind: 'Restarted' });
    this.turn();
  }

  /** What the node would find on its disk. */
  stored(): LdkBytes {
    return this.#core.store.read();
  }

  /** Does all work that waits: messages, events, forwards, writes. */
  turn(): void {
    this.#safely(() => {
      while (this.#turnOnce());
    });
    this.changes.notify();
  }

  /** LDK has no clock: this is its minute. */
  tick(): void {
    this.#safely(() => {
      this.#core.manager.timer_tick_occurred();
      this.#core.peers.timer_tick_occurred();
      this.#core.chainMonitor.rebroadcast_pending_claims();
    });
    this.turn();
  }

  connected(block: BlockRecord): void {
    this.#safely(() => connectBlock(this.#core, block));
    this.turn();
  }

  disconnected(block: BlockRecord, previous: BlockRecord): void {
    this.#safely(() => disconnectBlock(this.#core, block, previous));
    this.turn();
  }

  isConnectedTo(nodeId: string): boolean {
    return this.peers().some((peer) => peer.nodeId === nodeId);
  }

  /** Disconnects one peer, or all. */
  disconnect(nodeId?: string): void {
    if (nodeId === undefined) this.#core.peers.disconnect_all_peers();
    else this.#core.peers.disconnect_by_node_id(unhex(nodeId));
    this.turn();
  }

  /** Opens a channel to a connected peer with coins of the wallet; gives the temporary channel id. */
  open(request: OpenRequest): string {
    return this.#command(() => openChannel(this.#core, request));
  }

  invoice(request: LdkInvoiceRequest = {}): string {
    return createInvoice(this.#core, request);
  }

  /** Starts to pay; `msat` only for an invoice without an amount. Gives the payment hash. */
  pay(bolt11: string, msat?: number): string {
    return this.#command(() => startPayment(this.#core, bolt11, msat));
  }

  keysend(nodeId: string, msat: number): string {
    return this.#command(() => startKeysend(this.#core, nodeId, msat));
  }

  close(channelId: string): void {
    this.#command(() => closeChannel(this.#core, channelId));
  }

  forceClose(channelId: string): void {
    this.#command(() => forceCloseChannel(this.#core, channelId));
  }

  /** Claims or fails the payments held since `reactions.holding` was set; gives their number. */
  release(end: 'claim' | 'fail'): number {
    return this.#command(() => this.reactions.release(end, this.#ports()));
  }

  channels(): readonly LdkChannel[] {
    return this.#core.manager.list_channels().map(channelView);
  }

  balances(): readonly LdkBalance[] {
    return this.#core.chainMonitor.get_claimable_balances([]).map(balanceView);
  }

  peers(): readonly LdkPeer[] {
    return this.#core.peers.list_peers().map(peerView);
  }

  /** The log of events from position `since` on. */
  events(since = 0): readonly LdkEvent[] {
    return this.#events.slice(since);
  }

  /** Resolves with the first event of that kind at or after position `since`. */
  event<K extends LdkEvent['kind']>(kind: K, since = 0): Promise<Extract<LdkEvent, { kind: K }>> {
    const isWanted = (event: LdkEvent): event is Extract<LdkEvent, { kind: K }> => event.kind === kind;
    return this.changes.until(`${kind} at ${this.name}`, () => this.events(since).find(isWanted));
  }

  #build(stored: LdkBytes): LdkCore {
    const { tip } = this.#chain;
    this.#starts++;
    return new LdkCore({
      seed: this.#seed,
      stored,
      tip: { hash: unhex(displayHash(tip.hash)), height: tip.height, time: tip.time },
      starts: this.#starts,
      scidPrivacy: this.#options.scidPrivacy ?? false,
      wallet: this.wallet,
      broadcast: (transactions) => this.#broadcast(transactions),
      log: (level, line) => {
        this.log.push(`${level} ${line}`);
        if (this.log.length > LOG_LINES) this.log.shift();
      },
      onError: (error) => this.#trouble(error),
    });
  }

  #turnOnce(): boolean {
    const { manager, peers, eventSources, store } = this.#core;
    peers.process_events();
    for (const source of eventSources) source.process_pending_events(this.#handler);
    const events = this.#queue.splice(0);
    for (const event of events) this.reactions.react(event, this.#ports());
    if (events.length > 0) peers.process_events();
    if (manager.get_and_clear_needs_persistence()) store.saveManager(manager.write());
    return events.length > 0;
  }

  #ports(): ReactionPorts {
    return {
      core: this.#core,
      wallet: this.wallet,
      note: (happening) => this.#note(happening),
      broadcast: (transactions) => this.#broadcast(transactions),
    };
  }

  #broadcast(transactions: readonly Uint8Array[]): void {
    for (const raw of transactions) {
      this.#chain.submit(raw).then(
        (txid) => this.#note({ kind: 'Broadcast', txid }),
        (error: unknown) => this.#note({ kind: 'BroadcastRejected', reason: String(error) }),
      );
    }
  }

  /** What a command has set going leaves in the turn after it, also when it failed. */
  #command<T>(command: () => T): T {
    try {
      return command();
    } finally {
      this.turn();
    }
  }

  #note(happening: LdkHappening): void {
    this.#events.push({ ...happening, index: this.#events.length, height: this.#chain.height });
    this.changes.notify();
  }

  /** A broken node must not take the chain's listeners or a timer down with it: its log says what happened. */
  #safely(work: () => void): void {
    if (this.#stopped) return;
    try {
      work();
    } catch (error) {
      this.#trouble(error);
    }
  }

  #trouble(error: unknown): void {
    this.#note({ kind: 'Trouble', what: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}

function sha256(text: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(text).digest());
}
