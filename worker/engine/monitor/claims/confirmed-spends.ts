import { decodeTransaction, type Outpoint, type Transaction } from '../../transactions/transaction.ts';
import { isSameOutpoint } from '../../wallet/coin.ts';
import type { ConfirmedTransaction } from '../channel-monitor.ts';

/** A transaction of the chain, read. */
export interface ReadTransaction extends Omit<ConfirmedTransaction, 'transaction'> {
  readonly tx: Transaction;
}

/** What spent an output, and by which of its inputs. */
export interface ConfirmedOutputSpend extends ReadTransaction {
  readonly inputIndex: number;
}

/** Every block asks for them again. */
const READ = new WeakMap<ConfirmedTransaction, ReadTransaction>();

export function readTransaction(confirmed: ConfirmedTransaction): ReadTransaction {
  const { transaction, txid, height } = confirmed;
  const known = READ.get(confirmed) ?? { txid, height, tx: decodeTransaction(transaction) };
  READ.set(confirmed, known);
  return known;
}

/** The transaction among those of a monitor that spent an output. */
export function spendOf(
  transactions: readonly ConfirmedTransaction[],
  outpoint: Outpoint,
): ConfirmedOutputSpend | undefined {
  for (const each of transactions) {
    const spend = spendIn(readTransaction(each), outpoint);
    if (spend !== undefined) return spend;
  }
  return undefined;
}

/** As `spendOf`, of one that is read already. */
export function spendIn(read: ReadTransaction, outpoint: Outpoint): ConfirmedOutputSpend | undefined {
  const inputIndex = read.tx.inputs.findIndex((input) => isSameOutpoint(input, outpoint));
  return inputIndex < 0 ? undefined : { ...read, inputIndex };
}
