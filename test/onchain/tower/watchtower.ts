import { KeysManager } from '../../../worker/engine/keys/keys-manager.ts';
import { ChainMonitor } from '../../../worker/engine/monitor/chain-monitor.ts';
import { MonitorPersister } from '../../../worker/engine/monitor/monitor-persister.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import { decodeTransaction, transactionId } from '../../../worker/engine/transactions/transaction.ts';
import { Descriptors } from '../../../worker/engine/wallet/descriptors.ts';
import { decodeWallet } from '../../../worker/engine/wallet/wallet-record.ts';
import { OnchainWallet } from '../../../worker/engine/wallet/wallet.ts';

/** All that a process without the engine gets. */
export interface TowerParts {
  /** 64 bytes */
  readonly seed: Uint8Array;
  /** What is below `mon/`. */
  readonly records: ReadonlyMap<string, Uint8Array>;
  /** The record of the wallet's coins. */
  readonly coins: Uint8Array;
}

/** What it hears of the chain. */
export type TowerNews =
  | { readonly kind: 'connected'; readonly height: number; readonly transactions: readonly Uint8Array[] }
  | { readonly kind: 'disconnected'; readonly height: number; readonly txids: readonly Uint8Array[] };

const FEERATE_PER_KW = 1_000;

/** Enforces what monitors have on record, with a wallet for fees and nothing else. */
export class Watchtower {
  readonly #monitor: ChainMonitor;
  readonly #wallet: OnchainWallet;
  readonly #records: ReadonlyMap<string, Uint8Array>;

  constructor({ seed, records, coins }: TowerParts) {
    const keys = new KeysManager(secp, seed, 'regtest');
    this.#records = records;
    this.#wallet = new OnchainWallet(secp, new Descriptors(seed, 'regtest'), decodeWallet(coins));
    const persister = new MonitorPersister(
      () => new Map(),
      () => undefined,
    );
    this.#monitor = new ChainMonitor(
      persister,
      { registerTx: () => undefined, registerOutput: () => undefined, unregisterOutput: () => undefined },
      {
        secp,
        signer: (params) => keys.deriveChannelSigner(params, params.fundingSat),
        coins: this.#wallet,
        destinationScript: () => keys.destinationScript(),
      },
      () => undefined,
    );
    for (const [key, monitor] of persister.loadAll(records)) this.#monitor.loadMonitor(key, monitor);
  }

  /** All coins of the wallet, confirmed or not, in satoshi. */
  get coinsSat(): bigint {
    const { confirmedSat, unconfirmedSat } = this.#wallet.balance(0n, 0);
    return confirmedSat + unconfirmedSat;
  }

  /** Takes in news; gives what is to be broadcast after it. */
  hear(news: TowerNews): readonly Uint8Array[] {
    if (news.kind === 'disconnected') return this.#disconnected(news);
    const { height } = news;
    const transactions = news.transactions.map(decodeTransaction);
    for (const transaction of transactions) this.#wallet.transactionConfirmed(transaction, height);
    this.#wallet.bestBlockUpdated(height);
    const numbered = transactions.map((transaction, index) => ({ index: index + 1, transaction }));
    return this.#monitor.monitors().flatMap(([key]) => {
      this.#monitor.transactionsConfirmed(key, height, numbered);
      return this.#act(key, height);
    });
  }

  #disconnected({ height, txids }: Extract<TowerNews, { kind: 'disconnected' }>): readonly Uint8Array[] {
    for (const txid of txids) this.#wallet.transactionUnconfirmed(txid);
    this.#wallet.bestBlockUpdated(height);
    return this.#monitor.monitors().flatMap(([key]) => {
      for (const txid of txids) this.#monitor.transactionUnconfirmed(key, txid);
      return this.#act(key, height);
    });
  }

  #act(key: string, height: number): readonly Uint8Array[] {
    const conditions = { height, feeratePerKw: FEERATE_PER_KW };
    this.#monitor.bestBlockUpdated(key, height);
    this.#monitor.releaseChild(key, height);
    const missing = this.#monitor.missingRevoked(key);
    if (missing !== undefined) this.#monitor.revokedRead(key, missing.recordKey, this.#records.get(missing.recordKey));
    return [
      ...(this.#monitor.makeHolderBroadcast(key, conditions) ?? []),
      ...this.#monitor.makeClaims(key, conditions),
    ];
  }
}

/** The ids of a block's transactions, wire order. */
export const txidsOf = (transactions: readonly Uint8Array[]): readonly Uint8Array[] =>
  transactions.map((raw) => transactionId(decodeTransaction(raw)));
