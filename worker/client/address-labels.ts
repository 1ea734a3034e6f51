import { explorerTxid } from '../engine/transactions/txid.ts';
import { UndoableMap } from '../engine/primitives/undo-log.ts';
import { readable } from '../engine/wire/stored-record.ts';
import { scriptOfAddress } from '../engine/wallet/address.ts';
import type { OnchainWallet } from '../engine/wallet/wallet.ts';
import type { NetworkName } from './api.ts';
import type { PaymentRows } from './sent-payments.ts';
import { decodeLabel, encodeLabel, labelKey } from './wallet-records.ts';

/** What the owner has called addresses of the wallet. */
export class AddressLabels {
  readonly #labels: UndoableMap<string, string>;
  readonly #rows: PaymentRows;

  /** `stored` are the records below `labelKey('')`. */
  constructor(stored: Iterable<readonly [address: string, bytes: Uint8Array]>, rows: PaymentRows) {
    this.#rows = rows;
    this.#labels = new UndoableMap(rows.undo);
    for (const [address, bytes] of stored) {
      const label = readable(() => decodeLabel(bytes));
      if (label === undefined) rows.log(`the record of the label of ${address} is damaged`);
      else this.#labels.set(address, label);
    }
  }

  /** Within a turn. */
  save(address: string, label: string): void {
    this.#labels.set(address, label);
    this.#rows.record(labelKey(address), encodeLabel(label));
  }

  /** What the transactions are called that paid to addresses with a label, by their txids as explorers print them. */
  ofTransactions(wallet: OnchainWallet, network: NetworkName): ReadonlyMap<string, string> {
    const labels = new Map<string, string>();
    for (const [address, label] of this.#labels)
      for (const { txid } of wallet.scripts.coinsAt(scriptOfAddress(address, network)))
        labels.set(explorerTxid(txid), label);
    return labels;
  }
}
