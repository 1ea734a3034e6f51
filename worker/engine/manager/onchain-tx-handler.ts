import type { ChannelFeerates } from '../channel/channel-env.ts';
import { afterClosingConfirmed, isNegotiated } from '../channel/closed-channel.ts';
import type { ClosedChannel, CloseReason } from '../channel/channel-state.ts';
import type { ConfirmedSpend, FundingSpend } from '../monitor/channel-monitor.ts';
import type { ClaimConditions } from '../monitor/claims/claim-package.ts';
import { claimName } from '../monitor/claims/claim-transaction.ts';
import { htlcAtDeadline } from '../monitor/claims/deadlines.ts';
import type { BlockTransaction, MonitorEvent } from '../monitor/funding-spend.ts';
import type { Transaction } from '../transactions/transaction.ts';
import { unconfirmedFunding, type ChannelEntry } from './channel-entry.ts';
import type { ChannelEstablishment } from './channel-establishment.ts';
import { fundingsSeen, FundingWatch } from './funding-watch.ts';
import { guessedFeerate, type Waiting } from './guessed-feerate.ts';
import { monitorOf, type ManagerContext } from './manager-context.ts';

/** What the chain means for channels, and the transactions of channels that should be in it. */
export class OnchainTxHandler {
  readonly #context: ManagerContext;
  /** Those before the first estimate of this run. */
  readonly #guessedFeerates: ChannelFeerates;
  readonly #establishment: ChannelEstablishment;
  readonly #funding: FundingWatch;
  /** The height with which this run began. */
  #beganAt: number | undefined;
  /** The heights since which, in this run, commitments go out that pay enough themselves, as far as anybody knows. */
  readonly #aloneSince = new Map<string, number>();
  /** The height at which deadlines were last looked at. */
  #lookedAt: number | undefined;

  constructor(context: ManagerContext, establishment: ChannelEstablishment) {
    this.#context = context;
    this.#establishment = establishment;
    this.#funding = new FundingWatch(context, establishment);
    this.#guessedFeerates = context.conditions.feerates;
  }

  transactionsConfirmed(height: number, transactions: readonly BlockTransaction[]): void {
    const { channels, chainMonitor, conditions } = this.#context;
    const before = new Map(chainMonitor.monitors());
    for (const entry of channels.all())
      // Each by itself: what goes wrong with one must not take back what was learnt from the one before.
      for (const each of transactions)
        this.#context.isolate(entry, () => {
          chainMonitor.transactionsConfirmed(entry.key, height, [each]);
          this.#funding.transactionConfirmed(entry, height, each);
          this.handleMonitorEvents(entry);
        });
    const hasLearnt = chainMonitor.monitors().some(([key, monitor]) => monitor !== before.get(key));
    // The best block may have come first: what follows does not wait for the next, for any channel by the coins that came of it.
    if (height <= conditions.blockHeight && hasLearnt) this.rebroadcast();
  }

  /** A transaction is in a mempool that spends what was watched: a preimage in it is there for all to see. */
  transactionSeen(transaction: Transaction): void {
    const { channels, chainMonitor, conditions } = this.#context;
    for (const entry of channels.all())
      this.#context.isolate(entry, () => {
        chainMonitor.transactionSeen(entry.key, transaction);
        chainMonitor.bestBlockUpdated(entry.key, conditions.blockHeight);
        this.handleMonitorEvents(entry);
      });
  }

  transactionUnconfirmed(txid: Uint8Array): void {
    for (const entry of this.#context.channels.all()) this.#unconfirmed(entry, [txid]);
  }

  #unconfirmed(entry: ChannelEntry, txids: readonly Uint8Array[]): void {
    this.#context.isolate(entry, () => {
      for (const txid of txids) {
        this.#context.chainMonitor.transactionUnconfirmed(entry.key, txid);
        this.#funding.transactionUnconfirmed(entry, txid);
      }
      this.handleMonitorEvents(entry);
    });
  }

  /** Below the best block before, whatever was above left the chain: a chain source that was away may not know what there was. */
  bestBlockUpdated(height: number): void {
    if (height < this.#context.conditions.blockHeight)
      for (const entry of this.#context.channels.all()) this.#unconfirmed(entry, this.#confirmedAbove(entry, height));
    this.#context.conditions.blockHeight = height;
    this.#beganAt ??= height;
    for (const entry of this.#context.channels.all())
      this.#context.isolate(entry, () => {
        this.#context.chainMonitor.bestBlockUpdated(entry.key, height);
        this.#funding.bestBlockUpdated(entry, height);
        this.handleMonitorEvents(entry);
      });
    this.closeAtDeadlines();
    this.rebroadcast();
    this.#archiveResolved();
  }

  #confirmedAbove(entry: ChannelEntry, height: number): readonly Uint8Array[] {
    const { confirmedSpend, outputSpends = [] } = this.#context.chainMonitor.monitor(entry.key) ?? {};
    const seen = [confirmedSpend, ...outputSpends, ...fundingsSeen(entry.state)];
    return seen.flatMap((each) => (each !== undefined && each.height > height ? each.txid : []));
  }

  /** Closes channels with HTLCs at their deadlines, as soon as that may be done. Each height is looked at once. */
  closeAtDeadlines(): void {
    const { parts, conditions } = this.#context;
    if (conditions.blockHeight === this.#lookedAt || !parts.mayCloseAtDeadlines()) return;
    const before = this.#lookedAt;
    this.#context.turn().undo.push(() => (this.#lookedAt = before));
    this.#lookedAt = conditions.blockHeight;
    for (const entry of this.#byDeadline())
      this.#context.isolate(entry, () => {
        if (entry.state.kind !== 'open') return;
        const monitor = monitorOf(this.#context, entry);
        if (monitor.isCopy || htlcAtDeadline(monitor, conditions.blockHeight) === undefined) return;
        this.#context.close(entry, { kind: 'htlcDeadline' }, 'broadcast');
      });
  }

  /** Channels that have been over for weeks cost nothing any more, neither memory nor requests. */
  #archiveResolved(): void {
    const { channels, chainMonitor, conditions } = this.#context;
    for (const entry of channels.all())
      this.#context.isolate(entry, () => {
        if (entry.state.kind === 'closed' && chainMonitor.isFullyResolved(entry.key, conditions.blockHeight))
          this.#establishment.archive(entry);
      });
  }

  /** Every transaction of channels that should be in the chain and is not. */
  rebroadcast(): void {
    const { chainMonitor } = this.#context;
    const entries = this.#byDeadline();
    // Coins go from one channel's claims to another's: all that are free must be, and all that are lent, before one is taken.
    for (const entry of entries) this.#context.isolate(entry, () => chainMonitor.returnCoins(entry.key));
    for (const entry of entries)
      this.#context.isolate(entry, () => chainMonitor.lendCoins(entry.key, this.#claimConditions(entry)));
    for (const entry of entries) this.#context.isolate(entry, () => this.#rebroadcast(entry));
  }

  /** What has the least time comes first, while there are coins. */
  #byDeadline(): readonly ChannelEntry[] {
    const { channels, chainMonitor } = this.#context;
    const deadlines = new Map<ChannelEntry, number>();
    for (const entry of channels.all())
      this.#context.isolate(entry, () => void deadlines.set(entry, chainMonitor.deadline(entry.key) ?? Infinity));
    return [...deadlines].toSorted(([, a], [, b]) => a - b).map(([entry]) => entry);
  }

  #rebroadcast(entry: ChannelEntry): void {
    const { state } = entry;
    const funding = unconfirmedFunding(state);
    if (funding !== undefined) this.#context.turn().broadcast(funding.transaction);
    if (state.kind !== 'closed') return;
    const monitor = monitorOf(this.#context, entry);
    if (monitor.confirmedSpend !== undefined) {
      this.#claim(entry);
    } else if (state.reason.kind === 'cooperative') this.#context.turn().broadcast(state.reason.transaction);
    else this.broadcastHolderCommitment(entry);
  }

  /** What is due in the chain after a monitor has learnt something. */
  updated(entry: ChannelEntry): void {
    if (monitorOf(this.#context, entry).confirmedSpend === undefined) this.broadcastHolderCommitment(entry);
    else this.#claim(entry);
  }

  /** Our commitment, if it was decided that it goes out, with the child that pays for it. */
  broadcastHolderCommitment(entry: ChannelEntry): void {
    // While nobody has seen the funding it would be refused, and coins would wait for a child that may never be there.
    if (entry.state.kind === 'closed' && entry.state.unseenFunding !== undefined) return;
    const { chainMonitor, conditions } = this.#context;
    const { anchorChild: before } = monitorOf(this.#context, entry);
    const feeratePerKw = this.#feerate(before === undefined ? [] : [before], [before ?? this.#alone(entry)]);
    const transactions = chainMonitor.makeHolderBroadcast(entry.key, { height: conditions.blockHeight, feeratePerKw });
    if (transactions !== undefined) this.#context.turn().broadcast(...transactions);
  }

  /** Our commitment without a child. */
  #alone(entry: ChannelEntry): Waiting {
    const { blockHeight, feerates } = this.#context.conditions;
    const { closed, holderCommitment } = monitorOf(this.#context, entry);
    const { feeratePerKw } = holderCommitment.spec;
    const height = this.#aloneSince.get(entry.key) ?? blockHeight;
    // Before the first block of a run no height is known, and an open channel's waits for nothing.
    if (this.#beganAt !== undefined && closed === 'broadcast') this.#aloneSince.set(entry.key, height);
    return { feeratePerKw: Math.max(feeratePerKw, feerates.outputSpending), height };
  }

  /**
   * For what is made now, after what was `made` before. A guess is no reason to pay more than before the restart, unless what is
   * `waiting` goes on waiting in blocks of this run: until then no server had the time to answer.
   */
  #feerate(made: readonly Waiting[], waiting: readonly Waiting[]): number {
    const { feerates, blockHeight } = this.#context.conditions;
    if (feerates !== this.#guessedFeerates) return feerates.outputSpending;
    // The least: what one pays for its haste is no reason that the others pay it too.
    const guess = made.length === 0 ? feerates.outputSpending : Math.min(...made.map((each) => each.feeratePerKw));
    return blockHeight === this.#beganAt ? guess : guessedFeerate(guess, waiting, blockHeight);
  }

  /** What a revoked commitment in the chain said, `undefined` where there is no record of it: it had no HTLCs. */
  revokedRead(key: string, recordKey: string, record: Uint8Array | undefined): void {
    const entry = this.#context.channels.get(key);
    if (entry === undefined) return;
    this.#context.isolate(entry, () => {
      this.#context.chainMonitor.revokedRead(key, recordKey, record);
      this.#claim(entry);
    });
  }

  /** What a channel's monitor has not told yet. */
  handleMonitorEvents(entry: ChannelEntry): void {
    for (const event of this.#context.chainMonitor.releasePendingMonitorEvents(entry.key))
      this.#handleMonitorEvent(entry, event);
  }

  #handleMonitorEvent(entry: ChannelEntry, event: MonitorEvent): void {
    switch (event.kind) {
      case 'fundingSpent':
        return this.#fundingSpent(entry, event.confirmedSpend);
      case 'fundingSpendUnconfirmed':
        return this.#fundingSpendUnconfirmed(entry, event.spend);
      case 'htlcResolved':
        return this.#context.htlcResolved(entry, event.resolved);
      default:
        return event satisfies never;
    }
  }

  /** Whatever spent the funding ended the channel; our commitment would only conflict with it. */
  #fundingSpent(entry: ChannelEntry, { spend, transaction }: ConfirmedSpend): void {
    this.#context.chainMonitor.releaseChild(entry.key, this.#context.conditions.blockHeight);
    const { state } = entry;
    // Newer than any that we signed: ours is revoked.
    const fate = spend.kind === 'unknownCommitment' ? 'never' : 'wait';
    if (state.kind === 'open') return this.#context.close(entry, reasonOf(spend, transaction), fate);
    if (state.kind !== 'closed' || (spend.kind !== 'cooperative' && !isNegotiated(state))) return;
    // An agreed close may have won against our commitment, which was to replace it.
    const reason = spend.kind === 'cooperative' ? reasonOf(spend, transaction) : state.reason;
    this.#context.turn().touch(entry).state = { ...afterClosingConfirmed(state), reason };
  }

  /**
   * A reorganisation took a commitment out of the chain: ours goes out, or nothing would close the channel. The monitor lets
   * none go out that is revoked.
   */
  #fundingSpendUnconfirmed(given: ChannelEntry, spend: FundingSpend): void {
    const { state } = given;
    if (state.kind !== 'closed') return;
    if (spend.kind === 'cooperative') return this.#agreedCloseUnconfirmed(given, state);
    if (state.reason.kind === 'cooperative') return;
    const entry = this.#context.turn().touch(given);
    entry.steps = [...entry.steps, { kind: 'channelForceClosed', holderCommitment: 'broadcast' }];
  }

  /** Its owner had replaced the agreed close, which won all the same: ours goes out again, or neither could be replaced. */
  #agreedCloseUnconfirmed(entry: ChannelEntry, state: ClosedChannel): void {
    if (state.reason.kind !== 'cooperative' || monitorOf(this.#context, entry).closed !== 'broadcast') return;
    this.#context.turn().touch(entry).state = { ...state, reason: { kind: 'holderForceClosed' } };
  }

  /** Takes what a confirmed close left to us. */
  #claim(entry: ChannelEntry): void {
    const { chainMonitor, conditions } = this.#context;
    chainMonitor.releaseChild(entry.key, conditions.blockHeight);
    const missing = chainMonitor.missingRevoked(entry.key);
    if (missing !== undefined) this.#context.turn().leave({ kind: 'readRevoked', channelKey: entry.key, ...missing });
    for (const transaction of chainMonitor.makeClaims(entry.key, this.#claimConditions(entry)))
      this.#context.turn().broadcast(transaction);
  }

  #claimConditions(entry: ChannelEntry): ClaimConditions {
    const { chainMonitor, conditions } = this.#context;
    const packages = chainMonitor.monitor(entry.key)?.packages ?? [];
    const left = new Set(chainMonitor.claims(entry.key).map(({ outpoint }) => claimName(outpoint)));
    const waiting = packages.filter(({ outpoints }) => outpoints.some((each) => left.has(claimName(each))));
    return { height: conditions.blockHeight, feeratePerKw: this.#feerate(packages, waiting) };
  }
}

function reasonOf(spend: FundingSpend, transaction: Uint8Array): CloseReason {
  switch (spend.kind) {
    case 'cooperative':
      return { kind: 'cooperative', transaction };
    case 'holderCommitment':
      return { kind: 'holderForceClosed' };
    case 'unknownCommitment':
      return { kind: 'stale' };
    case 'counterpartyCommitment':
    case 'revokedCommitment':
      return { kind: 'counterpartyForceClosed' };
    default:
      return spend satisfies never;
  }
}
