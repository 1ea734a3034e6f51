import { nobleSecp256k1 as secp } from '../../worker/engine/primitives/secp256k1.ts';
import { ChainMonitor } from '../../worker/engine/monitor/chain-monitor.ts';
import { MonitorPersister } from '../../worker/engine/monitor/monitor-persister.ts';
import type { Transaction } from '../../worker/engine/transactions/transaction.ts';
import type { ToldBlock } from './delivery.ts';
import type { Party } from './party.ts';

/** What a process does for the channels of a party that has nothing but the monitors' records, the seed and a wallet. */
export class Watchtower {
  readonly monitor: ChainMonitor;
  readonly #party: Party;
  readonly #records: Map<string, Uint8Array>;

  /** Takes what is below `mon/`, and goes on without the engine that wrote it. */
  constructor(party: Party) {
    this.#party = party;
    this.#records = new Map([...party.disk.durable].filter(([key]) => key.startsWith('mon/')));
    const writes = new Map<string, Uint8Array | undefined>();
    const persister = new MonitorPersister(
      () => writes,
      () => undefined,
    );
    this.monitor = new ChainMonitor(
      persister,
      { registerTx: () => undefined, registerOutput: () => undefined, unregisterOutput: () => undefined },
      {
        secp,
        signer: ({ channelKeysIndex, fundingSat }) => party.keys.deriveChannelSigner(channelKeysIndex, fundingSat),
        coins: party.node.wallet,
        destinationScript: () => party.keys.destinationScript(),
      },
      () => undefined,
    );
    for (const [key, monitor] of persister.loadAll(this.#records)) this.monitor.loadMonitor(key, monitor);
  }

  /** Takes in a block; gives what is to be broadcast after it. */
  connected({ height, transactions }: ToldBlock): readonly Uint8Array[] {
    const { wallet } = this.#party.node;
    for (const transaction of transactions) wallet.transactionConfirmed(transaction, height);
    wallet.bestBlockUpdated(height);
    return this.monitor.monitors().flatMap(([key]) => this.#act(key, height, transactions));
  }

  #act(key: string, height: number, transactions: readonly Transaction[]): readonly Uint8Array[] {
    this.monitor.transactionsConfirmed(
      key,
      height,
      transactions.map((transaction, index) => ({ index: index + 1, transaction })),
    );
    this.monitor.bestBlockUpdated(key, height);
    const missing = this.monitor.missingRevoked(key);
    if (missing !== undefined) this.monitor.revokedRead(key, missing.recordKey, this.#records.get(missing.recordKey));
    const { confirmedSpend, broadcastTransaction } = this.monitor.monitor(key) ?? {};
    const claims = this.monitor.makeClaims(key, { height, feeratePerKw: 1_000 });
    const isWaiting = confirmedSpend === undefined && broadcastTransaction !== undefined;
    return isWaiting && broadcastTransaction.length > 0 ? [broadcastTransaction, ...claims] : claims;
  }
}
