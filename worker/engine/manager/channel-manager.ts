import { toHex } from '../primitives/bytes.ts';
import { assert } from '../primitives/errors.ts';
import type { StoredRecords } from '../primitives/store.ts';
import type { FeeratePerKw, Msat, Sat } from '../primitives/units.ts';
import { isNegotiable, proposeClosingFee, requestShutdown, sendShutdownIfQuiet } from '../channel/channel-closing.ts';
import type { ChannelFeerates } from '../channel/channel-env.ts';
import type { LimitReached } from '../channel/channel-limits.ts';
import * as operation from '../channel/channel-operation.ts';
import { sendReadyIfDeep } from '../channel/channel-ready.ts';
import type { ChannelState, CloseReason, OpenChannel } from '../channel/channel-state.ts';
import { explainClose } from '../channel/close-reason.ts';
import { isRemovable } from '../channel/commitments.ts';
import type { ChannelFact, Transition } from '../channel/transition.ts';
import { ChainMonitor, type PendingUpdate } from '../monitor/chain-monitor.ts';
import type { BlockTransaction } from '../monitor/funding-spend.ts';
import { MonitorPersister } from '../monitor/monitor-persister.ts';
import type { InboundPayment } from '../payments/inbound-payment.ts';
import type { Invoice } from '../payments/invoice.ts';
import type { ChannelHtlc } from '../transactions/channel-htlc.ts';
import type { Removal } from '../transactions/commitment-spec.ts';
import { encodeWallet } from '../wallet/wallet-record.ts';
import type { WalletState } from '../wallet/wallet-state.ts';
import type { FeatureSet } from '../wire/features.ts';
import type { Message } from '../wire/message.ts';
import { ChannelEstablishment } from './channel-establishment.ts';
import {
  channelIdOf,
  isOpen,
  isUsable,
  type ChannelEntry,
  type OpenEntry,
  type SavedChannel,
} from './channel-entry.ts';
import { ChannelMessageHandler } from './channel-message-handler.ts';
import { writeChannel } from './channel-store.ts';
import { ChannelTable } from './channel-table.ts';
import type { EngineEvent } from './engine-event.ts';
import { EventOutbox } from './event-outbox.ts';
import type { HtlcSwitch } from './htlc-switch.ts';
import { InboundPayments } from './inbound-payments.ts';
import { envOf, type ManagerContext, type ManagerParts } from './manager-context.ts';
import { OnchainTxHandler } from './onchain-tx-handler.ts';
import { OutboundPayments } from './outbound-payments.ts';

import { PeerTable } from './peer-table.ts';
import { restoreChannels } from './reconciliation.ts';
import { Turn, type TurnResult } from './turn.ts';

/**
 * The channels of every peer. All that happens to it happens in a turn: `run` collects what one input changed, to be
 * written in one transaction, and what leaves after that transaction has completed. An exception in a turn is an error of
 * ours: it freezes the channels that the turn touched and neither writes nor sends anything for them.
 */
export class ChannelManager {
  readonly inboundPayments: InboundPayments;
  readonly outboundPayments: OutboundPayments;
  readonly chainMonitor: ChainMonitor;
  readonly #context: ManagerContext;
  readonly #persister: MonitorPersister;
  readonly #channels: ChannelTable = new ChannelTable();
  readonly #establishment: ChannelEstablishment;
  readonly #messages: ChannelMessageHandler;
  readonly #onchain: OnchainTxHandler;
  /** Channels that changed since they last signed. */
  readonly #toSign = new Set<ChannelEntry>();
  /** What the records of channels have to say that changed since the last commit, as of the last turn that ended well. */
  readonly #unsaved = new Map<ChannelEntry, SavedChannel>();
  #turn: Turn | undefined;
  #savedWallet: WalletState;

  constructor(parts: ManagerParts, feerates: ChannelFeerates) {
    const { secp, keys, entropy, filter, wallet } = parts;
    const turn = (): Turn => this.#running();
    this.#savedWallet = wallet.state;
    this.#persister = new MonitorPersister(() => turn().writes);
    this.chainMonitor = new ChainMonitor(this.#persister, filter, {
      secp,
      signer: ({ channelId, channelKeysIndex, fundingSat }) =>
        this.#channels.get(toHex(channelId))?.signer ?? keys.deriveChannelSigner(channelKeysIndex, fundingSat),
    });
    this.#context = {
      parts,
      channels: this.#channels,
      peers: new PeerTable(turn),
      chainMonitor: this.chainMonitor,
      events: new EventOutbox(turn),
      conditions: { blockHeight: 0, feerates },
      turn,
      apply: (entry, transition) => this.#apply(entry, transition),
      close: (entry, reason, broadcast) => this.#close(entry, reason, broadcast),
    };
    this.#establishment = new ChannelEstablishment(this.#context);
    this.#messages = new ChannelMessageHandler(this.#context, this.#establishment);
    this.#onchain = new OnchainTxHandler(this.#context);
    const htlcSwitch = this.#htlcSwitch();
    this.inboundPayments = new InboundPayments({ secp, node: keys, turn, htlcSwitch });
    this.outboundPayments = new OutboundPayments({ secp, entropy, turn, htlcSwitch });
  }

  get blockHeight(): number {
    return this.#context.conditions.blockHeight;
  }

  /**
   * Runs one input. `now` is in milliseconds since 1970. What `work` throws is thrown again, after the channels that it
   * had touched were frozen; the turn's writes and effects are gone with it.
   */
  run<T>(now: number, work: () => T): { readonly value: T; readonly result: TurnResult } {
    const turn = new Turn(now);
    this.#turn = turn;
    try {
      const value = work();
      this.#settle(turn);
      for (const entry of turn.touched) this.#changed(entry);
      return { value, result: turn.finish(this.chainMonitor.takeStarted(), this.#toSign.size > 0) };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      for (const entry of turn.touched) this.#freeze(entry, reason);
      this.chainMonitor.takeStarted();
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
    for (const [entry, saved] of this.#unsaved) writeChannel(signed.writes, entry, saved);
    this.#unsaved.clear();
    return signed;
  }

  /** Reads everything back; to be called once, before anything else, outside a turn. */
  load(records: StoredRecords): void {
    const { keys } = this.#context.parts;
    this.inboundPayments.load(records);
    this.outboundPayments.load(records);
    const onionOf = (key: string, htlcId: bigint): Uint8Array => this.outboundPayments.onionOf(key, htlcId);
    for (const { entry, monitor } of restoreChannels(records, this.#persister, keys, onionOf)) {
      this.#channels.add(entry);
      this.chainMonitor.loadMonitor(entry.key, monitor);
      this.#establishment.skipKeys(monitor.params.channelKeysIndex + 1);
    }
    this.#establishment.load(records);
    this.#context.events.load(records);
  }

  /** Leaves out the keys of channels below an index; after `load`. */
  skipKeys(firstKeysIndex: number): void {
    this.#establishment.skipKeys(firstKeysIndex);
  }

  /** Decides again upon accepted HTLCs that were not decided upon; in the first turn after `load`. */
  resume(): void {
    for (const entry of this.#channels.all()) {
      if (!isOpen(entry)) continue;
      const { commitments } = entry.state;
      for (const htlc of commitments.holderCommit.spec.htlcs)
        if (htlc.direction === 'inbound' && isRemovable(commitments, htlc.id)) this.#accepted(entry, htlc);
    }
    this.#onchain.rebroadcast();
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
   * Sends `open_channel`; the answer names the attempt. Throws `PeerNotConnected`, `ChannelTooSmall`, `ChannelTooLarge`,
   * `AmountOutOfRange` and `InsufficientFunds`.
   */
  openChannel(nodeId: string, fundingSat: Sat, pushMsat: Msat): string {
    return this.#establishment.open(nodeId, fundingSat, pushMsat);
  }

  /** Starts a cooperative close. Throws `ChannelUnknown`, `ChannelNotOpen`. */
  closeChannel(key: string): void {
    const entry = this.#channels.openEntry(key);
    this.#apply(entry, requestShutdown(entry.state, this.#context.parts.keys.shutdownScript()));
  }

  /** Closes alone: our commitment goes out and our money waits for its delay. Throws as `closeChannel`. */
  forceCloseChannel(key: string): void {
    const entry = this.#channels.openEntry(key);
    this.#close(entry, { kind: 'holderForceClosed' }, true);
    this.#context.peers.sendError(entry.nodeId, channelIdOf(entry), 'the channel was closed by its owner');
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
    this.#context.events.acknowledge(id);
  }

  /** Events that nobody acknowledged, oldest first. */
  pendingEvents(): readonly EngineEvent[] {
    return this.#context.events.pending();
  }

  channels(): readonly ChannelEntry[] {
    return this.#channels.all();
  }

  /** Time passes: parts of payments time out. */
  timerTick(): void {
    this.inboundPayments.timerTick();
  }

  /** An update is durable: a channel that waited for it may sign again. */
  channelMonitorUpdated(key: string, updateId: number): void {
    this.chainMonitor.channelMonitorUpdated(key, updateId);
  }

  transactionsConfirmed(height: number, transactions: readonly BlockTransaction[]): void {
    this.#onchain.transactionsConfirmed(height, transactions);
  }

  transactionUnconfirmed(txid: Uint8Array): void {
    this.#onchain.transactionUnconfirmed(txid);
  }

  bestBlockUpdated(height: number): void {
    this.#onchain.bestBlockUpdated(height);
  }

  /** What closed channels still owe to the wallet, in satoshi. */
  sweepingSat(): bigint {
    return this.#onchain.sweepingSat();
  }

  updateFeerates(feerates: ChannelFeerates): void {
    this.#context.conditions.feerates = feerates;
    for (const entry of this.#channels.all()) {
      if (!isUsable(entry) || !entry.state.params.isOpener) continue;
      const current = entry.state.commitments.holderCommit.spec.feeratePerKw;
      if (isFarFrom(current, feerates.commitment))
        this.#apply(entry, operation.proposeFee(entry.state, feerates.commitment));
    }
  }

  #apply<S extends ChannelState>(entry: ChannelEntry, { state, steps, messages, facts }: Transition<S>): void {
    this.#running().touched.add(entry);
    const before = entry.state.kind;
    entry.state = state;
    entry.steps.push(...steps);
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
      case 'htlcFulfilled':
        return this.outboundPayments.fulfilled(fact.htlc, fact.preimage);
      case 'htlcRemoved':
        if (fact.removal.kind !== 'fulfill')
          this.outboundPayments.failed(entry.key, fact.htlc, fact.removal, this.blockHeight);
        return;
      case 'htlcDropped':
        return this.outboundPayments.dropped(entry.key, fact.htlc, this.blockHeight);
      case 'channelReady':
        return this.#context.events.note('channelReady', entry.key, 0n, '');
      case 'fundingSigned':
        return this.#establishment.fundingSigned(entry);
      case 'closingAgreed':
        this.#running().broadcast(fact.transaction);
        return this.#noteClosed(entry);
      default:
        return fact satisfies never;
    }
  }

  #accepted(entry: ChannelEntry, htlc: ChannelHtlc): void {
    this.inboundPayments.accepted(entry.key, htlc, this.blockHeight);
  }

  #close(entry: ChannelEntry, reason: CloseReason, broadcast: boolean): void {
    if (!isOpen(entry)) return;
    this.#running().touched.add(entry);
    const { params, commitments } = entry.state;
    const holderMsat = commitments.holderCommit.spec.toHolderMsat;
    const ended: ChannelEntry = entry;
    ended.state = { kind: 'closed', params, reason, holderMsat };
    ended.steps.push({ kind: 'channelForceClosed', broadcast });
    this.#noteClosed(ended);
  }

  #noteClosed({ key, state }: ChannelEntry): void {
    if (state.kind === 'closed')
      this.#context.events.note('channelClosed', key, state.holderMsat, explainClose(state.reason));
  }

  /** An error while signing freezes its channels as in every turn; what the turns before it changed is written all the same. */
  #signReady(now: number, joined: readonly PendingUpdate[]): TurnResult {
    const ready = [...this.#toSign].filter(({ key }) => !this.chainMonitor.isInProgress(key, joined));
    try {
      return this.run(now, () => {
        for (const entry of ready) {
          if (!isOpen(entry) || entry.frozen !== undefined || entry.connection !== 'connected') continue;
          this.#running().touched.add(entry);
          this.#sign(entry);
        }
      }).result;
    } catch (error) {
      this.#context.parts.log(`signing: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      return new Turn(now).finish([]);
    } finally {
      for (const entry of ready) this.#toSign.delete(entry);
    }
  }

  /** A turn that changed a channel has ended well: only then does the channel's record have to say so. */
  #changed(entry: ChannelEntry): void {
    this.#toSign.add(entry);
    if (entry.frozen !== undefined || this.#channels.get(entry.key) === undefined) return;
    const signerState = entry.signer.state;
    if (entry.saved?.state === entry.state && entry.saved.signerState === signerState) return;
    entry.saved = { state: entry.state, signerState };
    this.#unsaved.set(entry, entry.saved);
  }

  /** Ends a turn: hands each touched channel's steps to its monitor as one update. */
  #settle({ touched, writes }: Turn): void {
    for (const entry of touched) {
      if (entry.frozen !== undefined || this.#channels.get(entry.key) === undefined) continue;
      if (entry.steps.length > 0) {
        const steps = entry.steps;
        entry.steps = [];
        this.chainMonitor.updateChannel(entry.key, steps);
        this.#onchain.broadcastHolderCommitment(entry);
      }
    }
    const wallet = this.#context.parts.wallet.state;
    if (wallet !== this.#savedWallet) writes.set('coin/state', encodeWallet(wallet));
    this.#savedWallet = wallet;
  }

  /** Says what is due, and signs. */
  #sign(entry: OpenEntry): void {
    const env = envOf(this.#context, entry);
    const step = (next: Transition<OpenChannel>): void => {
      if (next.state !== entry.state) this.#apply(entry, next);
    };
    step(sendReadyIfDeep(env, entry.state));
    step(operation.signPending(env, entry.state));
    step(sendShutdownIfQuiet(entry.state));
    const mayPropose = entry.state.params.isOpener && entry.negotiation.lastSentFeeSat === undefined;
    if (!mayPropose || !isNegotiable(entry.state)) return;
    const { message, feeSat } = proposeClosingFee(env, entry.state);
    entry.negotiation = { lastSentFeeSat: feeSat };
    this.#context.peers.send(entry.nodeId, message);
  }

  #htlcSwitch(): HtlcSwitch {
    const env = (entry: OpenEntry): ReturnType<typeof envOf> => envOf(this.#context, entry);
    return {
      firstHops: () => this.#channels.firstHops(),
      offer: (key, offer): ChannelHtlc | LimitReached => {
        const entry = this.#channels.get(key);
        if (entry === undefined || !isUsable(entry))
          return { code: 'InsufficientChannelBalance', message: 'The channel is not usable now.' };
        const offered = operation.offerHtlc(env(entry), entry.state, offer);
        if ('code' in offered) return offered;
        this.#apply(entry, offered.transition);
        return offered.htlc;
      },
      remove: (key, decision: Removal) => {
        const entry = this.#channels.get(key);
        if (entry !== undefined && isOpen(entry)) this.#apply(entry, operation.removeHtlc(entry.state, decision));
      },
      exceedsDustExposure: (key) => {
        const entry = this.#channels.get(key);
        return entry !== undefined && isOpen(entry) && operation.exceedsDustExposure(env(entry), entry.state);
      },
      note: (kind, subject, amountMsat, message) => this.#context.events.note(kind, subject, amountMsat, message),
    };
  }

  #freeze(entry: ChannelEntry, reason: string): void {
    entry.frozen = reason;
    entry.steps = [];
    this.#context.parts.log(`${entry.key.slice(0, 8)} is frozen: ${reason}`);
  }

  #running(): Turn {
    assert(this.#turn !== undefined, 'the engine works in turns only');
    return this.#turn;
  }
}

const isFarFrom = (current: FeeratePerKw, wanted: FeeratePerKw): boolean =>
  wanted > current * 1.5 || wanted * 2 < current;
