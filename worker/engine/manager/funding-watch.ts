import { equalBytes } from '../primitives/bytes.ts';
import { FUNDING_TIMEOUT_BLOCKS } from '../channel/channel-ready.ts';
import type { ChannelState, ClosedChannel, Funding, OpenChannel } from '../channel/channel-state.ts';
import type { BlockTransaction } from '../monitor/funding-spend.ts';
import type { ChannelParameters } from '../transactions/channel-parameters.ts';
import { fundingScript } from '../transactions/channel-scripts.ts';
import { p2wsh } from '../transactions/script.ts';
import { decodeTransaction, transactionId, type Transaction } from '../transactions/transaction.ts';
import { unconfirmedFunding, type ChannelEntry } from './channel-entry.ts';
import type { ChannelEstablishment } from './channel-establishment.ts';
import { monitorOf, type ManagerContext } from './manager-context.ts';

/** A funding is made for its channel: one in a block so far below the channel's beginning was made for something else. */
const OLDEST_FUNDING_BLOCKS = 144;
/** So deep, a transaction that spends an input of our funding is taken for final. */
const CONFLICT_DEPTH = 6;

/**
 * What the chain says of fundings. An outpoint is only a claim of the counterparty: what counts is that the output in the
 * chain has the script and the amount of the channel (BOLT 2, The channel_ready Message).
 */
export class FundingWatch {
  readonly #context: ManagerContext;
  readonly #establishment: ChannelEstablishment;

  constructor(context: ManagerContext, establishment: ChannelEstablishment) {
    this.#context = context;
    this.#establishment = establishment;
  }

  transactionConfirmed(entry: ChannelEntry, height: number, { transaction, index }: BlockTransaction): void {
    const { state } = entry;
    if (state.kind !== 'open' && state.kind !== 'closed') return;
    if (!isFunding(state.params, transaction)) this.#noteConflict(entry, height, transaction);
    else if (state.kind === 'open') this.#found(entry, state, height, { transaction, index });
    else this.#foundLate(entry, state, transaction);
  }

  transactionUnconfirmed(entry: ChannelEntry, txid: Uint8Array): void {
    const { state } = entry;
    const conflict = unconfirmedFunding(state)?.conflict;
    if (conflict !== undefined && equalBytes(conflict.txid, txid)) this.#setConflict(entry, undefined);
    if (state.kind === 'open' && equalBytes(state.params.fundingTxid, txid))
      this.#move(entry, state, { kind: 'unconfirmed', transaction: state.funding.transaction });
  }

  bestBlockUpdated(entry: ChannelEntry, height: number): void {
    const { state } = entry;
    if (state.kind === 'open') this.#age(entry, state, height);
    const funding = unconfirmedFunding(entry.state);
    if (funding === undefined) return;
    const { conflict } = funding;
    if (conflict !== undefined && height - conflict.height + 1 >= CONFLICT_DEPTH) this.#replaced(entry);
    else if (isTimedOut(entry.state, height)) this.#timedOut(entry);
  }

  #found(entry: ChannelEntry, channel: OpenChannel, height: number, { transaction, index }: BlockTransaction): void {
    const wrong = wrongFunding(channel, transaction, height);
    if (wrong === undefined) {
      const { transaction: bytes } = channel.funding;
      return this.#move(entry, channel, { kind: 'confirmed', height, transactionIndex: index, transaction: bytes });
    }
    this.#context.peers.sendError(entry.nodeId, channel.params.channelId, wrong);
    this.#context.close(entry, { kind: 'fundingInvalid', message: wrong }, 'wait');
    this.#archiveIfUnused(entry);
  }

  /**
   * The channel was closed before its funding was seen: only now there is something to spend. What is ours in it, such as
   * `push_msat`, is taken, unless the monitor knows better.
   */
  #foundLate(given: ChannelEntry, closed: ClosedChannel, transaction: Transaction): void {
    if (closed.unseenFunding === undefined) return;
    if (!paysFunding(closed.params, transaction)) return this.#archiveIfUnused(given);
    const { confirmedSpend } = monitorOf(this.#context, given);
    const entry = this.#context.turn().touch(given);
    entry.state = { ...closed, unseenFunding: undefined };
    // What was agreed upon is broadcast anyhow.
    if (closed.reason.kind === 'cooperative') return;
    if (confirmedSpend === undefined && closed.holderMsat >= closed.params.holder.dustLimitSat * 1000n)
      entry.steps = [...entry.steps, { kind: 'channelForceClosed', holderCommitment: 'broadcast' }];
  }

  #age(entry: ChannelEntry, channel: OpenChannel, height: number): void {
    // The channel has to look whether its funding is deep enough now.
    if (!channel.holderReadySent) this.#context.turn().touch(entry);
    if (channel.beganAtHeight === undefined)
      this.#context.turn().touch(entry).state = { ...channel, beganAtHeight: height };
  }

  /** Another transaction has the coins of the funding for good. */
  #replaced(entry: ChannelEntry): void {
    const { state } = entry;
    if (!('params' in state)) return;
    this.#context.parts.wallet.transactionDropped(state.params.fundingTxid);
    this.#context.close(entry, { kind: 'fundingReplaced' }, 'wait');
    this.#archiveIfUnused(entry);
  }

  #timedOut(entry: ChannelEntry): void {
    this.#context.close(entry, { kind: 'fundingTimedOut' }, 'wait');
    this.#archiveIfUnused(entry);
  }

  /** Not where it was used before its funding confirmed, as a trusted peer's channel is: then there is more to lose. */
  #archiveIfUnused(entry: ChannelEntry): void {
    const { holderCommitment, counterpartyCommitments } = monitorOf(this.#context, entry);
    if (holderCommitment.number === 0 && counterpartyCommitments.at(-1)?.number === 0)
      this.#establishment.archive(entry);
  }

  #noteConflict(entry: ChannelEntry, height: number, transaction: Transaction): void {
    const funding = unconfirmedFunding(entry.state);
    if (funding === undefined || funding.transaction.length === 0) return;
    const { inputs } = decodeTransaction(funding.transaction);
    const conflicts = transaction.inputs.some(({ txid, vout }) =>
      inputs.some((input) => input.vout === vout && equalBytes(input.txid, txid)),
    );
    if (conflicts) this.#setConflict(entry, { txid: transactionId(transaction), height });
  }

  #setConflict(entry: ChannelEntry, conflict: Extract<Funding, { kind: 'unconfirmed' }>['conflict']): void {
    const { state } = entry;
    const changed = conflict === undefined ? {} : { conflict };
    if (state.kind === 'open')
      return this.#move(entry, state, { kind: 'unconfirmed', transaction: state.funding.transaction, ...changed });
    if (state.kind !== 'closed' || state.unseenFunding === undefined) return;
    const { kind, transaction, forgetAtHeight } = state.unseenFunding;
    const unseenFunding = { kind, transaction, forgetAtHeight, ...changed };
    this.#context.turn().touch(entry).state = { ...state, unseenFunding };
  }

  #move(entry: ChannelEntry, channel: OpenChannel, funding: Funding): void {
    this.#context.turn().touch(entry).state = { ...channel, funding };
  }
}

/** What is in the chain of a channel's funding: itself, or what took its coins. */
export function fundingsSeen(state: ChannelState): readonly { readonly txid: Uint8Array; readonly height: number }[] {
  const conflict = unconfirmedFunding(state)?.conflict;
  if (conflict !== undefined) return [conflict];
  if (state.kind !== 'open' || state.funding.kind !== 'confirmed') return [];
  return [{ txid: state.params.fundingTxid, height: state.funding.height }];
}

/** BOLT 2, The funding_created Message: the fundee forgets a channel after 2016 blocks; the opener, whose money it is, never. */
function isTimedOut(state: ChannelState, height: number): boolean {
  if (state.kind === 'closed') return height > (state.unseenFunding?.forgetAtHeight ?? Number.POSITIVE_INFINITY);
  if (state.kind !== 'open' || state.params.isOpener) return false;
  return height - (state.beganAtHeight ?? height) > FUNDING_TIMEOUT_BLOCKS;
}

const isFunding = ({ fundingTxid }: ChannelParameters, transaction: Transaction): boolean =>
  equalBytes(transactionId(transaction), fundingTxid);

function wrongFunding(channel: OpenChannel, transaction: Transaction, height: number): string | undefined {
  if (!paysFunding(channel.params, transaction)) return 'the funding output has another script or amount';
  // The opener knows what it made; and a block that was seen before may be reported again.
  if (channel.params.isOpener || channel.funding.kind === 'confirmed') return undefined;
  const oldest = (channel.beganAtHeight ?? 0) - OLDEST_FUNDING_BLOCKS;
  return height < oldest ? 'the funding output is older than the channel' : undefined;
}

function paysFunding(
  { fundingOutputIndex, fundingSat, holder, counterparty }: ChannelParameters,
  { outputs }: Transaction,
): boolean {
  const output = outputs[fundingOutputIndex];
  const script = p2wsh(fundingScript(holder.fundingPubkey, counterparty.fundingPubkey));
  return output?.amountSat === fundingSat && equalBytes(output.script, script);
}
