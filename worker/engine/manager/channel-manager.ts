import { equalBytes, fromHex, toHex } from '../primitives/bytes.ts';
import { assert } from '../primitives/errors.ts';
import type { StoredRecords } from '../primitives/store.ts';
import type { UndoLog } from '../primitives/undo-log.ts';
import type { Msat, Sat } from '../primitives/units.ts';
import { proposeClosing } from '../channel/channel-closing.ts';
import type { ChannelFeerates } from '../channel/channel-env.ts';
import * as operation from '../channel/channel-operation.ts';
import { sendStfuIfSettled } from '../channel/channel-quiescence.ts';
import { sendReadyIfDeep, unseenFunding } from '../channel/channel-ready.ts';
import { sendShutdownIfSigned } from '../channel/channel-shutdown.ts';
import type { ChannelState, CloseReason, OpenChannel } from '../channel/channel-state.ts';
import { explainClose } from '../channel/close-reason.ts';
import type { ClosingQuote } from '../channel/closing-fees.ts';
import { lowerFeeIfDue, raiseFeeIfDue } from '../channel/commitment-feerate.ts';
import { isRemovable, withHeldProposed } from '../channel/commitments.ts';
import { violation, type ChannelFact, type Transition } from '../channel/transition.ts';
import type { ChannelSigner } from '../keys/channel-signer.ts';
import type { HtlcEvent, HtlcResolution } from '../monitor/htlc-resolution.ts';
import type { HolderCommitmentFate, MonitorStep } from '../monitor/monitor-update.ts';
import { ChainMonitor, type PendingUpdate } from '../monitor/chain-monitor.ts';
import { worthMsat } from '../monitor/balances.ts';
import type { BlockTransaction } from '../monitor/funding-spend.ts';
import type { Transaction } from '../transactions/transaction.ts';
import { MonitorPersister } from '../monitor/monitor-persister.ts';
import type { InboundPayment } from '../payments/inbound-payment.ts';
import type { Invoice } from '../payments/invoice.ts';
import type { ChannelHtlc } from '../transactions/channel-htlc.ts';
import type { ChannelParameters } from '../transactions/channel-parameters.ts';
import type { HtlcSource } from '../transactions/htlc-source.ts';
import { findHtlc } from '../transactions/commitment-spec.ts';
import { encodeWallet } from '../wallet/wallet-record.ts';
import type { WalletState } from '../wallet/wallet-state.ts';
import type { FeatureSet } from '../wire/features.ts';
import type { Message } from '../wire/message.ts';
import { ChannelEstablishment } from './channel-establishment.ts';
import {
  isOpen,
  isUnfunded,
  isUsable,
  type ChannelEntry,
  type FundingTerms,
  type OpenEntry,
  type SavedChannel,
  type TouchedEntry,
} from './channel-entry.ts';
import { ChannelMessageHandler } from './channel-message-handler.ts';
import { dropStoredChild, writeChannel } from './channel-store.ts';
import { ChannelSwitch } from './channel-switch.ts';
import { ChannelTable } from './channel-table.ts';
import { certainBalance, type ClosingReport } from './closing-report.ts';
import { ClosingReports } from './closing-reports.ts';
import { ClosingRequests, type ForceCloseConsent } from './closing-requests.ts';
import type { EngineEvent, EngineEventKind } from './engine-event.ts';
import { EventOutbox } from './event-outbox.ts';
import { Forwards } from './forwards.ts';
import type { RelayedHtlc } from './relayed-htlc.ts';
import { unsettledOwnHtlcs } from './lost-payments.ts';
import { InboundPayments } from './inbound-payments.ts';
import { envOf, monitorOf, type ManagerContext, type ManagerParts } from './manager-context.ts';
import { OnchainTxHandler } from './onchain-tx-handler.ts';
import { OutboundPayments } from './outbound-payments.ts';
import { PeerTable } from './peer-table.ts';
import { QuiescenceRequests } from './quiescence-requests.ts';
import {
  lostPreimages,
  restoreChannels,
  type Plan,
  type RecordsOrigin,
  type RestoredChannel,
} from './reconciliation.ts';
import { reservingChannels } from './reserving-channels.ts';
import { Turn, type TurnResult } from './turn.ts';

/**
 * The channels of every peer. All that happens to it happens in a turn: `run` collects what one input changed, to be
 * written in one transaction, and what leaves after that transaction has completed. An exception in a turn is an error of
 * ours: it freezes the channels that the turn touched and neither writes nor sends anything for them.
 */
export class ChannelManager {
  readonly inboundPayments: InboundPayments;
  readonly outboundPayments: OutboundPayments;
  readonly forwards: Forwards;
  readonly chainMonitor: ChainMonitor;
  readonly #context: ManagerContext;
  readonly #persister: MonitorPersister;
  readonly #channels: ChannelTable;
  readonly #establishment: ChannelEstablishment;
  readonly #messages: ChannelMessageHandler;
  readonly #onchain: OnchainTxHandler;
  readonly #closing: ClosingRequests;
  readonly #quiescence: QuiescenceRequests;
  /** Channels that changed since they last signed. */
  readonly #toSign = new Set<ChannelEntry>();
  /** What the records of channels have to say that changed since the last commit, as of the last turn that ended well. */
  readonly #unsaved = new Map<ChannelEntry, SavedChannel>();
  readonly #reports = new ClosingReports();
  /** Channels that could not be shown in this run. */
  readonly #unreported = new Set<string>();
  /** Channels as they were read, for what the first turn has to do about them. */
  #restored: readonly RestoredChannel[] = [];
  #origin: RecordsOrigin = 'ownStore';
  #turn: Turn | undefined;
  #savedWallet: WalletState;

  constructor(parts: ManagerParts, feerates: ChannelFeerates) {
    const { secp, keys, entropy, filter, wallet } = parts;
    const turn = (): Turn => this.#running();
    const undo = (): UndoLog | undefined => this.#turn?.undo;
    this.#channels = new ChannelTable(undo);
    this.#savedWallet = wallet.state;
    this.#persister = new MonitorPersister(() => turn().writes, undo);
    const signer = (params: ChannelParameters): ChannelSigner =>
      this.#channels.get(toHex(params.channelId))?.signer ?? keys.deriveChannelSigner(params, params.fundingSat);
    this.chainMonitor = new ChainMonitor(
      this.#persister,
      filter,
      { secp, signer, coins: wallet, destinationScript: () => keys.destinationScript() },
      undo,
    );
    this.#context = {
      parts,
      channels: this.#channels,
      peers: new PeerTable(turn, undo),
      chainMonitor: this.chainMonitor,
      events: new EventOutbox(turn, undo),
      conditions: { blockHeight: 0, feerates },
      turn,
      apply: (entry, transition) => this.#apply(entry, transition),
      close: (entry, reason, fate) => this.#close(entry, reason, fate),
      htlcResolved: (entry, resolved) => this.#htlcResolved(entry, resolved),
      isolate: (entry, work) => this.#isolate(entry, work),
    };
    this.#establishment = new ChannelEstablishment(this.#context, undo);
    this.#messages = new ChannelMessageHandler(this.#context, this.#establishment);
    this.#onchain = new OnchainTxHandler(this.#context, this.#establishment);
    this.#closing = new ClosingRequests(this.#context, this.#establishment);
    this.#quiescence = new QuiescenceRequests(this.#context);
    const htlcSwitch = new ChannelSwitch(this.#context);
    this.forwards = new Forwards(this.#context, htlcSwitch);
    const relay = (relayed: RelayedHtlc): void => this.forwards.accepted(relayed);
    this.inboundPayments = new InboundPayments({ secp, node: keys, turn, undo, htlcSwitch, relay });
    this.outboundPayments = new OutboundPayments({ secp, entropy, turn, undo, htlcSwitch });
  }

  get blockHeight(): number {
    return this.#context.conditions.blockHeight;
  }

  /**
   * Runs one input. `now` is in milliseconds since 1970. What `work` throws is thrown again: memory is then what it was
   * before, and the channels that the turn had touched are frozen.
   */
  run<T>(now: number, work: () => T): { readonly value: T; readonly result: TurnResult } {
    const turn = new Turn(now);
    this.#noteUndo(turn.undo);
    this.#turn = turn;
    try {
      const value = work();
      this.#settle(turn);
      for (const entry of turn.touched) this.#changed(turn.touch(entry));
      return { value, result: turn.finish(this.chainMonitor.takeStarted(), this.#toSign.size > 0) };
    } catch (error) {
      turn.undo.rollBack();
      for (const entry of turn.touched) this.#freeze(entry, error);
      throw error;
    } finally {
      this.#turn = undefined;
    }
  }

  /**
   * Ends a group of turns that share a commit: every channel that they changed signs and is written once for all of them.
   * `joined` are the updates of those turns. A channel with others that are not durable yet signs nothing until they are.
   */
  endCommit(now: number, joined: readonly PendingUpdate[]): TurnResult {
    const signed = this.#signReady(now, joined);
    for (const [entry, saved] of this.#unsaved)
      if (this.#channels.get(entry.key) === entry) this.#write(signed, entry, saved);
    this.#unsaved.clear();
    return signed;
  }

  /**
   * One record that cannot be written costs its channel, which a restart finds behind its monitor, and no other: without its
   * end the whole group could not be written.
   */
  #write({ writes }: TurnResult, entry: ChannelEntry, saved: SavedChannel): void {
    try {
      writeChannel(writes, entry, saved);
    } catch (error) {
      this.#freeze(entry, error);
      this.#context.parts.log(`writing ${entry.key.slice(0, 8)}: ${stackOf(error)}`);
    }
  }

  /**
   * Reads everything back; to be called once, before anything else, outside a turn. Of a `copy`, channels close themselves for
   * nothing until their peers' `channel_reestablish` has agreed with it.
   */
  load(records: StoredRecords, origin: RecordsOrigin = 'ownStore'): void {
    const { secp, keys, log } = this.#context.parts;
    this.inboundPayments.load(records, log);
    this.outboundPayments.load(records, log);
    const onionOf = (key: string, htlcId: bigint): Uint8Array => this.outboundPayments.onionOf(key, htlcId);
    const restored = restoreChannels(records, { persister: this.#persister, keys, secp, onionOf, log });
    for (const { entry, monitor } of restored) {
      this.#channels.add(entry);
      this.chainMonitor.loadMonitor(entry.key, monitor);
      this.#establishment.skipKeys(monitor.params.channelKeysIndex + 1);
    }
    this.#restored = restored;
    this.#origin = origin;
    this.#establishment.load(records);
    this.#context.events.load(records, log);
  }

  /** Leaves out the keys of channels below an index; after `load`. */
  skipKeys(firstKeysIndex: number): void {
    this.#establishment.skipKeys(firstKeysIndex);
  }

  /** Goes on with what needs no peer and no new block; in the first turn after `load`. */
  resume(): void {
    for (const each of this.#restored) this.#isolate(each.entry, () => this.#resumeChannel(each));
    this.#restored = [];
    // Requests are gone with their connections.
    this.#context.events.withdraw('channelRequested');
    this.#onchain.rebroadcast();
  }

  /**
   * Decides again upon accepted HTLCs that were not decided upon: once the chain's height is known, and before any peer is met.
   * By the height of an earlier run, a preimage could be given for an HTLC that expires before it can be claimed.
   */
  decideAccepted(): void {
    for (const entry of this.#channels.all())
      this.#isolate(entry, () => {
        if (!isOpen(entry)) return;
        const { commitments } = entry.state;
        for (const htlc of commitments.holderCommit.spec.htlcs)
          if (htlc.direction === 'inbound' && isRemovable(commitments, htlc.id)) this.#accepted(entry, htlc);
      });
  }

  peerConnected(nodeId: string, connectionId: number, features: FeatureSet): void {
    this.#messages.peerConnected(nodeId, connectionId, features);
  }

  peerDisconnected(nodeId: string, connectionId: number): void {
    this.#messages.peerDisconnected(nodeId, connectionId);
  }

  receive(nodeId: string, connectionId: number, message: Message): void {
    this.#messages.receive(nodeId, connectionId, message);
  }

  /**
   * Sends `open_channel`; the answer names the attempt. Throws `PeerNotConnected`, `ChainStale`, `ChannelTooSmall`, `ChannelTooLarge`,
   * `AmountOutOfRange`, `InsufficientFunds` and `FeeTooHigh`.
   */
  openChannel(nodeId: string, fundingSat: Sat, pushMsat: Msat, terms: FundingTerms = {}): string {
    return this.#establishment.open(nodeId, fundingSat, pushMsat, terms);
  }

  /** The fee of the funding, in satoshi, were the channel opened now. Changes nothing; throws as `openChannel`. */
  quoteOpenChannel(nodeId: string, fundingSat: Sat, pushMsat: Msat, terms: FundingTerms = {}): bigint {
    return this.#establishment.quote(nodeId, fundingSat, pushMsat, terms);
  }

  /** Answers the event `channelRequested`. Throws `ChannelRequestGone`. */
  acceptInboundChannel(temporaryChannelId: string): void {
    this.#establishment.acceptRequested(temporaryChannelId);
  }

  refuseInboundChannel(temporaryChannelId: string): void {
    this.#establishment.refuseRequested(temporaryChannelId);
  }

  /** What `closeChannel` would cost now. Changes nothing. Throws `ChannelUnknown`, `ChannelFrozen`, `ChannelNotOpen`. */
  quoteClose(key: string): ClosingQuote {
    return this.#closing.quote(key);
  }

  /**
   * Starts a cooperative close for which we pay `maxFeeSat` at most, without it what `quoteClose` names, or cancels an opening.
   * One that is under way goes on with it. Throws `FeeTooHigh` where it costs more already, and as `quoteClose`.
   */
  closeChannel(key: string, maxFeeSat?: bigint): void {
    this.#closing.close(key, maxFeeSat);
  }

  /**
   * Closes alone: our commitment goes out and our money waits for its delay. Throws `ChannelUnknown`, `ChannelNotOpen`,
   * `ChannelStale` and, without `unconfirmedState`, `StateUnconfirmed`: see `ChannelEntry.isConfirmed`.
   */
  forceCloseChannel(key: string, consent: ForceCloseConsent = {}): void {
    this.#closing.forceClose(key, consent);
  }

  /** Whether `forceCloseChannel` could do something for a channel. */
  mayForceClose(entry: ChannelEntry): boolean {
    return this.#closing.mayForceClose(entry);
  }

  /**
   * Makes a channel quiescent (BOLT 2, Channel Quiescence), and ends that with a new connection. Whether it begins: the channel
   * has to be usable now, its peer to offer `option_quiesce`, and nobody else to have begun.
   */
  quiesce(key: string): boolean {
    return this.#quiescence.quiesce(key);
  }

  addInvoice(payment: InboundPayment): void {
    this.inboundPayments.addInvoice(payment);
  }

  sendPayment(invoice: Invoice, invoiceText: string, amountMsat: Msat, maxFeeMsat?: Msat): string {
    return this.outboundPayments.send(invoice, invoiceText, amountMsat, this.blockHeight, maxFeeMsat);
  }

  /** Puts a record of the caller's own into the running turn's write. */
  record(key: string, value: Uint8Array | undefined): void {
    this.#running().writes.set(key, value);
  }

  /** Lets a transaction of the caller's own leave with the running turn. */
  broadcast(transaction: Uint8Array): void {
    this.#running().broadcast(transaction);
  }

  /** The user has seen an event: it is not delivered again. Durable with the next write. */
  acknowledgeEvent(id: number): void {
    const event = this.#context.events.acknowledge(id);
    if (event !== undefined && PAYMENT_ENDS.includes(event.kind)) this.#acknowledgeHtlcs(fromHex(event.subject));
  }

  #acknowledgeHtlcs(paymentHash: Uint8Array): void {
    if (!this.#isSeen(paymentHash)) return;
    for (const [key, { events, sources }] of this.chainMonitor.monitors())
      for (const { id, htlc } of events)
        if (!sources.has(htlc.id) && equalBytes(htlc.paymentHash, paymentHash))
          this.chainMonitor.ackMonitorEvent(key, id);
  }

  /** Events that nobody acknowledged, oldest first. */
  pendingEvents(): readonly EngineEvent[] {
    return this.#context.events.pending();
  }

  channels(): readonly ChannelEntry[] {
    return this.#channels.all();
  }

  /** What takes back the running turn: memory of the caller's own that changes with it goes in there. */
  get undo(): UndoLog | undefined {
    return this.#turn?.undo;
  }

  /** Whether a peer has a channel with us whose close is not in the chain: perhaps only the peer can bring it there. */
  needsPeer(nodeId: string): boolean {
    return this.#channels
      .of(nodeId)
      .some(
        ({ key, state }) => state.kind !== 'closed' || this.chainMonitor.monitor(key)?.confirmedSpend === undefined,
      );
  }

  /** Time passes: parts of payments time out, and peers that owe an answer. To be called about once a second. */
  timerTick(): void {
    this.inboundPayments.timerTick();
    this.forwards.timerTick();
    this.#onchain.closeAtDeadlines();
    this.#messages.timerTick();
  }

  /** Whether what is known of a channel comes from a copy that its peer has not confirmed yet. */
  isCopy({ key }: ChannelEntry): boolean {
    return this.chainMonitor.monitor(key)?.isCopy ?? false;
  }

  /** Whether a channel that ended every connection with its peer waits for something to change. */
  isSetApart(entry: ChannelEntry): boolean {
    return this.#messages.isSetApart(entry);
  }

  /** The owner wants a peer: channels of it that were set apart are tried again. */
  retryChannels(nodeId: string): void {
    this.#messages.retry(nodeId);
  }

  /** An update is durable: a channel that waited for it may sign again. */
  channelMonitorUpdated(key: string, updateId: number): void {
    this.chainMonitor.channelMonitorUpdated(key, updateId);
  }

  transactionsConfirmed(height: number, transactions: readonly BlockTransaction[]): void {
    this.#onchain.transactionsConfirmed(height, transactions);
  }

  /** A transaction in a mempool that spends an output which was registered with the `Filter`. */
  transactionSeen(transaction: Transaction): void {
    this.#onchain.transactionSeen(transaction);
  }

  transactionUnconfirmed(txid: Uint8Array): void {
    this.#onchain.transactionUnconfirmed(txid);
  }

  /** Answers the effect `readRevoked`; `undefined` where there is no such record. */
  revokedRead(channelKey: string, recordKey: string, record: Uint8Array | undefined): void {
    this.#onchain.revokedRead(channelKey, recordKey, record);
  }

  bestBlockUpdated(height: number): void {
    this.#onchain.bestBlockUpdated(height);
    this.inboundPayments.bestBlockUpdated(height);
    this.forwards.bestBlockUpdated(height);
    this.#messages.bestBlockUpdated();
  }

  /** For how many channels the on-chain wallet keeps coins. */
  reservingChannels(): number {
    return reservingChannels(this.#context);
  }

  /** What becomes of the money of a closed channel. An error of ours in it is in the log, and costs nothing but what is shown. */
  closing(entry: ChannelEntry): ClosingReport | undefined {
    const { secp, wallet, log } = this.#context.parts;
    const { blockHeight } = this;
    const monitor = this.chainMonitor.monitor(entry.key);
    const isPaid = (paymentHash: Uint8Array): boolean => this.outboundPayments.isPaid(paymentHash);
    try {
      if (monitor === undefined) return undefined;
      const destinationScript = this.chainMonitor.destinationScript(monitor);
      return this.#reports.of({ secp, wallet, isPaid, blockHeight, destinationScript }, entry, monitor);
    } catch (error) {
      if (!this.#unreported.has(entry.key)) log(`${entry.key.slice(0, 8)} cannot be shown: ${stackOf(error)}`);
      this.#unreported.add(entry.key);
      return undefined;
    }
  }

  /** What closed channels still owe to the wallet for certain, in satoshi. */
  sweepingSat(): bigint {
    return this.channels().reduce((sum, entry) => sum + certainBalance(this.closing(entry)?.balances ?? []), 0n);
  }

  /** What is ours in an open channel, in msat: payments of ours that are under way included, those to us once ours. */
  worthMsat(entry: ChannelEntry): bigint {
    const { state } = entry;
    if (state.kind !== 'open' || isUnfunded(state)) return 0n;
    const preimages = this.chainMonitor.monitor(entry.key)?.preimages ?? new Map();
    const isPaid = (paymentHash: Uint8Array): boolean => this.outboundPayments.isPaid(paymentHash);
    return worthMsat(state.commitments.holderCommit.spec, preimages, isPaid);
  }

  updateFeerates(feerates: ChannelFeerates): void {
    this.#context.conditions.feerates = feerates;
    // Whether a channel's own is still good is looked at whenever it signs, so also as soon as it is usable.
    for (const entry of this.#channels.all())
      if (isUsable(entry) && entry.state.params.isOpener) this.#running().touch(entry);
  }

  #apply<S extends ChannelState>(given: ChannelEntry, { state, steps, messages, facts }: Transition<S>): void {
    const entry = this.#running().touch(given);
    const before = entry.state.kind;
    entry.state = state;
    entry.steps = [...entry.steps, ...steps];
    for (const step of steps) if (step.kind === 'shutdownScript') this.#context.parts.wallet.handOut(step.script);
    // Until `channel_reestablish` came nothing else is said: the answer to it repeats whatever is due, in order.
    if (entry.connection === 'connected')
      for (const message of messages) this.#context.peers.send(entry.nodeId, message);
    if (state.kind === 'open' && before !== 'open') this.#establishment.funded(entry, state);
    for (const fact of facts) this.#handle(entry, fact);
    if (state.kind === 'awaitingFunding') this.#establishment.fund(entry, state);
  }

  #handle(entry: ChannelEntry, fact: ChannelFact): void {
    switch (fact.kind) {
      case 'htlcAccepted':
        return this.#accepted(entry, fact.htlc);
      case 'htlcDropped':
        return this.#dropped(entry.key, fact.htlc);
      case 'quiescent':
        return this.#quiescence.reached(entry, fact.initiator);
      case 'channelReady':
        this.#messages.ready(entry);
        return this.#context.events.note('channelReady', entry.key, 0n, '');
      case 'fundingSigned':
        return this.#establishment.fundingSigned(entry);
      case 'closingAgreed':
        this.#running().broadcast(fact.transaction);
        return this.#noteClosed(entry);
      case 'closingRepeated':
        return this.#running().broadcast(fact.transaction);
      case 'closingRefused':
        return this.#messages.violated(entry, violation('warn', fact.reason));
      default:
        return fact satisfies never;
    }
  }

  /** The same again changes nothing. */
  #htlcResolved({ key }: ChannelEntry, { id, htlc, resolution }: HtlcEvent): void {
    const source = this.chainMonitor.monitor(key)?.sources.get(htlc.id);
    if (source === undefined) this.#ownHtlcResolved(key, htlc, resolution);
    else this.forwards.resolved(key, source, htlc, resolution);
    if (this.#isConcluded(source, htlc)) this.chainMonitor.ackMonitorEvent(key, id);
  }

  #ownHtlcResolved(key: string, htlc: ChannelHtlc, resolution: HtlcResolution): void {
    switch (resolution.kind) {
      case 'fulfilled':
        this.outboundPayments.fulfilled(htlc, resolution.preimage);
        break;
      case 'failed':
        this.outboundPayments.failed(key, htlc, resolution.removal, this.blockHeight);
        break;
      case 'timedOut':
        this.outboundPayments.timedOut(key, htlc, this.blockHeight);
        break;
      default:
        resolution satisfies never;
    }
  }

  /** Whether nobody has to hear again what became of an HTLC of ours. */
  #isConcluded(source: HtlcSource | undefined, { paymentHash }: ChannelHtlc): boolean {
    return source === undefined ? this.#isSeen(paymentHash) : this.forwards.isAnswered(source, paymentHash);
  }

  /** What was to be said to those whose HTLCs passed through here is said, and for good. */
  #acknowledgeAnswered(): void {
    for (const [key, { events, sources }] of this.chainMonitor.monitors())
      for (const { id, htlc } of events) {
        const source = sources.get(htlc.id);
        if (source !== undefined && this.#isConcluded(source, htlc)) this.chainMonitor.ackMonitorEvent(key, id);
      }
  }

  #dropped(key: string, htlc: ChannelHtlc): void {
    if (htlc.source === undefined) this.outboundPayments.dropped(key, htlc, this.blockHeight);
    else this.forwards.dropped(htlc.source);
  }

  /** Whether the user of a payment has seen its end, or there is no such payment. */
  #isSeen(paymentHash: Uint8Array): boolean {
    const isAwaited = PAYMENT_ENDS.some((kind) => this.#context.events.isPending(kind, toHex(paymentHash)));
    return !isAwaited && !this.outboundPayments.isPending(paymentHash);
  }

  #accepted(entry: ChannelEntry, htlc: ChannelHtlc): void {
    this.inboundPayments.accepted(entry.key, htlc, this.blockHeight);
  }

  #close(given: ChannelEntry, reason: CloseReason, holderCommitment: HolderCommitmentFate): void {
    const { state, key } = given;
    if (state.kind !== 'open') return;
    const entry = this.#running().touch(given);
    const { params, commitments } = state;
    const holderMsat = commitments.holderCommit.spec.toHolderMsat;
    const unseen = unseenFunding(state, this.blockHeight);
    entry.state = { kind: 'closed', params, reason, holderMsat, unseenFunding: unseen };
    entry.steps = [...entry.steps, { kind: 'channelForceClosed', holderCommitment }];
    this.#noteClosed(entry);
    // What was never signed is in no commitment: nothing will ever be heard of it. A record that is older than its monitor
    // does not know what was signed since.
    const monitor = monitorOf(this.#context, given);
    const specs = [monitor.holderCommitment, ...monitor.counterpartyCommitments].map(({ spec }) => spec);
    const isSigned = (id: bigint): boolean => specs.some((spec) => findHtlc(spec, 'outbound', id) !== undefined);
    for (const change of withHeldProposed(commitments).holderChanges.proposed)
      if (change.kind === 'add' && !isSigned(change.htlc.id)) this.#dropped(key, change.htlc);
  }

  /** In one update of its monitor: what may be revoked must be known for that before anything is decided. */
  #resumeChannel({ entry, plan, storedChild }: RestoredChannel): void {
    const steps: MonitorStep[] = this.#origin === 'copy' ? [{ kind: 'copied' }] : [];
    const { key: channelKey, state } = entry;
    for (const htlc of unsettledOwnHtlcs(state, monitorOf(this.#context, entry)))
      this.outboundPayments.putBack(channelKey, htlc);
    const preimageOf = (htlcId: bigint): Uint8Array | undefined =>
      this.inboundPayments.preimageOf({ channelKey, htlcId }) ?? this.forwards.preimageOf({ channelKey, htlcId });
    for (const preimage of lostPreimages(state, monitorOf(this.#context, entry), preimageOf))
      steps.push({ kind: 'paymentPreimage', preimage });
    if (storedChild !== undefined) {
      steps.push({ kind: 'anchorChildChanged', child: storedChild });
      dropStoredChild(this.#running().writes, monitorOf(this.#context, entry).params);
    }
    if (steps.length > 0) this.#running().touch(entry).steps = [...entry.steps, ...steps];
    if (plan !== 'operate') this.#retire(entry, plan);
  }

  #retire(entry: ChannelEntry, plan: Exclude<Plan, 'operate'>): void {
    const { closed } = monitorOf(this.#context, entry);
    // What the monitor was told before stands, whatever is lost.
    const fate = plan === 'monitorBehind' ? 'never' : closed === 'no' ? 'broadcast' : closed;
    if (entry.state.kind === 'open') return this.#close(entry, { kind: plan }, fate);
    // It was closed already, or taken for closed as its state was lost.
    const touched = this.#running().touch(entry);
    touched.steps = [...touched.steps, { kind: 'channelForceClosed', holderCommitment: fate }];
    this.#noteClosed(touched);
  }

  #noteClosed({ key, state }: ChannelEntry): void {
    if (state.kind === 'closed')
      this.#context.events.note('channelClosed', key, state.holderMsat, explainClose(state.reason));
  }

  /** An error while signing freezes the channel that it came in; what the turns before it changed is written all the same. */
  #signReady(now: number, joined: readonly PendingUpdate[]): TurnResult {
    const ready = [...this.#toSign].filter(({ key }) => !this.chainMonitor.isInProgress(key, joined));
    try {
      return this.run(now, () => {
        for (const entry of ready)
          this.#isolate(entry, () => {
            if (!isOpen(entry) || entry.frozen !== undefined || entry.connection !== 'connected') return;
            this.#running().touch(entry);
            this.#sign(entry);
          });
      }).result;
    } catch (error) {
      this.#context.parts.log(`signing: ${stackOf(error)}`);
      return new Turn(now).finish([]);
    } finally {
      for (const entry of ready) this.#toSign.delete(entry);
    }
  }

  /** A turn that changed a channel has ended well: only then does the channel's record have to say so. */
  #changed(entry: TouchedEntry): void {
    const known = this.#channels.get(entry.key);
    if (known === undefined) return;
    this.#toSign.add(known);
    const signerState = entry.signer.state;
    if (entry.saved?.state === entry.state && entry.saved.signerState === signerState) return;
    entry.saved = { state: entry.state, signerState };
    this.#unsaved.set(known, entry.saved);
  }

  /** Ends a turn: hands each touched channel's steps to its monitor as one update. */
  #settle(turn: Turn): void {
    // What one monitor tells may be for another channel's to learn.
    for (let due = this.#unsettled(turn); due.length > 0; due = this.#unsettled(turn))
      for (const each of due) this.#settleChannel(turn, each);
    this.#acknowledgeAnswered();
    const wallet = this.#context.parts.wallet.state;
    if (wallet !== this.#savedWallet) turn.writes.set('coin/state', encodeWallet(wallet));
    this.#savedWallet = wallet;
  }

  #unsettled({ touched }: Turn): readonly ChannelEntry[] {
    return [...touched].filter((entry) => this.#isUnsettled(entry));
  }

  #isUnsettled({ key, steps }: ChannelEntry): boolean {
    return steps.length > 0 && this.#channels.get(key) !== undefined;
  }

  #settleChannel(turn: Turn, each: ChannelEntry): void {
    if (!this.#isUnsettled(each)) return;
    const entry = turn.touch(each);
    const { steps } = entry;
    entry.steps = [];
    this.chainMonitor.updateChannel(entry.key, steps);
    this.#onchain.updated(entry);
    this.#onchain.handleMonitorEvents(entry);
  }

  /** What is not a channel's or a payment's, and is taken back with a turn that fails. */
  #noteUndo(undo: UndoLog): void {
    const { wallet } = this.#context.parts;
    const [state, savedWallet] = [wallet.state, this.#savedWallet];
    const before = { ...this.#context.conditions };
    undo.push(() => {
      wallet.rollBack(state);
      this.#savedWallet = savedWallet;
      Object.assign(this.#context.conditions, before);
    });
  }

  #isolate(entry: ChannelEntry, work: () => void): void {
    const { wallet } = this.#context.parts;
    const failed = this.#running().attempt(() => {
      const before = wallet.state;
      this.#running().undo.push(() => wallet.rollBack(before));
      work();
      // Here, for what its monitor refuses has to take the rest back with it.
      this.#settleChannel(this.#running(), entry);
    });
    if (failed === undefined) return;
    this.#freeze(entry, failed.error);
    this.#context.parts.log(`${entry.key.slice(0, 8)}: ${stackOf(failed.error)}`);
  }

  /** Says what is due, and signs. */
  #sign(entry: OpenEntry): void {
    const env = envOf(this.#context, entry);
    const step = (next: Transition<OpenChannel>): void => {
      if (next.state !== entry.state) this.#apply(entry, next);
    };
    step(sendReadyIfDeep(env, entry.state));
    if (isUsable(entry)) step(raiseFeeIfDue(env, entry.state));
    step(operation.signPending(env, entry.state));
    if (isUsable(entry)) step(lowerFeeIfDue(env, entry.state));
    step(sendStfuIfSettled(entry.state));
    step(sendShutdownIfSigned(entry.state));
    const proposed = proposeClosing(env, entry.state);
    if (proposed.kind === 'violation') this.#messages.violated(entry, proposed);
    else step(proposed);
  }

  /** Whatever else was changed in the turn is taken back already. */
  #freeze(given: ChannelEntry, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    const entry: TouchedEntry = given;
    entry.frozen ??= reason;
    this.#context.parts.log(`${entry.key.slice(0, 8)} is frozen: ${reason}`);
    this.#context.parts.channelFrozen();
  }

  #running(): Turn {
    assert(this.#turn !== undefined, 'the engine works in turns only');
    return this.#turn;
  }
}

/** What tells the end of a payment of ours. */
const PAYMENT_ENDS: readonly EngineEventKind[] = ['paymentSent', 'paymentFailed'];

const stackOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));
