import { equalBytes } from '../primitives/bytes.ts';
import { GlowwormError } from '../primitives/errors.ts';
import type { ChannelFeerates } from '../channel/channel-env.ts';
import { FUNDING_TIMEOUT_BLOCKS } from '../channel/channel-ready.ts';
import type { CloseReason, Funding, OpenChannel } from '../channel/channel-state.ts';
import type { ChannelMonitor } from '../monitor/channel-monitor.ts';
import type { BlockTransaction, MonitorEvent } from '../monitor/funding-spend.ts';
import { maturingOutputs } from '../monitor/spendable-outputs.ts';
import { encodeTransaction, transactionId } from '../transactions/transaction.ts';
import { buildSweep } from '../wallet/sweep.ts';
import { anchorChild, isAwaited, type AnchorChild } from './anchor-child.ts';
import { isOpen, type ChannelEntry } from './channel-entry.ts';
import { writeAnchorChild } from './channel-store.ts';
import { monitorOf, type ManagerContext } from './manager-context.ts';

/** What the chain means for channels, and the transactions of channels that should be in it. */
export class OnchainTxHandler {
  readonly #context: ManagerContext;
  /** Those before the first estimate of this run. */
  readonly #guessedFeerates: ChannelFeerates;

  constructor(context: ManagerContext) {
    this.#context = context;
    this.#guessedFeerates = context.conditions.feerates;
  }

  transactionsConfirmed(height: number, transactions: readonly BlockTransaction[]): void {
    this.#context.chainMonitor.transactionsConfirmed(height, transactions);
    for (const { transaction, index } of transactions)
      this.#fundingMoved(transactionId(transaction), { kind: 'confirmed', height, transactionIndex: index });
    this.#handleMonitorEvents();
  }

  transactionUnconfirmed(txid: Uint8Array): void {
    this.#context.chainMonitor.transactionUnconfirmed(txid);
    this.#fundingMoved(txid, { kind: 'unconfirmed' });
    this.#handleMonitorEvents();
  }

  bestBlockUpdated(height: number): void {
    this.#context.conditions.blockHeight = height;
    for (const entry of this.#context.channels.all()) {
      if (!isOpen(entry)) continue;
      const { state } = entry;
      if (!state.holderReadySent) this.#context.turn().touched.add(entry);
      const waited = height - (entry.openedAtHeight ??= height);
      if (state.funding.kind === 'unconfirmed' && !state.params.isOpener && waited > FUNDING_TIMEOUT_BLOCKS)
        this.#context.close(entry, { kind: 'fundingTimedOut' }, false);
    }
    this.rebroadcast();
  }

  /** Every transaction of channels that should be in the chain and is not. */
  rebroadcast(): void {
    for (const entry of this.#context.channels.all()) {
      const { state } = entry;
      if (state.kind === 'open' && state.funding.kind === 'unconfirmed')
        this.#context.turn().broadcast(state.funding.transaction);
      if (state.kind !== 'closed') continue;
      const monitor = monitorOf(this.#context, entry);
      if (monitor.confirmedSpend !== undefined) {
        this.#releaseChild(entry);
        this.#sweep(entry, monitor);
      } else if (state.reason.kind === 'cooperative') this.#context.turn().broadcast(state.reason.transaction);
      else this.broadcastHolderCommitment(entry);
    }
  }

  /** Our commitment, if it was decided that it goes out, with the child that pays for it. */
  broadcastHolderCommitment(entry: ChannelEntry): void {
    const monitor = monitorOf(this.#context, entry);
    if (monitor.broadcastTransaction.length === 0) return;
    this.#context.turn().broadcast(monitor.broadcastTransaction);
    const { parts, conditions } = this.#context;
    const before = entry.anchorChild;
    // A guess is no reason to pay more than before the restart.
    const isGuess = conditions.feerates === this.#guessedFeerates;
    const feerate = isGuess && before !== undefined ? before.feeratePerKw : conditions.feerates.closing;
    const child = anchorChild({ ...parts, signer: entry.signer, monitor }, feerate, before);
    this.#saveChild(entry, child);
    if (child !== undefined) this.#context.turn().broadcast(encodeTransaction(child.tx));
  }

  /** What closed channels still owe to the wallet, in satoshi. */
  sweepingSat(): bigint {
    return this.#context.channels.all().reduce((sum, entry) => {
      if (entry.state.kind !== 'closed') return sum;
      const outputs = maturingOutputs(this.#context.parts.secp, entry.signer, monitorOf(this.#context, entry));
      return outputs.reduce((total, { output }) => total + output.amountSat, sum);
    }, 0n);
  }

  #fundingMoved(txid: Uint8Array, where: FundingPlace): void {
    for (const entry of this.#context.channels.all()) {
      if (!isOpen(entry) || !equalBytes(entry.state.params.fundingTxid, txid)) continue;
      const { transaction } = entry.state.funding;
      const state: OpenChannel = { ...entry.state, funding: { ...where, transaction } };
      entry.state = state;
      this.#context.turn().touched.add(entry);
    }
  }

  #handleMonitorEvents(): void {
    for (const event of this.#context.chainMonitor.releasePendingMonitorEvents()) this.#handleMonitorEvent(event);
  }

  #handleMonitorEvent(event: MonitorEvent): void {
    const entry = this.#context.channels.get(event.channelKey);
    if (entry === undefined || event.kind !== 'fundingSpent') return;
    this.#releaseChild(entry);
    if (!isOpen(entry)) return;
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
    this.#context.close(entry, reason, false);
  }

  /** Gives the wallet its coins back once the child is not awaited any more. */
  #releaseChild(entry: ChannelEntry): void {
    const { anchorChild: child } = entry;
    const { parts, conditions } = this.#context;
    if (child === undefined || isAwaited(monitorOf(this.#context, entry), child, parts.wallet, conditions.blockHeight))
      return;
    parts.wallet.transactionDropped(transactionId(child.tx));
    this.#saveChild(entry, undefined);
  }

  #saveChild(entry: ChannelEntry, child: AnchorChild | undefined): void {
    if (child === undefined && entry.anchorChild === undefined) return;
    entry.anchorChild = child;
    // Also where it is the same: an error may have taken the write of an earlier turn.
    writeAnchorChild(this.#context.turn().writes, monitorOf(this.#context, entry).params, child);
  }

  /** Moves mature outputs of a closed channel to the wallet, unless they are not worth the fee. */
  #sweep({ signer }: ChannelEntry, monitor: ChannelMonitor): void {
    const { parts, conditions } = this.#context;
    const mature = maturingOutputs(parts.secp, signer, monitor)
      .filter(({ spendableAt }) => conditions.blockHeight + 1 >= spendableAt)
      .map(({ output }) => output);
    if (mature.length === 0) return;
    try {
      const script = parts.keys.destinationScript();
      const { rawTx } = buildSweep(mature, script, conditions.feerates.closing, (output, spending) =>
        output.kind === 'delayed'
          ? signer.signToLocalSweep(spending, output)
          : signer.signToRemoteSweep(spending, output.format),
      );
      this.#context.turn().broadcast(rawTx);
    } catch (error) {
      if (!(error instanceof GlowwormError) || error.code !== 'NothingToSweep') throw error;
    }
  }
}

/** A funding without its transaction. */
type FundingPlace =
  | Pick<Extract<Funding, { kind: 'unconfirmed' }>, 'kind'>
  | Omit<Extract<Funding, { kind: 'confirmed' }>, 'transaction'>;
