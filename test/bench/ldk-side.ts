import { apiErrorText, ldk, optionU64 } from '../world/ldk-bindings.ts';
import { LdkObjects, type StoredNode } from '../world/ldk-objects.ts';
import { fakeFunding, type FakeChain } from './fake-chain.ts';
import { LdkPersistence } from './ldk-persistence.ts';
import type { LdkStore } from './ldk-store.ts';

/** A payment whose invoice has been read. */
export interface PreparedPayment {
  readonly hash: Uint8Array;
  readonly onion: ldk.RecipientOnionFields;
  readonly route: ldk.RouteParameters;
}

export interface LdkSideOptions {
  /** Fills the seed. */
  readonly seedByte: number;
  readonly chain: FakeChain;
  readonly store: LdkStore;
  readonly stored?: StoredNode;
  /** Told when a commit is durable and acknowledged. */
  readonly written: () => void;
}

const MANAGER_IDLE_MS = 30;
const USER_CHANNEL_ID = 7n;

/** An LDK node with its loop: events, forwards, and commits of which one is on its way at a time. */
export class LdkSide {
  readonly objects: LdkObjects;
  readonly store: LdkStore;
  readonly nodeId: Uint8Array;
  /** Payments that are over: the path of each was successful and both sides have revoked. */
  paid = 0;
  readonly #options: LdkSideOptions;
  readonly #persistence: LdkPersistence = new LdkPersistence();
  readonly #handler: ldk.EventHandler;
  #events: ldk.Event[] = [];
  #isCommitting = false;
  #isManagerDirty = false;
  #managerTimer: ReturnType<typeof setTimeout> | undefined;
  #problem: unknown;

  constructor(options: LdkSideOptions) {
    const { seedByte, chain, store, stored } = options;
    this.#options = options;
    this.store = store;
    this.objects = new LdkObjects({
      seed: new Uint8Array(32).fill(seedByte),
      tip: chain.tip,
      stored,
      starts: stored === undefined ? 1 : 2,
      scidPrivacy: false,
      persist: this.#persistence.port,
      broadcast: (transactions) => void chain.pending.push(...transactions),
      onError: (error) => (this.#problem = error),
    });
    this.nodeId = this.objects.manager.get_our_node_id();
    this.#handler = ldk.EventHandler.new_impl({
      handle_event: (event) => {
        this.#events.push(event);
        return ldk.Result_NoneReplayEventZ.constructor_ok();
      },
    });
  }

  get isBusy(): boolean {
    const problem = this.#problem ?? this.#persistence.problem;
    if (problem !== undefined) throw problem;
    return this.#isCommitting || this.#persistence.isWaiting;
  }

  /** Does all work that waits; whether there was an event. */
  turn(): boolean {
    const { peers, manager, eventSources } = this.objects;
    peers.process_events();
    for (const source of eventSources) source.process_pending_events(this.#handler);
    const events = this.#events;
    this.#events = [];
    for (const event of events) this.#react(event);
    if (events.length > 0) peers.process_events();
    if (manager.get_and_clear_needs_persistence()) this.#isManagerDirty = true;
    if (this.#persistence.isWaiting) this.#startCommit();
    else if (this.#isManagerDirty) this.#commitManagerLater();
    return events.length > 0;
  }

  /** LDK has no clock: this is its minute, after which it forgets settled payments. */
  tick(): void {
    this.objects.manager.timer_tick_occurred();
    this.objects.peers.timer_tick_occurred();
    this.objects.chainMonitor.rebroadcast_pending_claims();
    this.turn();
  }

  blockConnected(header: Uint8Array, transactions: readonly Uint8Array[], height: number): void {
    for (const confirm of this.objects.confirms) {
      // Positions start after the coinbase.
      const pairs = transactions.map((raw, i) => ldk.TwoTuple_usizeTransactionZ.constructor_new(i + 1, raw));
      if (pairs.length > 0) confirm.transactions_confirmed(header, pairs, height);
      confirm.best_block_updated(header, height);
    }
    this.turn();
  }

  open(peer: LdkSide, sats: bigint): void {
    const opened = this.objects.manager.create_channel(peer.nodeId, sats, 0n, 1n, null, null);
    if (opened instanceof ldk.Result_ChannelIdAPIErrorZ_Err) throw new Error(apiErrorText(opened.err));
    this.turn();
  }

  get isUsable(): boolean {
    return this.objects.manager.list_usable_channels().length === 1;
  }

  invoice(amountMsat: bigint): string {
    const noDelta = ldk.Option_u16Z.constructor_none();
    const created = ldk.UtilMethods.constructor_create_invoice_from_channelmanager(
      this.objects.manager,
      optionU64(amountMsat),
      '',
      3600,
      noDelta,
    );
    if (created instanceof ldk.Result_Bolt11InvoiceSignOrCreationErrorZ_OK) return created.res.to_str();
    throw new Error('LDK cannot create the invoice');
  }

  prepare(bolt11: string): PreparedPayment {
    const parsed = ldk.Bolt11Invoice.constructor_from_str(bolt11);
    if (!(parsed instanceof ldk.Result_Bolt11InvoiceParseOrSemanticErrorZ_OK))
      throw new Error('LDK cannot read the invoice');
    const read = ldk.UtilMethods.constructor_payment_parameters_from_invoice(parsed.res);
    if (!(read instanceof ldk.Result_C3Tuple_ThirtyTwoBytesRecipientOnionFieldsRouteParametersZNoneZ_OK))
      throw new Error('the invoice has no amount');
    return { hash: read.res.get_a(), onion: read.res.get_b(), route: read.res.get_c() };
  }

  pay({ hash, onion, route }: PreparedPayment): void {
    const retry = ldk.Retry.constructor_attempts(3);
    const sent = this.objects.manager.send_payment(hash, onion, hash, route, retry);
    if (sent instanceof ldk.Result_NoneRetryableSendFailureZ_Err)
      throw new Error(`LDK cannot pay: ${ldk.RetryableSendFailure[sent.err]}`);
  }

  /** Commits what may wait, for a start from the database. */
  async flush(): Promise<void> {
    clearTimeout(this.#managerTimer);
    await this.store.commit([], this.#managerBytes());
  }

  /** The manager's bytes share the monitors' transaction: one that is older than its monitor would close the channel. */
  #startCommit(): void {
    if (this.#isCommitting) return;
    this.#isCommitting = true;
    const waiting = this.#persistence.take();
    const manager = this.#isManagerDirty ? this.#managerBytes() : undefined;
    this.store
      .commit(
        waiting.map(({ write }) => write),
        manager,
      )
      .then(() => {
        this.#isCommitting = false;
        for (const { write, acknowledge } of waiting)
          if (acknowledge !== undefined) this.objects.chainMonitor.channel_monitor_updated(acknowledge, write.id);
        this.turn();
      })
      .catch((error: unknown) => (this.#problem = error))
      .finally(() => this.#options.written());
  }

  /** Changes of the manager alone hold nothing back: they are written once the node is quiet. */
  #commitManagerLater(): void {
    this.#managerTimer ??= setTimeout(() => {
      this.#managerTimer = undefined;
      if (!this.#isManagerDirty) return;
      if (this.#isCommitting) this.#commitManagerLater();
      else this.store.commit([], this.#managerBytes()).catch((error: unknown) => (this.#problem = error));
    }, MANAGER_IDLE_MS);
  }

  #managerBytes(): Uint8Array<ArrayBuffer> {
    this.#isManagerDirty = false;
    return this.objects.manager.write() as Uint8Array<ArrayBuffer>;
  }

  #react(event: ldk.Event): void {
    const { manager } = this.objects;
    if (event instanceof ldk.Event_PendingHTLCsForwardable) manager.process_pending_htlc_forwards();
    else if (event instanceof ldk.Event_PaymentPathSuccessful) this.paid++;
    else if (event instanceof ldk.Event_PaymentClaimable) {
      const preimage = event.purpose.preimage();
      if (preimage instanceof ldk.Option_ThirtyTwoBytesZ_Some) manager.claim_funds(preimage.some);
    } else if (event instanceof ldk.Event_OpenChannelRequest)
      manager.accept_inbound_channel(event.temporary_channel_id, event.counterparty_node_id, USER_CHANNEL_ID);
    else if (event instanceof ldk.Event_FundingGenerationReady)
      manager.funding_transaction_generated(
        event.temporary_channel_id,
        event.counterparty_node_id,
        fakeFunding(event.output_script, event.channel_value_satoshis),
      );
    else if (event instanceof ldk.Event_PaymentFailed || event instanceof ldk.Event_ChannelClosed)
      throw new Error(`${event.constructor.name} in the benchmark`);
  }
}
