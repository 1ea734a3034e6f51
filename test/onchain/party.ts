import { defaultChannelConfig, type ChannelConfig } from '../../worker/engine/channel/channel-config.ts';
import { fromHex } from '../../worker/engine/primitives/bytes.ts';
import { KeysManager } from '../../worker/engine/keys/keys-manager.ts';
import type { RecordsOrigin } from '../../worker/engine/manager/reconciliation.ts';
import type { ChannelMonitor } from '../../worker/engine/monitor/channel-monitor.ts';
import { nobleSecp256k1 } from '../../worker/engine/primitives/secp256k1.ts';
import { decodeTransaction, transactionId, type Transaction } from '../../worker/engine/transactions/transaction.ts';
import type { TransactionPackage } from '../../worker/engine/transactions/transaction-package.ts';
import { Descriptors } from '../../worker/engine/wallet/descriptors.ts';
import type { FeatureSet } from '../../worker/engine/wire/features.ts';
import { MemoryDisk, type MemoryStore } from '../simulation/memory-store.ts';
import { SimulatedNode } from '../simulation/node.ts';
import type { BlockRecord } from '../world/chain-index.ts';

/** A block as an engine is told of it. */
export interface ToldBlock {
  readonly height: number;
  readonly transactions: readonly Transaction[];
}

/** A delay that is short, so that scenes are. */
const CONFIG: ChannelConfig = { ...defaultChannelConfig, toSelfDelay: 20 };

/** One node of a scene with its disk, over all its restarts. */
export class Party {
  readonly disk: MemoryDisk = new MemoryDisk();
  /** What left for the network, in order. */
  readonly broadcasts: TransactionPackage[] = [];
  readonly keys: KeysManager;
  readonly #name: string;
  readonly #features: FeatureSet;
  readonly #descriptors: Descriptors;
  #store: MemoryStore;
  #node: SimulatedNode;
  #now = 1_700_000_000_000;
  /** Whether it may close channels for the sake of HTLCs that expire, over all restarts. */
  mayCloseAtDeadlines = true;
  /** Not where coins of its wallet come and go otherwise than by its engine. */
  keepsBooks = true;

  /** `seed` is 64 bytes. */
  constructor(name: string, seed: Uint8Array, features: FeatureSet) {
    this.#name = name;
    this.#features = features;
    this.keys = new KeysManager(nobleSecp256k1, seed, 'regtest');
    this.#descriptors = new Descriptors(seed, 'regtest');
    this.#store = this.disk.open();
    this.#node = this.#begin();
  }

  get node(): SimulatedNode {
    return this.#node;
  }

  get store(): MemoryStore {
    return this.#store;
  }

  /** The monitor of its only channel. */
  get monitor(): ChannelMonitor {
    const [found] = this.#node.manager.chainMonitor.monitors();
    if (found === undefined) throw new Error(`${this.#name} has no channel`);
    return found[1];
  }

  get channelKey(): string {
    const [entry] = this.#node.manager.channels();
    if (entry === undefined) throw new Error(`${this.#name} has no channel`);
    return entry.key;
  }

  /** Dies and starts again from what is durable; the chain source then tells again of what it told before. */
  restart(origin: RecordsOrigin = 'ownStore'): void {
    this.#node.committer.stop();
    this.#store.crash();
    this.#store = this.disk.open();
    this.#node = this.#begin(origin);
  }

  /** As `restart`, from an older copy of its disk; whether it knows that is `origin`. */
  restartFrom(copy: ReadonlyMap<string, Uint8Array>, origin: RecordsOrigin = 'ownStore'): void {
    for (const key of this.disk.durable.keys()) this.disk.apply(new Map([[key, undefined]]));
    this.disk.apply(new Map(copy));
    this.restart(origin);
  }

  /** Many blocks at once, each with what it has for the wallet, and only the last as the best. */
  connectedAll(blocks: readonly ToldBlock[]): void {
    this.#node.turn(() => {
      for (const { height, transactions } of blocks) {
        for (const transaction of transactions) this.#node.wallet.transactionConfirmed(transaction, height);
        if (transactions.length > 0)
          this.#node.manager.transactionsConfirmed(
            height,
            transactions.map((transaction, index) => ({ index: index + 1, transaction })),
          );
      }
      const height = blocks.at(-1)?.height ?? this.#node.manager.blockHeight;
      this.#node.wallet.bestBlockUpdated(height);
      this.#node.manager.bestBlockUpdated(height);
    });
  }

  connected({ height, transactions }: ToldBlock): void {
    this.#node.confirm(height, transactions);
  }

  disconnected(transactions: readonly Transaction[], previousHeight: number): void {
    this.#node.turn(() => {
      for (const transaction of transactions) {
        const txid = transactionId(transaction);
        this.#node.wallet.transactionUnconfirmed(txid);
        this.#node.manager.transactionUnconfirmed(txid);
      }
      this.#node.wallet.bestBlockUpdated(previousHeight);
      this.#node.manager.bestBlockUpdated(previousHeight);
    });
  }

  #begin(origin: RecordsOrigin = 'ownStore'): SimulatedNode {
    return new SimulatedNode({
      origin,
      name: this.#name,
      store: this.#store,
      keys: this.keys,
      descriptors: this.#descriptors,
      features: this.#features,
      config: CONFIG,
      now: () => this.#now++,
      mayCloseAtDeadlines: () => this.mayCloseAtDeadlines,
      broadcast: (transactions) => this.broadcasts.push(transactions),
    });
  }
}

/** The transactions of a block but for its coinbase. */
export const told = ({ height, txs }: BlockRecord): ToldBlock => ({
  height,
  transactions: txs.slice(1).map((tx) => decodeTransaction(fromHex(tx.toRaw().toString('hex')))),
});
