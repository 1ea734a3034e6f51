import { type BlockRecord, displayHash } from './chain-index.ts';
import { ldk, unhex } from './ldk.ts';
import type { LdkCore } from './ldk-core.ts';

/** Tells LDK of a new tip, with every transaction of it but the coinbase, which no channel can care about. */
export function connectBlock({ confirms }: LdkCore, block: BlockRecord): void {
  const txs = block.txs.slice(1).map((tx, i) => ({ position: i + 1, raw: new Uint8Array(tx.toRaw()) }));
  for (const confirm of confirms) {
    const pairs = txs.map(({ position, raw }) => ldk.TwoTuple_usizeTransactionZ.constructor_new(position, raw));
    if (pairs.length > 0) confirm.transactions_confirmed(block.header, pairs, block.height);
    confirm.best_block_updated(block.header, block.height);
  }
}

/** Tells LDK that the tip has gone and `previous` is the tip again. */
export function disconnectBlock({ confirms }: LdkCore, block: BlockRecord, previous: BlockRecord): void {
  for (const confirm of confirms) {
    for (const txid of block.txids) confirm.transaction_unconfirmed(unhex(displayHash(txid)));
    confirm.best_block_updated(previous.header, previous.height);
  }
}
