import { equalBytes } from '../primitives/bytes.ts';
import { commitmentNumberOf, obscuringFactor } from '../transactions/commitment-number.ts';
import {
  encodeTransaction,
  transactionId,
  type Transaction,
  type TransactionInput,
} from '../transactions/transaction.ts';
import type { ChannelParameters } from '../transactions/channel-parameters.ts';
import type { ChannelMonitor, ConfirmedSpend, FundingSpend } from './channel-monitor.ts';
import type { HtlcEvent } from './htlc-resolution.ts';

/** A transaction of a block with its place in it. */
export interface BlockTransaction {
  readonly index: number;
  readonly transaction: Transaction;
}

/** What a monitor knows that the manager has to act upon. */
export type MonitorEvent =
  | { readonly kind: 'fundingSpent'; readonly channelKey: string; readonly confirmedSpend: ConfirmedSpend }
  /** What became of an HTLC that we offered is known. Told until `Watch.ackMonitorEvent`. */
  | { readonly kind: 'htlcResolved'; readonly channelKey: string; readonly resolved: HtlcEvent }
  /** A reorganisation took the spend out of the chain again. */
  | { readonly kind: 'fundingSpendUnconfirmed'; readonly channelKey: string; readonly spend: FundingSpend };

/** Whether a transaction spends a channel's funding output. */
export const spendsFunding = ({ params }: ChannelMonitor, transaction: Transaction): boolean =>
  fundingInput(params, transaction) !== undefined;

/** What a transaction that spends the funding output is; `holderTxids` are those of our own commitments. */
export function confirmedSpendOf(
  monitor: ChannelMonitor,
  transaction: Transaction,
  height: number,
  holderTxids: readonly Uint8Array[],
): ConfirmedSpend {
  const txid = transactionId(transaction);
  return {
    spend: holderTxids.some((each) => equalBytes(each, txid))
      ? { kind: 'holderCommitment' }
      : classify(monitor, transaction),
    transaction: encodeTransaction(transaction),
    txid,
    height,
  };
}

const fundingInput = (params: ChannelParameters, transaction: Transaction): TransactionInput | undefined =>
  transaction.inputs.find(
    ({ txid, vout }) => vout === params.fundingOutputIndex && equalBytes(txid, params.fundingTxid),
  );

/** BOLT 5, General Nomenclature: a commitment shows its number in lock time and sequence, a mutual close does not. */
function classify(monitor: ChannelMonitor, transaction: Transaction): FundingSpend {
  const sequence = fundingInput(monitor.params, transaction)?.sequence ?? 0;
  if (transaction.locktime >>> 24 !== 0x20 || sequence >>> 24 !== 0x80) return { kind: 'cooperative' };
  const { params, counterpartyCommitments } = monitor;
  const [opener, accepter] = params.isOpener
    ? [params.holder, params.counterparty]
    : [params.counterparty, params.holder];
  const factor = obscuringFactor(opener.paymentBasepoint, accepter.paymentBasepoint);
  const number = commitmentNumberOf(transaction, factor);
  if (number === undefined) return { kind: 'cooperative' };
  const known = counterpartyCommitments.find((commitment) => commitment.number === number);
  if (known !== undefined)
    return { kind: 'counterpartyCommitment', number, perCommitmentPoint: known.perCommitmentPoint };
  const oldest = counterpartyCommitments[0]?.number ?? 0;
  return number < oldest ? { kind: 'revokedCommitment', number } : { kind: 'unknownCommitment', number };
}
