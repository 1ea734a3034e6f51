import { equalBytes } from '../primitives/bytes.ts';
import { FUNDING_TIMEOUT_BLOCKS } from '../channel/channel-ready.ts';
import type { ClosedChannel, Funding, OpenChannel } from '../channel/channel-state.ts';
import type { BlockTransaction } from '../monitor/funding-spend.ts';
import type { ChannelParameters } from '../transactions/channel-parameters.ts';
import { fundingScript } from '../transactions/channel-scripts.ts';
import { p2wsh } from '../transactions/script.ts';
import { decodeTransaction, transactionId, type Transaction } from '../transactions/transaction.ts';
import type { ChannelEntry } from './channel-entry.ts';
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
    if (state.kind === 'open') {
      if (isFunding(state.params, transaction)) this.#found(entry, state, height, { transaction, index });
      else this.#noteConflict(entry, state, height, transaction);
    } else if (state.kind === 'closed' && isFunding(state.params, transaction))
      this.#foundLate(entry, state, transaction);
  }

  transactionUnconfirmed(entry: ChannelEntry, txid: Uint8Array): void {
    const { state } = entry;
    if (state.kind !== 'open') return;
    const { funding, params } = state;
    const conflict = funding.kind === 'unconfirmed' ? funding.conflict : undefined;
    const isGone = equalBytes(params.fundingTxid, txid) || (conflict !== undefined && equalBytes(conflict.txid, txid));
    if (isGone) this.#move(entry, state, { kind: 'unconfirmed', transaction: funding.transaction });
  }

  bestBlockUpdated(entry: ChannelEntry, height: number): void {
    const { state } = entry;
    if (state.kind === 'open') this.#age(entry, state, height);
    else if (state.kind === 'closed' && state.forgetAtHeight !== undefined && height > state.forgetAtHeight)
      this.#forget(entry);
  }

  #found(entry: ChannelEntry, channel: OpenChannel, height: number, { transaction, index }: BlockTransaction): void {
    const wrong = wrongFunding(channel, transaction, height);
    if (wrong === undefined) {
      const { transaction: bytes } = channel.funding;
      return this.#move(entry, channel, { kind: 'confirmed', height, transactionIndex: index, transaction: bytes });
    }
    this.#context.peers.sendError(entry.nodeId, channel.params.channelId, wrong);
    this.#context.close(entry, { kind: 'fundingInvalid', message: wrong }, false);
    this.#forget(entry);
  }

  /** The channel was given up before its funding was seen. What is ours in it, such as `push_msat`, is taken. */
  #foundLate(given: ChannelEntry, closed: ClosedChannel, transaction: Transaction): void {
    if (closed.forgetAtHeight === undefined || !paysFunding(closed.params, transaction)) return;
    const { confirmedSpend } = monitorOf(this.#context, given);
    const entry = this.#context.turn().touch(given);
    entry.state = { ...closed, forgetAtHeight: undefined };
    if (confirmedSpend === undefined && closed.holderMsat >= closed.params.holder.dustLimitSat * 1000n)
      entry.steps = [...entry.steps, { kind: 'channelForceClosed', broadcast: true }];
  }

  /** BOLT 2, The funding_created Message: the fundee forgets a channel after 2016 blocks; the opener, whose money it is, never. */
  #age(entry: ChannelEntry, channel: OpenChannel, height: number): void {
    const { funding, params } = channel;
    // The channel has to look whether its funding is deep enough now.
    if (!channel.holderReadySent) this.#context.turn().touch(entry);
    const beganAtHeight = channel.beganAtHeight ?? height;
    if (channel.beganAtHeight === undefined) this.#context.turn().touch(entry).state = { ...channel, beganAtHeight };
    if (funding.kind === 'confirmed') return;
    if (params.isOpener) {
      const replaced = funding.conflict !== undefined && height - funding.conflict.height + 1 >= CONFLICT_DEPTH;
      if (!replaced) return;
      this.#context.parts.wallet.transactionDropped(params.fundingTxid);
      this.#context.close(entry, { kind: 'fundingReplaced' }, false);
    } else {
      if (height - beganAtHeight <= FUNDING_TIMEOUT_BLOCKS) return;
      this.#context.close(entry, { kind: 'fundingTimedOut' }, false);
    }
    this.#forget(entry);
  }

  /** Not where it was used before its funding confirmed, as a trusted peer's channel is: then there is more to lose. */
  #forget(entry: ChannelEntry): void {
    const { holderCommitment, counterpartyCommitments } = monitorOf(this.#context, entry);
    if (holderCommitment.number === 0 && counterpartyCommitments.at(-1)?.number === 0)
      this.#establishment.archive(entry);
  }

  #noteConflict(entry: ChannelEntry, channel: OpenChannel, height: number, transaction: Transaction): void {
    const { funding } = channel;
    if (funding.kind === 'confirmed' || funding.transaction.length === 0) return;
    const { inputs } = decodeTransaction(funding.transaction);
    const conflicts = transaction.inputs.some(({ txid, vout }) =>
      inputs.some((input) => input.vout === vout && equalBytes(input.txid, txid)),
    );
    if (!conflicts) return;
    const conflict = { txid: transactionId(transaction), height };
    this.#move(entry, channel, { kind: 'unconfirmed', transaction: funding.transaction, conflict });
  }

  #move(entry: ChannelEntry, channel: OpenChannel, funding: Funding): void {
    this.#context.turn().touch(entry).state = { ...channel, funding };
  }
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
