import { equalBytes } from '../primitives/bytes.ts';
import { assert } from '../primitives/errors.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import { UndoableMap, type UndoLog } from '../primitives/undo-log.ts';
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
  /** Puts the records of a monitor that has nothing to watch any more out of the way. */
  archivePersistedChannel(channelKey: string, monitor: ChannelMonitor): void;
}

/** What the chain source should look out for. Registering twice does no harm. */
export interface Filter {
  registerTx(txid: Uint8Array, scriptPubkey: Uint8Array): void;
  registerOutput(outpoint: Outpoint, scriptPubkey: Uint8Array): void;
  /** Stops looking for a transaction and for what spends one of its outputs. */
  unregisterOutput(outpoint: Outpoint): void;
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
  readonly monitor: ChannelMonitor;
  readonly inProgress: ReadonlySet<number>;
}

/** All monitors of a wallet: applies updates and blocks, hands them to `Persist`, and knows what is not durable yet. */
export class ChainMonitor implements Watch {
  readonly #persist: Persist;
  readonly #filter: Filter;
  readonly #keys: MonitorKeys;
  readonly #undo: () => UndoLog | undefined;
  readonly #watched: UndoableMap<string, Watched>;
  #events: readonly MonitorEvent[] = [];
  #started: readonly PendingUpdate[] = [];

  /** `undo` is that of the running turn, which takes back what a failed one changed. */
  constructor(persist: Persist, filter: Filter, keys: MonitorKeys, undo: () => UndoLog | undefined) {
    this.#persist = persist;
    this.#filter = filter;
    this.#keys = keys;
    this.#undo = undo;
    this.#watched = new UndoableMap(undo);
  }

  watchChannel(key: string, params: ChannelParameters, steps: readonly MonitorStep[]): ChannelMonitorUpdateStatus {
    assert(!this.#watched.has(key), 'a channel is watched once');
    const monitor = newMonitor(params, steps);
    this.#watched.set(key, { monitor, inProgress: new Set() });
    this.#register(params);
    return this.#note(key, monitor, this.#persist.persistNewChannel(key, monitor));
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
    const applied = applyUpdate(watched.monitor, update);
    const monitor = this.#withBroadcast(applied.monitor);
    this.#watched.set(key, { ...watched, monitor });
    return this.#note(key, monitor, this.#persist.updatePersistedChannel(key, update, monitor, applied.revoked));
  }

  /** A persister has an update; says whether that was the last one that the channel waited for. */
  channelMonitorUpdated(key: string, updateId: number): boolean {
    const watched = this.#watched.get(key);
    if (watched === undefined || !watched.inProgress.has(updateId)) return false;
    const inProgress = new Set([...watched.inProgress].filter((each) => each !== updateId));
    this.#watched.set(key, { ...watched, inProgress });
    return inProgress.size === 0;
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

  /** Looks in a block's transactions for the spend of a channel's funding output, and of the outputs of that spend. */
  transactionsConfirmed(key: string, height: number, transactions: readonly BlockTransaction[]): void {
    for (const { transaction } of transactions) {
      const monitor = this.monitor(key);
      if (monitor === undefined) return;
      if (spendsFunding(monitor, transaction)) this.#fundingSpent(key, monitor, transaction, height);
      else this.#outputsSpent(key, monitor, transaction, height);
    }
  }

  /** A transaction left the chain. */
  transactionUnconfirmed(key: string, txid: Uint8Array): void {
    const monitor = this.monitor(key);
    if (monitor === undefined) return;
    const { confirmedSpend, resolvedOutputs } = monitor;
    if (confirmedSpend !== undefined && equalBytes(confirmedSpend.txid, txid)) {
      this.#change(key, { ...monitor, confirmedSpend: undefined, resolvedOutputs: [] });
      return this.#tell({ kind: 'fundingSpendUnconfirmed', channelKey: key, spend: confirmedSpend.spend });
    }
    const resolved = resolvedOutputs.filter((output) => !equalBytes(output.txid, txid));
    if (resolved.length < resolvedOutputs.length) this.#change(key, { ...monitor, resolvedOutputs: resolved });
  }

  releasePendingMonitorEvents(): readonly MonitorEvent[] {
    const events = this.#events;
    this.#undo()?.push(() => (this.#events = events));
    this.#events = [];
    return events;
  }

  /** Stops watching a channel that never had a funding, and archives its records. */
  archiveChannel(key: string): void {
    const monitor = this.monitor(key);
    if (monitor === undefined) return;
    const { fundingTxid: txid, fundingOutputIndex: vout } = monitor.params;
    this.#watched.delete(key);
    this.#filter.unregisterOutput({ txid, vout });
    this.#persist.archivePersistedChannel(key, monitor);
  }

  monitor(key: string): ChannelMonitor | undefined {
    return this.#watched.get(key)?.monitor;
  }

  monitors(): readonly (readonly [string, ChannelMonitor])[] {
    return [...this.#watched].map(([key, { monitor }]) => [key, monitor] as const);
  }

  #fundingSpent(key: string, monitor: ChannelMonitor, transaction: Transaction, height: number): void {
    const confirmedSpend = confirmedSpendOf(monitor, transaction, height, this.#holderTxid(monitor));
    // After a restart the chain source reports again what it reported before.
    const before = monitor.confirmedSpend;
    if (before?.height === height && equalBytes(before.txid, confirmedSpend.txid)) return;
    this.#change(key, { ...monitor, confirmedSpend });
    this.#registerOutputs(confirmedSpend);
    this.#tell({ kind: 'fundingSpent', channelKey: key, confirmedSpend });
  }

  #outputsSpent(key: string, monitor: ChannelMonitor, transaction: Transaction, height: number): void {
    const { confirmedSpend, resolvedOutputs } = monitor;
    if (confirmedSpend === undefined) return;
    const found = transaction.inputs
      .filter(
        ({ txid, vout }) => equalBytes(txid, confirmedSpend.txid) && !resolvedOutputs.some((o) => o.vout === vout),
      )
      .map(({ vout }) => ({ vout, txid: transactionId(transaction), height }));
    if (found.length === 0) return;
    this.#change(key, { ...monitor, resolvedOutputs: [...resolvedOutputs, ...found] });
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

  #change(key: string, monitor: ChannelMonitor): void {
    const inProgress = this.#watched.get(key)?.inProgress ?? new Set();
    this.#watched.set(key, { monitor, inProgress });
    this.#persist.updatePersistedChannel(key, undefined, monitor, []);
  }

  #tell(event: MonitorEvent): void {
    const events = this.#events;
    this.#undo()?.push(() => (this.#events = events));
    this.#events = [...events, event];
  }

  #note(key: string, monitor: ChannelMonitor, status: ChannelMonitorUpdateStatus): ChannelMonitorUpdateStatus {
    if (status !== 'InProgress') return status;
    const { updateId } = monitor;
    const inProgress = this.#watched.get(key)?.inProgress ?? new Set();
    this.#watched.set(key, { monitor, inProgress: new Set([...inProgress, updateId]) });
    const started = this.#started;
    this.#undo()?.push(() => (this.#started = started));
    this.#started = [...started, { channelKey: key, updateId }];
    return status;
  }

  #register(params: ChannelParameters): void {
    const script = p2wsh(fundingScript(params.holder.fundingPubkey, params.counterparty.fundingPubkey));
    this.#filter.registerTx(params.fundingTxid, script);
    this.#filter.registerOutput({ txid: params.fundingTxid, vout: params.fundingOutputIndex }, script);
  }
}
