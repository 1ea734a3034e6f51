import { equalBytes, fromHex, fromUtf8, printable, toHex } from '../primitives/bytes.ts';
import { GlowwormError } from '../primitives/errors.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import { readCount, writeCount, type StoredRecords } from '../primitives/store.ts';
import type { FeeratePerKw, Msat, Sat } from '../primitives/units.ts';
import type { ChannelConfig } from '../channel/channel-config.ts';
import type { ChannelEnv, ChannelFeerates } from '../channel/channel-env.ts';
import {
  isNegotiable,
  proposeClosingFee,
  requestShutdown,
  sendShutdownIfQuiet,
  type CounterOffer,
} from '../channel/channel-closing.ts';
import { availableToSendMsat, type LimitReached } from '../channel/channel-limits.ts';
import { acceptChannel, createFunding, fundingOutputScript, openChannel } from '../channel/channel-opening.ts';
import { receiveMessage } from '../channel/channel-messages.ts';
import * as operation from '../channel/channel-operation.ts';
import { FUNDING_TIMEOUT_BLOCKS, sendReadyIfDeep } from '../channel/channel-ready.ts';
import { afterDisconnection, reestablishMessage } from '../channel/channel-reestablish.ts';
import { scidsOf } from '../channel/channel-scids.ts';
import { explainClose } from '../channel/close-reason.ts';
import type { ChannelState, CloseReason, OpenChannel } from '../channel/channel-state.ts';
import { isRemovable } from '../channel/commitments.ts';
import type { ChannelFact, Transition, Violation } from '../channel/transition.ts';
import type { ChannelSigner } from '../keys/channel-signer.ts';
import type { EntropySource, NodeSigner, SignerProvider } from '../keys/ports.ts';
import { ChainMonitor, type Filter } from '../monitor/chain-monitor.ts';
import { lastCounterpartySecret, type ChannelMonitor } from '../monitor/channel-monitor.ts';
import type { BlockTransaction, MonitorEvent } from '../monitor/funding-spend.ts';
import { MonitorPersister } from '../monitor/monitor-persister.ts';
import { maturingOutputs } from '../monitor/spendable-outputs.ts';
import type { InboundPayment } from '../payments/inbound-payment.ts';
import type { Invoice } from '../payments/invoice.ts';
import type { FirstHop } from '../routing/path.ts';
import type { ChannelHtlc } from '../transactions/channel-htlc.ts';
import type { ChannelParameters } from '../transactions/channel-parameters.ts';
import type { Removal } from '../transactions/commitment-spec.ts';
import { decodeTransaction, transactionId } from '../transactions/transaction.ts';
import { encodeWallet } from '../wallet/wallet-record.ts';
import type { WalletState } from '../wallet/wallet-state.ts';
import type { OnchainWallet } from '../wallet/wallet.ts';
import { hasFeature, type FeatureSet } from '../wire/features.ts';
import type { Message, MessageOf } from '../wire/message.ts';
import { isOpen, isUsable, type ChannelEntry, type OpenEntry } from './channel-entry.ts';
import { anchorChild, sweep } from './close-enforcement.ts';
import { readChannels, writeChannel, writeForwarding, writeNewChannel } from './channel-store.ts';
import type { EngineEvent } from './engine-event.ts';
import { EventOutbox } from './event-outbox.ts';
import { PaymentBook } from './payment-book.ts';
import { Turn, type TurnResult } from './turn.ts';

/** What a manager is made of. */
export interface ManagerParts {
  readonly secp: Secp256k1;
  readonly keys: NodeSigner & SignerProvider;
  readonly entropy: EntropySource;
  readonly wallet: OnchainWallet;
  readonly filter: Filter;
  readonly config: ChannelConfig;
  /** 32 bytes, as in `open_channel`. */
  readonly chainHash: Uint8Array;
  readonly trustedForZeroConf: (nodeId: string) => boolean;
  /** Kept in the on-chain wallet for closes while there are channels. */
  readonly reserveSat: (channels: number) => bigint;
  /** A line for the log; never a secret. */
  readonly log: (line: string) => void;
}

interface Peer {
  readonly connectionId: number;
  readonly features: FeatureSet;
}

const ALL_CHANNELS = new Uint8Array(32);

/**
 * The channels of every peer. All that happens to it happens in a turn: `run` collects what one input changed, to be
 * written in one transaction, and what leaves after that transaction has completed. An exception in a turn is an error of
 * ours: it freezes the channels that the turn touched and neither writes nor sends anything for them.
 */
export class ChannelManager {
  readonly payments: PaymentBook;
  readonly chainMonitor: ChainMonitor;
  readonly #parts: ManagerParts;
  readonly #persister: MonitorPersister;
  readonly #channels = new Map<string, ChannelEntry>();
  readonly #peers = new Map<string, Peer>();
  readonly #events: EventOutbox = new EventOutbox(() => this.#running());
  #touched = new Set<ChannelEntry>();
  #turn: Turn | undefined;
  #savedWallet: WalletState;
  #nextKeysIndex = 0;
  #blockHeight = 0;
  #feerates: ChannelFeerates;

  constructor(parts: ManagerParts, feerates: ChannelFeerates) {
    this.#parts = parts;
    this.#feerates = feerates;
    this.#savedWallet = parts.wallet.state;
    this.#persister = new MonitorPersister(() => this.#running().writes);
    this.chainMonitor = new ChainMonitor(this.#persister, parts.filter, {
      secp: parts.secp,
      signer: (params) => this.#signerOf(params),
    });
    this.payments = new PaymentBook({
      secp: parts.secp,
      node: parts.keys,
      entropy: parts.entropy,
      turn: () => this.#running(),
      htlcSwitch: {
        firstHops: () => this.#firstHops(),
        offer: (key, offer) => this.#offer(key, offer),
        remove: (key, decision) => this.#remove(key, decision),
        exceedsDustExposure: (key) => this.#exceedsDustExposure(key),
        note: (kind, subject, amountMsat, message) => this.#events.note(kind, subject, amountMsat, message),
      },
    });
  }

  get blockHeight(): number {
    return this.#blockHeight;
  }

  /**
   * Runs one input. `now` is in milliseconds since 1970. What `work` throws is thrown again, after the channels that it
   * had touched were frozen; the turn's writes and effects are gone with it.
   */
  run<T>(now: number, work: () => T): { readonly value: T; readonly result: TurnResult } {
    const turn = new Turn(now);
    this.#turn = turn;
    this.#touched = new Set();
    try {
      const value = work();
      this.#settle();
      return { value, result: turn.finish(this.chainMonitor.takeStarted()) };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      for (const entry of this.#touched) this.#freeze(entry, reason);
      this.chainMonitor.takeStarted();
      throw error;
    } finally {
      this.#turn = undefined;
    }
  }

  /** Reads everything back; to be called once, before anything else, outside a turn. */
  load(records: StoredRecords): void {
    this.payments.load(records);
    for (const stored of readChannels(records, (key, id) => this.payments.onionOf(key, id))) {
      const { key, params } = stored;
      const monitor = this.#persister.load(key, params, records);
      if (monitor === undefined)
        throw new GlowwormError('MonitorMissing', 'A channel has lost its monitor: restore the wallet from a backup.', {
          channelId: key,
        });
      const signer = this.#parts.keys.deriveChannelSigner(
        params.channelKeysIndex,
        params.fundingSat,
        stored.kind === 'open' ? stored.signer : undefined,
      );
      const entry = this.#entry(key, toHex(params.counterpartyNodeId), signer, stored.channel, 'disconnected');
      entry.forwarding = stored.forwarding;
      entry.saved = { state: entry.state, signerState: signer.state };
      for (const name of stored.onions) entry.storedOnions.add(name);
      if (stored.kind === 'open') checkAgainstMonitor(stored.channel, monitor);
      this.#channels.set(key, entry);
      this.chainMonitor.loadMonitor(key, monitor);
      this.#nextKeysIndex = Math.max(this.#nextKeysIndex, params.channelKeysIndex + 1);
    }
    const index = records.get('meta/keysIndex');
    if (index !== undefined) this.#nextKeysIndex = Math.max(this.#nextKeysIndex, readCount(index));
    this.#events.load(records);
  }

  /** Leaves out the keys of channels below an index; after `load`. */
  skipKeys(firstKeysIndex: number): void {
    this.#nextKeysIndex = Math.max(this.#nextKeysIndex, firstKeysIndex);
  }

  /** Decides again upon accepted HTLCs that were not decided upon; in the first turn after `load`. */
  resume(): void {
    for (const entry of this.#channels.values()) {
      if (!isOpen(entry)) continue;
      const { commitments } = entry.state;
      for (const htlc of commitments.holderCommit.spec.htlcs)
        if (htlc.direction === 'inbound' && isRemovable(commitments, htlc.id)) this.#accepted(entry, htlc);
    }
    this.rebroadcast();
  }

  peerConnected(nodeId: string, connectionId: number, features: FeatureSet): void {
    // A peer may be back before its lost connection is noticed; what that one left unsigned is gone all the same.
    const lost = this.#peers.get(nodeId);
    if (lost !== undefined) this.peerDisconnected(nodeId, lost.connectionId);
    this.#peers.set(nodeId, { connectionId, features });
    for (const entry of this.#of(nodeId)) {
      if (!isOpen(entry) || entry.frozen !== undefined) continue;
      entry.connection = 'reestablishing';
      const secret = lastCounterpartySecret(this.#monitor(entry));
      this.#send(nodeId, reestablishMessage(this.#env(entry), entry.state, secret));
    }
  }

  peerDisconnected(nodeId: string, connectionId: number): void {
    if (this.#peers.get(nodeId)?.connectionId !== connectionId) return;
    this.#peers.delete(nodeId);
    for (const entry of this.#of(nodeId)) {
      entry.connection = 'disconnected';
      entry.negotiation = {};
      if (isOpen(entry)) entry.state = afterDisconnection(entry.state);
      else if (entry.state.kind !== 'closed')
        this.#abandon(entry, 'The peer disconnected while the channel was opened.');
    }
  }

  receive(nodeId: string, connectionId: number, message: Message): void {
    const peer = this.#peers.get(nodeId);
    if (peer?.connectionId !== connectionId) return;
    switch (message.kind) {
      case 'open_channel':
        return this.#receiveOpen(nodeId, peer, message);
      case 'accept_channel':
      case 'funding_created':
        return this.#receiveFor(nodeId, toHex(message.temporaryChannelId), message);
      case 'error':
        return this.#receiveError(nodeId, message);
      case 'channel_update':
        return this.#receiveChannelUpdate(nodeId, message);
      case 'warning':
        return this.#parts.log(`warning from ${nodeId.slice(0, 8)}: ${printable(message.data)}`);
      default:
        if ('channelId' in message) this.#receiveFor(nodeId, toHex(message.channelId), message);
    }
  }

  /** Sends `open_channel`; the answer names the attempt. Throws `PeerNotConnected`, `ChannelTooSmall`, `ChannelTooLarge`. */
  openChannel(nodeId: string, fundingSat: Sat, pushMsat: Msat): string {
    const peer = this.#peers.get(nodeId);
    if (peer === undefined)
      throw new GlowwormError('PeerNotConnected', 'The peer is not connected. Check its address.', { nodeId });
    const { config, wallet } = this.#parts;
    if (fundingSat < config.minimumFundingSat)
      throw new GlowwormError('ChannelTooSmall', `A channel needs at least ${config.minimumFundingSat} sat.`);
    if (fundingSat > 16_777_215n && !hasFeature(peer.features, 'option_support_large_channel'))
      throw new GlowwormError('ChannelTooLarge', 'The peer takes channels of at most 16,777,215 sat.');
    if (pushMsat > fundingSat * 1000n)
      throw new GlowwormError('AmountOutOfRange', 'More cannot be pushed than the channel holds.');
    const { spendableSat } = wallet.balance(this.#reserveSat(1));
    if (spendableSat < fundingSat)
      throw new GlowwormError('InsufficientFunds', `The on-chain wallet can spend ${spendableSat} sat.`, {
        availableSat: spendableSat,
        neededSat: fundingSat,
      });
    const channelKeysIndex = this.#takeKeysIndex();
    const signer = this.#parts.keys.deriveChannelSigner(channelKeysIndex, fundingSat);
    const temporaryChannelId = this.#parts.entropy.getSecureRandomBytes();
    const key = toHex(temporaryChannelId);
    const opening = openChannel(this.#envOf(signer), {
      temporaryChannelId,
      counterpartyNodeId: fromHex(nodeId),
      counterpartyFeatures: peer.features,
      channelKeysIndex,
      chainHash: this.#parts.chainHash,
      fundingSat,
      pushMsat,
      shutdownScript: this.#parts.keys.shutdownScript(),
    });
    const entry = this.#entry(key, nodeId, signer, opening.state, 'connected');
    this.#channels.set(key, entry);
    this.#apply(entry, opening);
    return key;
  }

  /** Starts a cooperative close. Throws `ChannelUnknown`, `ChannelNotOpen`. */
  closeChannel(key: string): void {
    const entry = this.#openEntry(key);
    this.#apply(entry, requestShutdown(entry.state, this.#parts.keys.shutdownScript()));
  }

  /** Closes alone: our commitment goes out and our money waits for its delay. Throws as `closeChannel`. */
  forceCloseChannel(key: string): void {
    const entry = this.#openEntry(key);
    this.#close(entry, { kind: 'holderForceClosed' }, true);
    this.#sendError(entry, 'the channel was closed by its owner');
  }

  addInvoice(payment: InboundPayment): void {
    this.payments.addInvoice(payment);
  }

  sendPayment(invoice: Invoice, invoiceText: string, amountMsat: Msat): string {
    return this.payments.send(invoice, invoiceText, amountMsat, this.#blockHeight);
  }

  /** Puts a record of the caller's own into the running turn's write. */
  record(key: string, value: Uint8Array | undefined): void {
    this.#running().writes.set(key, value);
  }

  /** Lets a transaction of the caller's own leave with the running turn. */
  broadcast(transaction: Uint8Array): void {
    this.#broadcast(transaction);
  }

  /** The user has seen an event: it is not delivered again. Durable with the next write. */
  acknowledgeEvent(id: number): void {
    this.#events.acknowledge(id);
  }

  /** Events that nobody acknowledged, oldest first. */
  pendingEvents(): readonly EngineEvent[] {
    return this.#events.pending();
  }

  channels(): readonly ChannelEntry[] {
    return [...this.#channels.values()];
  }

  isConnected(nodeId: string): boolean {
    return this.#peers.has(nodeId);
  }

  isFrozenByStorage(key: string): boolean {
    return this.chainMonitor.isInProgress(key);
  }

  /** Time passes: parts of payments time out. */
  timerTick(): void {
    this.payments.timerTick();
  }

  /** A commit has completed these updates: channels that waited for them go on. */
  channelMonitorUpdated(key: string, updateId: number): void {
    if (!this.chainMonitor.channelMonitorUpdated(key, updateId)) return;
    const entry = this.#channels.get(key);
    if (entry !== undefined) this.#touch(entry);
  }

  transactionsConfirmed(height: number, transactions: readonly BlockTransaction[]): void {
    this.chainMonitor.transactionsConfirmed(height, transactions);
    for (const { transaction, index } of transactions) {
      const txid = transactionId(transaction);
      for (const entry of this.#channels.values()) {
        if (!isOpen(entry) || !equalBytes(entry.state.params.fundingTxid, txid)) continue;
        const { transaction: kept } = entry.state.funding;
        entry.state = {
          ...entry.state,
          funding: { kind: 'confirmed', height, transactionIndex: index, transaction: kept },
        };
        this.#touch(entry);
      }
    }
    this.#handleMonitorEvents();
  }

  transactionUnconfirmed(txid: Uint8Array): void {
    this.chainMonitor.transactionUnconfirmed(txid);
    for (const entry of this.#channels.values()) {
      if (!isOpen(entry) || !equalBytes(entry.state.params.fundingTxid, txid)) continue;
      entry.state = { ...entry.state, funding: { kind: 'unconfirmed', transaction: entry.state.funding.transaction } };
      this.#touch(entry);
    }
    this.#handleMonitorEvents();
  }

  bestBlockUpdated(height: number): void {
    this.#blockHeight = height;
    for (const entry of this.#channels.values()) {
      if (!isOpen(entry)) continue;
      const { state } = entry;
      if (!state.holderReadySent) this.#touch(entry);
      const waited = height - (entry.openedAtHeight ??= height);
      if (state.funding.kind === 'unconfirmed' && !state.params.isOpener && waited > FUNDING_TIMEOUT_BLOCKS)
        this.#close(entry, { kind: 'fundingTimedOut' }, false);
    }
    this.rebroadcast();
  }

  /** Every transaction of channels that should be in the chain and is not. */
  rebroadcast(): void {
    for (const entry of this.#channels.values()) {
      const { state } = entry;
      if (state.kind === 'open' && state.funding.kind === 'unconfirmed') this.#broadcast(state.funding.transaction);
      if (state.kind !== 'closed') continue;
      const monitor = this.#monitor(entry);
      if (monitor.confirmedSpend !== undefined) this.#sweep(entry, monitor);
      else if (state.reason.kind === 'cooperative') this.#broadcast(state.reason.transaction);
      else this.#broadcastHolderCommitment(entry, monitor);
    }
  }

  /** What closed channels still owe to the wallet, in satoshi. */
  sweepingSat(): bigint {
    return [...this.#channels.values()].reduce((sum, entry) => {
      if (entry.state.kind !== 'closed') return sum;
      const outputs = maturingOutputs(this.#parts.secp, entry.signer, this.#monitor(entry));
      return outputs.reduce((total, { output }) => total + output.amountSat, sum);
    }, 0n);
  }

  #sweep(entry: ChannelEntry, monitor: ChannelMonitor): void {
    const outputs = maturingOutputs(this.#parts.secp, entry.signer, monitor);
    const mature = outputs.filter(({ spendableAt }) => this.#blockHeight + 1 >= spendableAt);
    if (mature.length === 0) return;
    const transaction = sweep(entry.signer, mature, this.#parts.keys.destinationScript(), this.#feerates.closing);
    if (transaction !== undefined) this.#broadcast(transaction);
  }

  #broadcastHolderCommitment(entry: ChannelEntry, monitor: ChannelMonitor): void {
    if (monitor.broadcastTransaction.length === 0) return;
    this.#broadcast(monitor.broadcastTransaction);
    const { secp, wallet } = this.#parts;
    const child = anchorChild(secp, entry.signer, monitor, wallet, this.#feerates.closing);
    if (child !== undefined) this.#broadcast(child);
  }

  updateFeerates(feerates: ChannelFeerates): void {
    this.#feerates = feerates;
    for (const entry of this.#channels.values()) {
      if (!isUsable(entry) || !entry.state.params.isOpener) continue;
      const current = entry.state.commitments.holderCommit.spec.feeratePerKw;
      if (isFarFrom(current, feerates.commitment))
        this.#apply(entry, operation.proposeFee(entry.state, feerates.commitment));
    }
  }

  #receiveFor(nodeId: string, key: string, message: Message): void {
    const entry = this.#channels.get(key);
    if (entry === undefined || entry.nodeId !== nodeId) {
      // The peer has a channel that we do not know: only it can get our money out now (BOLT 2, Message Retransmission).
      if (message.kind === 'channel_reestablish')
        this.#send(nodeId, errorMessage(message.channelId, 'unknown channel: please close it'));
      return;
    }
    if (entry.frozen !== undefined) return this.#parts.log(`${key.slice(0, 8)} is frozen: ${message.kind} ignored`);
    const reestablishing = message.kind === 'channel_reestablish';
    if (entry.state.kind === 'closed') return reestablishing ? this.#answerClosed(entry) : undefined;
    // BOLT 2, Message Retransmission: nothing else counts before `channel_reestablish`.
    if (isOpen(entry) && entry.connection !== 'connected' && !reestablishing) return;
    this.#touch(entry);
    const outcome = receiveMessage(this.#env(entry), entry.state, message, {
      peerFeatures: this.#peers.get(nodeId)?.features ?? new Uint8Array(0),
      trustedForZeroConf: this.#parts.trustedForZeroConf(nodeId),
      shutdownScript: this.#parts.keys.shutdownScript(),
      newAlias: () => this.#newAlias(),
      negotiation: entry.negotiation,
    });
    switch (outcome?.kind) {
      case 'violation':
        return this.#violated(entry, outcome);
      case 'counterOffer':
        return this.#offerClosingFee(entry, outcome);
      case 'transition':
        if (reestablishing) entry.connection = 'connected';
        return this.#apply(entry, outcome);
      case undefined:
        return;
      default:
        return outcome satisfies never;
    }
  }

  /** A peer that still has the channel open learns that it is over, unless the agreed transaction is on its way to tell. */
  #answerClosed(entry: ChannelEntry): void {
    if (entry.state.kind === 'closed' && entry.state.reason.kind !== 'cooperative')
      this.#sendError(entry, 'the channel is closed');
  }

  #offerClosingFee(entry: ChannelEntry, { message, feeSat }: Omit<CounterOffer, 'kind'>): void {
    entry.negotiation = { lastSentFeeSat: feeSat };
    this.#send(entry.nodeId, message);
  }

  #receiveOpen(nodeId: string, peer: Peer, message: MessageOf<'open_channel'>): void {
    const key = toHex(message.temporaryChannelId);
    if (this.#channels.has(key)) return;
    if (this.#of(nodeId).filter((entry) => !isOpen(entry) && entry.state.kind !== 'closed').length >= 4)
      return this.#send(nodeId, errorMessage(message.temporaryChannelId, 'too many channels are being opened'));
    const channelKeysIndex = this.#takeKeysIndex();
    const signer = this.#parts.keys.deriveChannelSigner(channelKeysIndex, message.fundingSatoshis);
    const outcome = acceptChannel(this.#envOf(signer), fromHex(nodeId), message, {
      chainHash: this.#parts.chainHash,
      channelKeysIndex,
      trustedForZeroConf: this.#parts.trustedForZeroConf(nodeId),
      counterpartyFeatures: peer.features,
      shutdownScript: this.#parts.keys.shutdownScript(),
    });
    if (outcome.kind === 'violation') {
      this.#parts.log(`refused a channel of ${nodeId.slice(0, 8)}: ${outcome.reason}`);
      return this.#send(nodeId, errorMessage(message.temporaryChannelId, outcome.reason));
    }
    const entry = this.#entry(key, nodeId, signer, outcome.state, 'connected');
    this.#channels.set(key, entry);
    this.#apply(entry, outcome);
  }

  /** BOLT 1: an `error` fails the channel that it names, or with all zeros every channel of the peer. */
  #receiveError(nodeId: string, message: MessageOf<'error'>): void {
    const text = printable(message.data);
    this.#parts.log(`error from ${nodeId.slice(0, 8)}: ${text}`);
    for (const entry of this.#of(nodeId)) {
      if (!equalBytes(message.channelId, ALL_CHANNELS) && entry.key !== toHex(message.channelId)) continue;
      if (entry.frozen !== undefined) continue;
      // Before `channel_reestablish` nobody has confirmed that our state is the newest, and a peer that has closed already
      // says so first: to broadcast then could give everything away. What the peer broadcasts, the monitor sees.
      if (isOpen(entry) && entry.connection !== 'connected') continue;
      if (isOpen(entry)) this.#close(entry, { kind: 'counterpartyError', message: text }, true);
      else if (entry.state.kind !== 'closed') this.#abandon(entry, `The peer refused the channel: ${text}`);
    }
  }

  /** The peer's terms for forwarding to us, which our invoices repeat. */
  #receiveChannelUpdate(nodeId: string, message: MessageOf<'channel_update'>): void {
    const entry = this.#of(nodeId)
      .filter(isOpen)
      .find(({ state }) => scidsOf(state).includes(message.shortChannelId));
    if (entry === undefined) return;
    const { feeBaseMsat, feeProportionalMillionths, cltvExpiryDelta } = message;
    entry.forwarding = { feeBaseMsat, feeProportionalMillionths, cltvExpiryDelta };
    writeForwarding(this.#running().writes, entry.state.params, entry.forwarding);
  }

  #apply<S extends ChannelState>(entry: ChannelEntry, { state, steps, messages, facts }: Transition<S>): void {
    this.#touch(entry);
    const before = entry.state.kind;
    entry.state = state;
    entry.steps.push(...steps);
    // Until `channel_reestablish` came nothing else is said: the answer to it repeats whatever is due, in order.
    if (entry.connection === 'connected') for (const message of messages) this.#send(entry.nodeId, message);
    if (state.kind === 'open' && before !== 'open') this.#funded(entry, state);
    for (const fact of facts) this.#handle(entry, fact);
    if (state.kind === 'awaitingFunding') this.#fund(entry);
  }

  /** A channel got its funding outpoint and with it its id: its monitor begins. */
  #funded(entry: ChannelEntry, channel: OpenChannel): void {
    const steps = entry.steps;
    entry.steps = [];
    this.#rekey(entry, channel.params);
    writeNewChannel(this.#running().writes, channel);
    this.chainMonitor.watchChannel(entry.key, channel.params, steps);
    entry.openedAtHeight = this.#blockHeight;
    this.#events.note('channelOpened', entry.key, channel.params.fundingSat * 1000n, '');
  }

  #rekey(entry: ChannelEntry, params: ChannelParameters): void {
    this.#channels.delete(entry.key);
    entry.key = toHex(params.channelId);
    this.#channels.set(entry.key, entry);
  }

  #handle(entry: ChannelEntry, fact: ChannelFact): void {
    switch (fact.kind) {
      case 'htlcAccepted':
        return this.#accepted(entry, fact.htlc);
      case 'htlcFulfilled':
        return this.payments.fulfilled(fact.htlc, fact.preimage);
      case 'htlcRemoved':
        if (fact.removal.kind !== 'fulfill')
          this.payments.failed(entry.key, fact.htlc, fact.removal, this.#blockHeight);
        return;
      case 'channelReady':
        return this.#events.note('channelReady', entry.key, 0n, '');
      case 'fundingSigned':
        return this.#fundingSigned(entry);
      case 'closingAgreed':
        this.#broadcast(fact.transaction);
        return this.#noteClosed(entry);
      default:
        return fact satisfies never;
    }
  }

  #fundingSigned({ state }: ChannelEntry): void {
    if (state.kind !== 'open' || state.funding.kind !== 'unconfirmed') return;
    this.#parts.wallet.transactionSeen(decodeTransaction(state.funding.transaction));
    this.#broadcast(state.funding.transaction);
  }

  #accepted(entry: ChannelEntry, htlc: ChannelHtlc): void {
    this.payments.accepted(entry.key, htlc, this.#blockHeight);
  }

  /** The wallet signs the funding transaction; it stays in the channel until the peer has signed our first commitment. */
  #fund(entry: ChannelEntry): void {
    const { state } = entry;
    if (state.kind !== 'awaitingFunding') return;
    try {
      const output = { amountSat: state.fundingSat, script: fundingOutputScript(state) };
      const terms = { feeratePerKw: this.#feerates.closing, reserveSat: this.#reserveSat(1) };
      const { rawTx, txid, outputIndex, coins } = this.#parts.wallet.buildFunding(output, terms);
      entry.lockedCoins = coins;
      const created = createFunding(this.#env(entry), state, { transaction: rawTx, txid, outputIndex });
      this.#rekey(entry, created.state.params);
      this.#apply(entry, created);
    } catch (error) {
      if (!(error instanceof GlowwormError) || error.code !== 'InsufficientFunds') throw error;
      this.#sendError(entry, 'the funding could not be paid');
      this.#abandon(entry, error.message);
    }
  }

  #violated(entry: ChannelEntry, { severity, reason }: Violation): void {
    this.#parts.log(`${entry.key.slice(0, 8)} ${severity}: ${reason}`);
    switch (severity) {
      case 'warn':
        this.#send(entry.nodeId, { kind: 'warning', channelId: idOf(entry), data: fromUtf8(reason), tlvs: {} });
        return this.#disconnect(entry.nodeId, reason);
      case 'fail':
        this.#sendError(entry, reason);
        if (isOpen(entry)) this.#close(entry, { kind: 'violation', message: reason }, true);
        else this.#abandon(entry, `The channel could not be opened: ${reason}.`);
        return;
      case 'stale':
        this.#sendError(entry, reason);
        return this.#close(entry, { kind: 'stale' }, false);
      default:
        return severity satisfies never;
    }
  }

  #close(entry: ChannelEntry, reason: CloseReason, broadcast: boolean): void {
    if (!isOpen(entry)) return;
    this.#touch(entry);
    const { params, commitments } = entry.state;
    const holderMsat = commitments.holderCommit.spec.toHolderMsat;
    const ended: ChannelEntry = entry;
    ended.state = { kind: 'closed', params, reason, holderMsat };
    ended.steps.push({ kind: 'channelForceClosed', broadcast });
    this.#noteClosed(ended);
  }

  #noteClosed({ key, state }: ChannelEntry): void {
    if (state.kind === 'closed') this.#events.note('channelClosed', key, state.holderMsat, explainClose(state.reason));
  }

  /** Forgets a channel that never got a funding. */
  #abandon(entry: ChannelEntry, message: string): void {
    this.#channels.delete(entry.key);
    if (entry.lockedCoins !== undefined) this.#parts.wallet.unlock(entry.lockedCoins);
    const opener = entry.state.kind !== 'awaitingFundingCreated';
    if (opener) this.#events.note('channelOpenFailed', entry.key, 0n, message);
  }

  /**
   * Ends a turn: signs what may be signed, hands each touched channel's steps to its monitor as one update, and writes the
   * channel. A channel whose last update is not durable yet signs nothing new; what it sends waits for the commit anyhow.
   */
  #settle(): void {
    for (const entry of this.#touched) {
      if (entry.frozen !== undefined || !this.#channels.has(entry.key)) continue;
      if (isOpen(entry) && entry.connection === 'connected') this.#progress(entry);
      if (entry.steps.length > 0) {
        const steps = entry.steps;
        entry.steps = [];
        this.chainMonitor.updateChannel(entry.key, steps);
        this.#broadcastHolderCommitment(entry, this.#monitor(entry));
      }
      this.#save(entry);
    }
    const wallet = this.#parts.wallet.state;
    if (wallet !== this.#savedWallet) this.#running().writes.set('coin/state', encodeWallet(wallet));
    this.#savedWallet = wallet;
  }

  #save(entry: ChannelEntry): void {
    const signerState = entry.signer.state;
    if (entry.saved?.state === entry.state && entry.saved.signerState === signerState) return;
    entry.saved = { state: entry.state, signerState };
    writeChannel(this.#running().writes, entry);
  }

  #progress(entry: OpenEntry): void {
    const env = this.#env(entry);
    const step = (next: Transition<OpenChannel>): void => {
      if (next.state !== entry.state) this.#apply(entry, next);
    };
    step(sendReadyIfDeep(env, entry.state));
    if (this.chainMonitor.isInProgress(entry.key)) return;
    step(operation.signPending(env, entry.state));
    step(sendShutdownIfQuiet(entry.state));
    const mayPropose = entry.state.params.isOpener && entry.negotiation.lastSentFeeSat === undefined;
    if (!mayPropose || !isNegotiable(entry.state)) return;
    this.#offerClosingFee(entry, proposeClosingFee(env, entry.state));
  }

  #handleMonitorEvents(): void {
    for (const event of this.chainMonitor.releasePendingMonitorEvents()) this.#handleMonitorEvent(event);
  }

  #handleMonitorEvent(event: MonitorEvent): void {
    const entry = this.#channels.get(event.channelKey);
    if (entry === undefined || event.kind !== 'fundingSpent' || !isOpen(entry)) return;
    const { spend, transaction } = event.confirmedSpend;
    // Whatever spent the funding ended the channel; our commitment would only conflict with it.
    const reason: CloseReason =
      spend.kind === 'cooperative'
        ? { kind: 'cooperative', transaction }
        : spend.kind === 'holderCommitment'
          ? { kind: 'holderForceClosed' }
          : spend.kind === 'unknownCommitment'
            ? { kind: 'stale' }
            : { kind: 'counterpartyForceClosed' };
    this.#close(entry, reason, false);
  }

  #firstHops(): readonly FirstHop[] {
    return [...this.#channels.values()].filter(isUsable).map(({ key, state }) => ({
      channelKey: key,
      counterpartyNodeId: state.params.counterpartyNodeId,
      availableMsat: availableToSendMsat(state.params, state.commitments),
    }));
  }

  #offer(key: string, offer: operation.HtlcOffer): ChannelHtlc | LimitReached {
    const entry = this.#channels.get(key);
    if (entry === undefined || !isUsable(entry))
      return { code: 'InsufficientChannelBalance', message: 'The channel is not usable now.' };
    const offered = operation.offerHtlc(this.#env(entry), entry.state, offer);
    if ('code' in offered) return offered;
    this.#apply(entry, offered.transition);
    return offered.htlc;
  }

  #remove(key: string, decision: Removal): void {
    const entry = this.#channels.get(key);
    if (entry !== undefined && isOpen(entry)) this.#apply(entry, operation.removeHtlc(entry.state, decision));
  }

  #exceedsDustExposure(key: string): boolean {
    const entry = this.#channels.get(key);
    return entry !== undefined && isOpen(entry) && operation.exceedsDustExposure(this.#env(entry), entry.state);
  }

  #send(nodeId: string, message: Message): void {
    const connectionId = this.#peers.get(nodeId)?.connectionId;
    if (connectionId !== undefined) this.#running().leave({ kind: 'send', nodeId, connectionId, message });
  }

  #sendError(entry: ChannelEntry, reason: string): void {
    this.#send(entry.nodeId, errorMessage(idOf(entry), reason));
  }

  #disconnect(nodeId: string, reason: string): void {
    const connectionId = this.#peers.get(nodeId)?.connectionId;
    if (connectionId !== undefined) this.#running().leave({ kind: 'disconnect', nodeId, connectionId, reason });
  }

  #broadcast(transaction: Uint8Array): void {
    if (transaction.length > 0) this.#running().leave({ kind: 'broadcast', transaction });
  }

  #freeze(entry: ChannelEntry, reason: string): void {
    entry.frozen = reason;
    entry.steps = [];
    this.#parts.log(`${entry.key.slice(0, 8)} is frozen: ${reason}`);
  }

  #touch(entry: ChannelEntry): void {
    this.#touched.add(entry);
  }

  #running(): Turn {
    if (this.#turn === undefined) throw new GlowwormError('InvariantBroken', 'the engine works in turns only');
    return this.#turn;
  }

  #of(nodeId: string): readonly ChannelEntry[] {
    return [...this.#channels.values()].filter((entry) => entry.nodeId === nodeId);
  }

  #openEntry(key: string): OpenEntry {
    const entry = this.#channels.get(key);
    if (entry === undefined) throw new GlowwormError('ChannelUnknown', 'There is no such channel.', { channelId: key });
    if (!isOpen(entry) || entry.frozen !== undefined)
      throw new GlowwormError('ChannelNotOpen', 'The channel is not open.', { channelId: key });
    return entry;
  }

  #entry(
    key: string,
    nodeId: string,
    signer: ChannelSigner,
    state: ChannelState,
    connection: ChannelEntry['connection'],
  ): ChannelEntry {
    return {
      key,
      nodeId,
      signer,
      state,
      connection,
      negotiation: {},
      forwarding: undefined,
      frozen: undefined,
      steps: [],
      storedOnions: new Set(),
      lockedCoins: undefined,
      openedAtHeight: undefined,
      saved: undefined,
    };
  }

  #env(entry: ChannelEntry): ChannelEnv {
    const monitor = this.chainMonitor.monitor(entry.key);
    return this.#envOf(entry.signer, monitor?.secrets);
  }

  #envOf(signer: ChannelSigner, counterpartySecrets: ChannelEnv['counterpartySecrets'] = []): ChannelEnv {
    const { secp, config } = this.#parts;
    return { secp, signer, config, counterpartySecrets, blockHeight: this.#blockHeight, feerates: this.#feerates };
  }

  #monitor(entry: ChannelEntry): ChannelMonitor {
    const monitor = this.chainMonitor.monitor(entry.key);
    if (monitor === undefined) throw new GlowwormError('InvariantBroken', 'an open channel has a monitor');
    return monitor;
  }

  #signerOf(params: ChannelParameters): ChannelSigner {
    const entry = this.#channels.get(toHex(params.channelId));
    return entry?.signer ?? this.#parts.keys.deriveChannelSigner(params.channelKeysIndex, params.fundingSat);
  }

  /** An index is used up before the keys leave, whatever becomes of the channel: keys are never used twice. */
  #takeKeysIndex(): number {
    const index = this.#nextKeysIndex++;
    this.#running().writes.set('meta/keysIndex', writeCount(this.#nextKeysIndex));
    return index;
  }

  #newAlias(): bigint {
    const random = this.#parts.entropy.getSecureRandomBytes();
    return new DataView(random.buffer, random.byteOffset).getBigUint64(0) | (1n << 63n);
  }

  #reserveSat(more: number): bigint {
    const open = [...this.#channels.values()].filter(isOpen).length;
    return this.#parts.reserveSat(open + more);
  }
}

/**
 * Channel and monitor are written in one transaction, so they agree. If they do not, one of them was restored from
 * elsewhere: whoever went on from the older one could broadcast what is revoked.
 */
function checkAgainstMonitor({ params, commitments }: OpenChannel, monitor: ChannelMonitor): void {
  const newest = monitor.counterpartyCommitments.at(-1)?.number;
  const { counterpartyNext, counterpartyCommit, holderCommit } = commitments;
  const signed =
    counterpartyNext.kind === 'awaitingRevocation' ? counterpartyNext.commit.number : counterpartyCommit.number;
  if (monitor.holderCommitment.number !== holderCommit.number || newest !== signed)
    throw new GlowwormError('MonitorDiverged', 'A channel and its monitor disagree: nothing is sent for this wallet.', {
      channelId: toHex(params.channelId),
    });
}

const errorMessage = (channelId: Uint8Array, reason: string): Message => ({
  kind: 'error',
  channelId,
  data: fromUtf8(reason),
  tlvs: {},
});

function idOf({ key, state }: ChannelEntry): Uint8Array {
  return 'params' in state ? state.params.channelId : fromHex(key);
}

const isFarFrom = (current: FeeratePerKw, wanted: FeeratePerKw): boolean =>
  wanted > current * 1.5 || wanted * 2 < current;
