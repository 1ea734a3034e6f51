import { equalBytes } from '../primitives/bytes.ts';
import { assert } from '../primitives/errors.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import { UndoableMap, type UndoLog } from '../primitives/undo-log.ts';
import type { ChannelSigner } from '../keys/channel-signer.ts';
import type { ChannelParameters } from '../transactions/channel-parameters.ts';
import type { TransactionPackage } from '../transactions/transaction-package.ts';
import { fundingScript } from '../transactions/channel-scripts.ts';
import { p2wsh } from '../transactions/script.ts';
import {
  decodeTransaction,
  encodeTransaction,
  transactionId,
  type Outpoint,
  type Transaction,
} from '../transactions/transaction.ts';
import { applyUpdate, knownSpecs, newMonitor, type ChannelMonitor, type RevokedCommitment } from './channel-monitor.ts';
import { anchorChild, isAwaited } from './claims/anchor-child.ts';
import type { Claim } from './claims/claim.ts';
import { isClaimableOnChain } from './claims/claimable-htlc.ts';
import { deadlineOf } from './claims/claim-groups.ts';
import {
  isBroadcast,
  lendLiveCoins,
  nextPackages,
  returnDeadCoins,
  withoutSettled,
  type ClaimConditions,
} from './claims/claim-package.ts';
import { claimName, type ClaimParts, type CoinSelectionSource } from './claims/claim-transaction.ts';
import { claimsOf } from './claims/claims.ts';
import { claimKeys, type ClaimKeys } from './claims/claim-keys.ts';
import { isFullyResolved } from './claims/full-resolution.ts';
import { htlcOutcomes, paidAfterAll } from './claims/htlc-outcomes.ts';
import { learntPreimages } from './claims/learnt-preimages.ts';
import { packageChanges } from './claims/package-changes.ts';
import { decodeRevoked, revokedKey } from './monitor-records.ts';
import type { ChannelMonitorUpdate, MonitorStep } from './monitor-update.ts';
import { readable } from '../wire/stored-record.ts';
import { commitmentStake } from './claims/commitment-stake.ts';
import { confirmedSpendOf, spendsFunding, type BlockTransaction, type MonitorEvent } from './funding-spend.ts';
import { holderCommitment, signedHolderCommitment } from './holder-commitment.ts';

/** LDK's answers of a `Watch`. With `InProgress` nothing may leave until `channelMonitorUpdated`. */
export type ChannelMonitorUpdateStatus = 'Completed' | 'InProgress' | 'UnrecoverableError';

/** An update with what it was applied to, and what came of it. */
export interface PersistedUpdate {
  readonly update: ChannelMonitorUpdate;
  readonly before: ChannelMonitor;
  readonly monitor: ChannelMonitor;
  /** What was revoked by it. */
  readonly revoked: readonly RevokedCommitment[];
}

/** Where monitors are kept. Both calls join the write of the running turn. */
export interface Persist {
  persistNewChannel(channelKey: string, monitor: ChannelMonitor): ChannelMonitorUpdateStatus;
  /** An update of `before`, which has become `monitor`: from the channel, or from the chain. */
  updatePersistedChannel(channelKey: string, update: PersistedUpdate): ChannelMonitorUpdateStatus;
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
  /** What a channel's monitor has not told since the start, or what was never acknowledged before it. */
  releasePendingMonitorEvents(channelKey: string): readonly MonitorEvent[];
  /**
   * What followed from the event of a monitor is durable, or in the running turn's write: it is not told again. In any order; the
   * channel's next update takes it along, and with a block it has one of its own. Lost before that, the event is told once more.
   */
  ackMonitorEvent(channelKey: string, id: number): void;
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
  readonly coins: CoinSelectionSource;
  /** Where what is taken out of a closed channel goes that was promised no script of its own. */
  destinationScript(): Uint8Array;
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
  /** The newest event of each monitor that was told in this run. */
  readonly #told: UndoableMap<string, number>;
  /** Events of each monitor that are acknowledged, and whose monitor does not know it yet. */
  readonly #acknowledged: UndoableMap<string, readonly number[]>;
  #started: readonly PendingUpdate[] = [];
  readonly #derived = new WeakMap<ChannelMonitor, readonly Claim[]>();

  /** `undo` is that of the running turn, which takes back what a failed one changed. */
  constructor(persist: Persist, filter: Filter, keys: MonitorKeys, undo: () => UndoLog | undefined) {
    this.#persist = persist;
    this.#filter = filter;
    this.#keys = keys;
    this.#undo = undo;
    this.#watched = new UndoableMap(undo);
    this.#told = new UndoableMap(undo);
    this.#acknowledged = new UndoableMap(undo);
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
    this.#registerOutputs(key);
  }

  updateChannel(key: string, steps: readonly MonitorStep[]): ChannelMonitorUpdateStatus {
    const watched = this.#watched.get(key);
    assert(watched !== undefined, 'an update is for a watched channel');
    const acknowledged = this.#acknowledged.get(key) ?? [];
    this.#acknowledged.delete(key);
    const acknowledgements = acknowledged.map((id): MonitorStep => ({ kind: 'eventAcknowledged', id }));
    const update = { updateId: watched.monitor.updateId + 1, steps: [...steps, ...acknowledgements] };
    const { monitor: applied, revoked } = applyUpdate(watched.monitor, update);
    const monitor = this.#withBroadcast(applied);
    this.#watched.set(key, { ...watched, monitor });
    const persisted = { update, before: watched.monitor, monitor, revoked };
    return this.#note(key, monitor, this.#persist.updatePersistedChannel(key, persisted));
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
    this.bestBlockUpdated(key, height);
  }

  /** Takes the preimages that a transaction in a mempool shows: they count before anything is confirmed (BOLT 5). */
  transactionSeen(key: string, transaction: Transaction): void {
    const monitor = this.monitor(key);
    const preimages = monitor && learntPreimages(monitor, transaction);
    if (monitor === undefined || preimages === undefined || preimages.size === 0) return;
    this.updateChannel(key, learntSteps(monitor, preimages));
  }

  /** A transaction left the chain. */
  transactionUnconfirmed(key: string, txid: Uint8Array): void {
    const monitor = this.monitor(key);
    if (monitor === undefined) return;
    const { confirmedSpend } = monitor;
    if (confirmedSpend !== undefined && equalBytes(confirmedSpend.txid, txid)) {
      this.updateChannel(key, [{ kind: 'fundingSpendUnconfirmed' }]);
      return this.#tell({ kind: 'fundingSpendUnconfirmed', channelKey: key, spend: confirmedSpend.spend });
    }
    if (monitor.outputSpends.some((spend) => equalBytes(spend.txid, txid)))
      this.updateChannel(key, [{ kind: 'outputUnspent', txid }]);
  }

  /** Every output of a closed channel that is, or may become, ours and is not spent. */
  claims(key: string): readonly Claim[] {
    const monitor = this.monitor(key);
    return monitor === undefined ? [] : this.#claims(monitor);
  }

  /** The height of the block by which a channel needs the next thing in the chain, where the counterparty takes it otherwise. */
  deadline(key: string): number | undefined {
    const monitor = this.monitor(key);
    if (monitor === undefined) return undefined;
    return monitor.confirmedSpend === undefined ? commitmentStake(monitor).deadline : deadlineOf(this.#claims(monitor));
  }

  /** Whether the chain alone would give us an HTLC of the counterparty's, had we its preimage. */
  isClaimable(key: string, htlcId: bigint, conditions: ClaimConditions): boolean {
    const monitor = this.monitor(key);
    if (monitor === undefined) return false;
    return isClaimableOnChain(this.#claimKeys(monitor), this.#keys.coins, monitor, htlcId, conditions);
  }

  /**
   * Our commitment, where it was decided that it goes out and nothing has taken its place in the chain, with the child that pays
   * for it if it needs one.
   */
  makeHolderBroadcast(key: string, conditions: ClaimConditions): TransactionPackage | undefined {
    const monitor = this.monitor(key);
    if (monitor === undefined || monitor.broadcastTransaction.length === 0 || monitor.confirmedSpend !== undefined)
      return undefined;
    if (monitor.closed === 'never') return undefined;
    const { secp, coins } = this.#keys;
    const child = anchorChild({ secp, signer: this.#keys.signer(monitor.params), coins }, monitor, conditions);
    if (child !== monitor.anchorChild) this.updateChannel(key, [{ kind: 'anchorChildChanged', child }]);
    const { broadcastTransaction } = monitor;
    return child === undefined ? [broadcastTransaction] : [broadcastTransaction, encodeTransaction(child.tx)];
  }

  /** Forgets our commitment's child once it is not awaited any more at a height; not in the chain, the wallet has its coins back. */
  releaseChild(key: string, height: number): void {
    const monitor = this.monitor(key);
    const { coins } = this.#keys;
    if (monitor?.anchorChild === undefined || isAwaited(monitor, monitor.anchorChild, coins, height)) return;
    const txid = transactionId(monitor.anchorChild.tx);
    if (!monitor.outputSpends.some((spend) => equalBytes(spend.txid, txid))) coins.transactionDropped(txid);
    this.updateChannel(key, [{ kind: 'anchorChildChanged', child: undefined }]);
  }

  /** Makes what takes the outputs of a closed channel; gives every transaction that should be in the mempool. */
  makeClaims(key: string, conditions: ClaimConditions): readonly Uint8Array[] {
    const monitor = this.monitor(key);
    if (monitor?.confirmedSpend === undefined) return [];
    const claims = this.#claims(monitor);
    const parts = this.#claimParts(monitor);
    const before = withoutSettled(parts, monitor.packages, monitor, conditions.height);
    const packages = nextPackages(parts, claims, before, conditions);
    const changed = packageChanges(monitor.packages, packages);
    if (changed !== undefined) this.updateChannel(key, [changed]);
    return packages
      .filter((each) => isBroadcast(parts, each, claims, conditions.height))
      .map(({ tx }) => encodeTransaction(tx));
  }

  /** Gives the coins back of claims that another has taken: of every channel, before any claim is made. */
  returnCoins(key: string): void {
    const monitor = this.monitor(key);
    if (monitor?.confirmedSpend === undefined) return;
    returnDeadCoins(this.#keys, this.#claims(monitor), monitor.packages);
  }

  /** Lends the coins of claims that are not worth the estimate, likewise. */
  lendCoins(key: string, conditions: ClaimConditions): void {
    const monitor = this.monitor(key);
    if (monitor?.confirmedSpend === undefined) return;
    lendLiveCoins(this.#claimParts(monitor), this.#claims(monitor), monitor.packages, conditions);
  }

  /** Where the record of the revoked commitment is that is in the chain, while nothing but its number is known. */
  missingRevoked(key: string): { readonly recordKey: string } | undefined {
    const monitor = this.monitor(key);
    const spend = monitor?.confirmedSpend?.spend;
    if (monitor === undefined || spend?.kind !== 'revokedCommitment' || monitor.revoked !== undefined) return undefined;
    return { recordKey: revokedKey(monitor.params, spend.number) };
  }

  /** Answers `missingRevoked`. Of a commitment without HTLCs there is no record, and of a damaged one nothing is known. */
  revokedRead(key: string, recordKey: string, record: Uint8Array | undefined): void {
    const monitor = this.monitor(key);
    const spend = monitor?.confirmedSpend?.spend;
    // Meanwhile a reorganisation may have put another one in its place.
    if (spend?.kind !== 'revokedCommitment' || this.missingRevoked(key)?.recordKey !== recordKey) return;
    if (monitor === undefined) return;
    const { number } = spend;
    const read = record && readable(() => decodeRevoked(record));
    // HTLCs that are still there may have been in it, and are known by their scripts.
    const guess = {
      number,
      spec: { ...monitor.holderCommitment.spec, htlcs: knownSpecs(monitor).flatMap(({ htlcs }) => htlcs) },
    };
    this.updateChannel(key, [{ kind: 'revokedRead', revoked: read?.number === number ? read : guess }]);
    this.#registerOutputs(key);
  }

  releasePendingMonitorEvents(key: string): readonly MonitorEvent[] {
    const events = this.#events;
    this.#undo()?.push(() => (this.#events = events));
    this.#events = events.filter(({ channelKey }) => channelKey !== key);
    const monitor = this.monitor(key);
    return [
      ...events.filter(({ channelKey }) => channelKey === key),
      ...(monitor === undefined ? [] : this.#untold(key, monitor)),
    ];
  }

  ackMonitorEvent(key: string, id: number): void {
    const isPending = this.monitor(key)?.events.some((event) => event.id === id) ?? false;
    const before = this.#acknowledged.get(key) ?? [];
    if (isPending && !before.includes(id)) this.#acknowledged.set(key, [...before, id]);
  }

  /** Decides what a height decides. */
  bestBlockUpdated(key: string, height: number): void {
    if (this.#acknowledged.has(key)) this.updateChannel(key, []);
    const monitor = this.monitor(key);
    if (monitor?.confirmedSpend === undefined) return;
    const decided = htlcOutcomes(this.#claimKeys(monitor), monitor, height);
    if (decided.length > 0)
      this.updateChannel(
        key,
        decided.map((outcome) => ({ kind: 'htlcResolved', ...outcome })),
      );
  }

  /** Where all goes that is taken out of a closed channel: the script of its own that it was opened with, if it was. */
  destinationScript({ params }: ChannelMonitor): Uint8Array {
    const { upfrontShutdownScript } = params.holder;
    return upfrontShutdownScript.length > 0 ? upfrontShutdownScript : this.#keys.destinationScript();
  }

  #claimParts(monitor: ChannelMonitor): ClaimParts {
    const { coins } = this.#keys;
    return { signer: this.#claimKeys(monitor).signer, coins, destinationScript: this.destinationScript(monitor) };
  }

  #untold(key: string, { events }: ChannelMonitor): readonly MonitorEvent[] {
    const told = this.#told.get(key) ?? -1;
    const newest = events.at(-1)?.id ?? told;
    if (newest > told) this.#told.set(key, newest);
    return events
      .filter(({ id }) => id > told)
      .map((resolved) => ({ kind: 'htlcResolved', channelKey: key, resolved }));
  }

  /** Whether a closed channel has been over for so long at a height that it may be archived. */
  isFullyResolved(key: string, height: number): boolean {
    const monitor = this.monitor(key);
    if (monitor === undefined) return false;
    return isFullyResolved(monitor, this.#claims(monitor), height, this.destinationScript(monitor));
  }

  /** Stops watching a channel that never had a funding, or is fully resolved, and archives its records. */
  archiveChannel(key: string): void {
    const monitor = this.monitor(key);
    if (monitor === undefined) return;
    const { fundingTxid: txid, fundingOutputIndex: vout } = monitor.params;
    for (const { outpoint } of this.#watchedOutputs(monitor)) this.#filter.unregisterOutput(outpoint);
    if (monitor.anchorChild !== undefined) this.#keys.coins.transactionDropped(transactionId(monitor.anchorChild.tx));
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
    const confirmedSpend = confirmedSpendOf(monitor, transaction, height, this.#holderTxids(monitor));
    // After a restart the chain source reports again what it reported before.
    const before = monitor.confirmedSpend;
    if (before?.height === height && equalBytes(before.txid, confirmedSpend.txid)) return;
    this.updateChannel(key, [{ kind: 'fundingSpent', confirmedSpend }]);
    this.#registerOutputs(key);
    this.#tell({ kind: 'fundingSpent', channelKey: key, confirmedSpend });
  }

  /** What spends an output of the close, or one that is ours after it: an HTLC transaction's, of whichever side. */
  #outputsSpent(key: string, monitor: ChannelMonitor, transaction: Transaction, height: number): void {
    const { confirmedSpend, outputSpends } = monitor;
    if (confirmedSpend === undefined) return;
    const claimed = new Set(this.#claims(monitor).map(({ outpoint }) => claimName(outpoint)));
    const txid = transactionId(transaction);
    const known = outputSpends.find((spend) => equalBytes(spend.txid, txid));
    const concerns = transaction.inputs.some(
      (input) => equalBytes(input.txid, confirmedSpend.txid) || claimed.has(claimName(input)),
    );
    if (known?.height === height || (known === undefined && !concerns)) return;
    const preimages = learntPreimages(monitor, transaction);
    this.updateChannel(key, [
      ...learntSteps(monitor, preimages),
      { kind: 'outputSpent', spend: { transaction: encodeTransaction(transaction), txid, height } },
    ]);
    this.#registerOutputs(key);
  }

  /** Whatever spends an output of the close decides about an HTLC; of later ones only ours matter. */
  #registerOutputs(key: string): void {
    const monitor = this.monitor(key);
    if (monitor === undefined) return;
    for (const { outpoint, script } of this.#watchedOutputs(monitor)) this.#filter.registerOutput(outpoint, script);
  }

  #watchedOutputs(monitor: ChannelMonitor): readonly Pick<Claim, 'outpoint' | 'script'>[] {
    if (monitor.confirmedSpend === undefined || monitor.confirmedSpend.spend.kind === 'cooperative') return [];
    const { txid, transaction } = monitor.confirmedSpend;
    const { outputs } = decodeTransaction(transaction);
    return [...outputs.map(({ script }, vout) => ({ outpoint: { txid, vout }, script })), ...this.#claims(monitor)];
  }

  /** Derived once for each monitor: a block asks for them several times. */
  #claims(monitor: ChannelMonitor): readonly Claim[] {
    const known = this.#derived.get(monitor) ?? claimsOf(this.#claimKeys(monitor), monitor);
    this.#derived.set(monitor, known);
    return known;
  }

  #claimKeys({ params }: ChannelMonitor): ClaimKeys {
    return claimKeys(this.#keys.secp, this.#keys.signer(params));
  }

  /** Signs our commitment once, when it is decided that it goes out: after that its secret is never released. */
  #withBroadcast(monitor: ChannelMonitor): ChannelMonitor {
    if (monitor.closed !== 'broadcast' || monitor.broadcastTransaction.length > 0) return monitor;
    const { secp } = this.#keys;
    const broadcastTransaction = signedHolderCommitment(secp, this.#keys.signer(monitor.params), monitor);
    return { ...monitor, broadcastTransaction };
  }

  #holderTxids(monitor: ChannelMonitor): readonly Uint8Array[] {
    const { params, holderCommitment: newest, previousHolderCommitment: previous } = monitor;
    const keys = this.#claimKeys(monitor);
    return [newest, ...(previous === undefined ? [] : [previous])].map((version) =>
      transactionId(holderCommitment(keys, { params, holderCommitment: version }).commitment.tx),
    );
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

const learntSteps = (monitor: ChannelMonitor, preimages: ReadonlyMap<string, Uint8Array>): readonly MonitorStep[] => [
  ...[...preimages.values()].map((preimage): MonitorStep => ({ kind: 'paymentPreimage', preimage })),
  ...paidAfterAll(monitor, preimages).map((outcome): MonitorStep => ({ kind: 'htlcResolved', ...outcome })),
];
