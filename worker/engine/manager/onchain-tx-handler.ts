import { GlowwormError } from '../primitives/errors.ts';
import type { ChannelFeerates } from '../channel/channel-env.ts';
import { afterClosingConfirmed, isNegotiated } from '../channel/closed-channel.ts';
import type { ClosedChannel, CloseReason } from '../channel/channel-state.ts';
import type { ChannelMonitor, ConfirmedSpend, FundingSpend } from '../monitor/channel-monitor.ts';
import type { BlockTransaction } from '../monitor/funding-spend.ts';
import { maturingOutputs } from '../monitor/spendable-outputs.ts';
import { encodeTransaction, transactionId } from '../transactions/transaction.ts';
import { buildSweep } from '../wallet/sweep.ts';
import { anchorChild, isAwaited, type AnchorChild } from './anchor-child.ts';
import { unconfirmedFunding, type ChannelEntry } from './channel-entry.ts';
import type { ChannelEstablishment } from './channel-establishment.ts';
import { writeAnchorChild } from './channel-store.ts';
import { FundingWatch } from './funding-watch.ts';
import { monitorOf, type ManagerContext } from './manager-context.ts';

/** What the chain means for channels, and the transactions of channels that should be in it. */
export class OnchainTxHandler {
  readonly #context: ManagerContext;
  /** Those before the first estimate of this run. */
  readonly #guessedFeerates: ChannelFeerates;
  readonly #funding: FundingWatch;

  constructor(context: ManagerContext, establishment: ChannelEstablishment) {
    this.#context = context;
    this.#funding = new FundingWatch(context, establishment);
    this.#guessedFeerates = context.conditions.feerates;
  }

  transactionsConfirmed(height: number, transactions: readonly BlockTransaction[]): void {
    for (const entry of this.#context.channels.all())
      this.#context.isolate(entry, () => {
        this.#context.chainMonitor.transactionsConfirmed(entry.key, height, transactions);
        for (const each of transactions) this.#funding.transactionConfirmed(entry, height, each);
        this.#handleMonitorEvents();
      });
  }

  transactionUnconfirmed(txid: Uint8Array): void {
    for (const entry of this.#context.channels.all())
      this.#context.isolate(entry, () => {
        this.#context.chainMonitor.transactionUnconfirmed(entry.key, txid);
        this.#funding.transactionUnconfirmed(entry, txid);
        this.#handleMonitorEvents();
      });
  }

  bestBlockUpdated(height: number): void {
    this.#context.conditions.blockHeight = height;
    for (const entry of this.#context.channels.all())
      this.#context.isolate(entry, () => this.#funding.bestBlockUpdated(entry, height));
    this.rebroadcast();
  }

  /** Every transaction of channels that should be in the chain and is not. */
  rebroadcast(): void {
    for (const entry of this.#context.channels.all()) this.#context.isolate(entry, () => this.#rebroadcast(entry));
  }

  #rebroadcast(entry: ChannelEntry): void {
    const { state } = entry;
    const funding = unconfirmedFunding(state);
    if (funding !== undefined) this.#context.turn().broadcast(funding.transaction);
    if (state.kind !== 'closed') return;
    const monitor = monitorOf(this.#context, entry);
    if (monitor.confirmedSpend !== undefined) {
      this.#releaseChild(entry);
      this.#sweep(entry, monitor);
    } else if (state.reason.kind === 'cooperative') this.#context.turn().broadcast(state.reason.transaction);
    else this.broadcastHolderCommitment(entry);
  }

  /** Our commitment, if it was decided that it goes out, with the child that pays for it. */
  broadcastHolderCommitment(entry: ChannelEntry): void {
    const monitor = monitorOf(this.#context, entry);
    if (monitor.broadcastTransaction.length === 0) return;
    // While nobody has seen the funding it would be refused, and coins would wait for a child that may never be there.
    if (entry.state.kind === 'closed' && entry.state.unseenFunding !== undefined) return;
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

  #handleMonitorEvents(): void {
    for (const event of this.#context.chainMonitor.releasePendingMonitorEvents()) {
      const entry = this.#context.channels.get(event.channelKey);
      if (entry === undefined) continue;
      if (event.kind === 'fundingSpent') this.#fundingSpent(entry, event.confirmedSpend);
      else this.#fundingSpendUnconfirmed(entry, event.spend);
    }
  }

  /** Whatever spent the funding ended the channel; our commitment would only conflict with it. */
  #fundingSpent(entry: ChannelEntry, { spend, transaction }: ConfirmedSpend): void {
    this.#releaseChild(entry);
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
    this.#context.turn().touch(entry).anchorChild = child;
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
