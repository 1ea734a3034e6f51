import { equalBytes } from '../primitives/bytes.ts';
import { assert } from '../primitives/errors.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import type { ChannelSigner } from '../keys/channel-signer.ts';
import type { ChannelParameters } from '../transactions/channel-parameters.ts';
import { fundingScript } from '../transactions/channel-scripts.ts';
import { p2wsh } from '../transactions/script.ts';
import { decodeTransaction, transactionId, type Outpoint, type Transaction } from '../transactions/transaction.ts';
import {
  applyUpdate,
  newMonitor,
  type ChannelMonitor,
  type ConfirmedSpend,
  type RevokedCommitment,
} from './channel-monitor.ts';
import type { ChannelMonitorUpdate, MonitorStep } from './monitor-update.ts';
import { confirmedSpendOf, spendsFunding, type BlockTransaction, type MonitorEvent } from './funding-spend.ts';
import { holderCommitment, signedHolderCommitment } from './holder-commitment.ts';

/** LDK's answers of a `Watch`. With `InProgress` nothing may leave until `channelMonitorUpdated`. */
export type ChannelMonitorUpdateStatus = 'Completed' | 'InProgress' | 'UnrecoverableError';

/** Where monitors are kept. Both calls join the write of the running turn. */
export interface Persist {
  persistNewChannel(channelKey: string, monitor: ChannelMonitor): ChannelMonitorUpdateStatus;
  /** `update` is undefined for a change that came from the chain. */
  updatePersistedChannel(
    channelKey: string,
    update: ChannelMonitorUpdate | undefined,
    monitor: ChannelMonitor,
    revoked: readonly RevokedCommitment[],
  ): ChannelMonitorUpdateStatus;
}

/** What the chain source should look out for. Registering twice does no harm. */
export interface Filter {
  registerTx(txid: Uint8Array, scriptPubkey: Uint8Array): void;
  registerOutput(outpoint: Outpoint, scriptPubkey: Uint8Array): void;
}

/** What a channel manager needs of its monitors. A channel's key is its id in hex. */
export interface Watch {
  watchChannel(
    channelKey: string,
    params: ChannelParameters,
    steps: readonly MonitorStep[],
  ): ChannelMonitorUpdateStatus;
  /** The next update of a channel; the monitor numbers it. */
  updateChannel(channelKey: string, steps: readonly MonitorStep[]): ChannelMonitorUpdateStatus;
  releasePendingMonitorEvents(): readonly MonitorEvent[];
}

/** An update that a persister has not completed yet. */
export interface PendingUpdate {
  readonly channelKey: string;
  readonly updateId: number;
}

/** Keys for what a monitor does on its own. */
export interface MonitorKeys {
  readonly secp: Secp256k1;
  /** The one signer of a channel: the channel and its monitor share what it refuses. */
  signer(params: ChannelParameters): ChannelSigner;
}

interface Watched {
  monitor: ChannelMonitor;
  readonly inProgress: Set<number>;
}

/** All monitors of a wallet: applies updates and blocks, hands them to `Persist`, and knows what is not durable yet. */
export class ChainMonitor implements Watch {
  readonly #persist: Persist;
  readonly #filter: Filter;
  readonly #keys: MonitorKeys;
  readonly #watched = new Map<string, Watched>();
  #events: MonitorEvent[] = [];
  #started: PendingUpdate[] = [];

  constructor(persist: Persist, filter: Filter, keys: MonitorKeys) {
    this.#persist = persist;
    this.#filter = filter;
    this.#keys = keys;
  }

  watchChannel(key: string, params: ChannelParameters, steps: readonly MonitorStep[]): ChannelMonitorUpdateStatus {
    assert(!this.#watched.has(key), 'a channel is watched once');
    const watched: Watched = { monitor: newMonitor(params, steps), inProgress: new Set() };
    this.#watched.set(key, watched);
    this.#register(params);
    return this.#note(key, watched, this.#persist.persistNewChannel(key, watched.monitor));
  }

  /** Takes back a monitor that was read from the store. */
  loadMonitor(key: string, monitor: ChannelMonitor): void {
    this.#watched.set(key, { monitor, inProgress: new Set() });
    this.#register(monitor.params);
    if (monitor.confirmedSpend !== undefined) this.#registerOutputs(monitor.confirmedSpend);
  }

  updateChannel(key: string, steps: readonly MonitorStep[]): ChannelMonitorUpdateStatus {
    const watched = this.#watched.get(key);
    assert(watched !== undefined, 'an update is for a watched channel');
    const update: ChannelMonitorUpdate = { updateId: watched.monitor.updateId + 1, steps };
    const { monitor, revoked } = applyUpdate(watched.monitor, update);
    watched.monitor = this.#withBroadcast(monitor);
    return this.#note(key, watched, this.#persist.updatePersistedChannel(key, update, watched.monitor, revoked));
  }

  /** A persister has an update; says whether that was the last one that the channel waited for. */
  channelMonitorUpdated(key: string, updateId: number): boolean {
    const watched = this.#watched.get(key);
    return watched !== undefined && watched.inProgress.delete(updateId) && watched.inProgress.size === 0;
  }

  /** Whether updates of a channel, besides those given, are not durable yet: then it signs nothing new. */
  isInProgress(key: string, besides: readonly PendingUpdate[] = []): boolean {
    const waiting = this.#watched.get(key)?.inProgress;
    if (waiting === undefined) return false;
    const known = besides.filter(({ channelKey, updateId }) => channelKey === key && waiting.has(updateId));
    return waiting.size > known.length;
  }

  /** The updates that were handed to `Persist` since the last call: those that the running turn's commit completes. */
  takeStarted(): readonly PendingUpdate[] {
    const started = this.#started;
    this.#started = [];
    return started;
  }

  /** Looks in a block's transactions for spends of the watched funding outputs, and of the outputs of those spends. */
  transactionsConfirmed(height: number, transactions: readonly BlockTransaction[]): void {
    for (const [key, watched] of this.#watched) {
      for (const { transaction } of transactions) {
        if (spendsFunding(watched.monitor, transaction)) this.#fundingSpent(key, watched, transaction, height);
        else this.#outputsSpent(key, watched, transaction, height);
      }
    }
  }

  /** A transaction left the chain. */
  transactionUnconfirmed(txid: Uint8Array): void {
    for (const [key, watched] of this.#watched) {
      const { confirmedSpend, resolvedOutputs } = watched.monitor;
      const resolved = resolvedOutputs.filter((output) => !equalBytes(output.txid, txid));
      if (resolved.length < resolvedOutputs.length)
        this.#change(key, watched, { ...watched.monitor, resolvedOutputs: resolved });
      if (confirmedSpend === undefined || !equalBytes(confirmedSpend.txid, txid)) continue;
      this.#change(key, watched, { ...watched.monitor, confirmedSpend: undefined, resolvedOutputs: [] });
      this.#events.push({ kind: 'fundingSpendUnconfirmed', channelKey: key });
    }
  }

  releasePendingMonitorEvents(): readonly MonitorEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  monitor(key: string): ChannelMonitor | undefined {
    return this.#watched.get(key)?.monitor;
  }

  monitors(): readonly (readonly [string, ChannelMonitor])[] {
    return [...this.#watched].map(([key, { monitor }]) => [key, monitor] as const);
  }

  #fundingSpent(key: string, watched: Watched, transaction: Transaction, height: number): void {
    const { monitor } = watched;
    const confirmedSpend = confirmedSpendOf(monitor, transaction, height, this.#holderTxid(monitor));
    // After a restart the chain source reports again what it reported before.
    const before = monitor.confirmedSpend;
    if (before?.height === height && equalBytes(before.txid, confirmedSpend.txid)) return;
    this.#change(key, watched, { ...monitor, confirmedSpend });
    this.#registerOutputs(confirmedSpend);
    this.#events.push({ kind: 'fundingSpent', channelKey: key, confirmedSpend });
  }

  #outputsSpent(key: string, watched: Watched, transaction: Transaction, height: number): void {
    const { confirmedSpend, resolvedOutputs } = watched.monitor;
    if (confirmedSpend === undefined) return;
    const found = transaction.inputs
      .filter(
        ({ txid, vout }) => equalBytes(txid, confirmedSpend.txid) && !resolvedOutputs.some((o) => o.vout === vout),
      )
      .map(({ vout }) => ({ vout, txid: transactionId(transaction), height }));
    if (found.length === 0) return;
    this.#change(key, watched, { ...watched.monitor, resolvedOutputs: [...resolvedOutputs, ...found] });
  }

  #registerOutputs({ txid, transaction, spend }: ConfirmedSpend): void {
    if (spend.kind === 'cooperative') return;
    for (const [vout, { script }] of decodeTransaction(transaction).outputs.entries())
      this.#filter.registerOutput({ txid, vout }, script);
  }

  /** Signs our commitment once, when it is decided that it goes out: after that its secret is never released. */
  #withBroadcast(monitor: ChannelMonitor): ChannelMonitor {
    if (monitor.closed !== 'broadcast' || monitor.broadcastTransaction.length > 0) return monitor;
    const { secp } = this.#keys;
    const broadcastTransaction = signedHolderCommitment(secp, this.#keys.signer(monitor.params), monitor);
    return { ...monitor, broadcastTransaction };
  }

  #holderTxid(monitor: ChannelMonitor): Uint8Array {
    const { secp } = this.#keys;
    return transactionId(holderCommitment(secp, this.#keys.signer(monitor.params), monitor).commitment.tx);
  }

  #change(key: string, watched: Watched, monitor: ChannelMonitor): void {
    watched.monitor = monitor;
    this.#persist.updatePersistedChannel(key, undefined, monitor, []);
  }

  #note(key: string, watched: Watched, status: ChannelMonitorUpdateStatus): ChannelMonitorUpdateStatus {
    if (status === 'InProgress') {
      const { updateId } = watched.monitor;
      watched.inProgress.add(updateId);
      this.#started.push({ channelKey: key, updateId });
    }
    return status;
  }

  #register(params: ChannelParameters): void {
    const script = p2wsh(fundingScript(params.holder.fundingPubkey, params.counterparty.fundingPubkey));
    this.#filter.registerTx(params.fundingTxid, script);
    this.#filter.registerOutput({ txid: params.fundingTxid, vout: params.fundingOutputIndex }, script);
  }
}
