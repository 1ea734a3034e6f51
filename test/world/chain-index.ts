import { createHash } from 'node:crypto';
import type { BcoinBlock, BcoinTx } from 'bcoin';

/** A block, active or stale; hashes are in display order. */
export interface BlockRecord {
  readonly height: number;
  readonly hash: string;
  /** 80 bytes. */
  readonly header: Uint8Array;
  readonly raw: Uint8Array;
  readonly weight: number;
  readonly time: number;
  readonly txids: readonly string[];
  readonly txs: readonly BcoinTx[];
}

export interface Confirmation {
  readonly block: BlockRecord;
  readonly position: number;
}

/** A transaction in the active chain (`at`) or in the mempool (no `at`). */
export interface KnownTx {
  readonly tx: BcoinTx;
  readonly at?: Confirmation;
}

export interface Spend {
  readonly txid: string;
  readonly vin: number;
}

/** What an Esplora server looks up: blocks, transactions, spends and scripts of the active chain. */
export class ChainIndex {
  readonly #active: BlockRecord[] = [];
  readonly #blocks = new Map<string, BlockRecord>();
  readonly #txs = new Map<string, Required<KnownTx>>();
  readonly #spends = new Map<string, Spend>();
  readonly #scripts = new Map<string, Set<string>>();

  connect(height: number, hash: string, block: BcoinBlock): BlockRecord {
    const raw = new Uint8Array(block.toRaw());
    const record: BlockRecord = {
      height,
      hash,
      header: raw.slice(0, 80),
      raw,
      weight: block.getWeight(),
      time: block.time,
      txids: block.txs.map((tx) => tx.txid()),
      txs: block.txs,
    };
    this.#active[height] = record;
    this.#blocks.set(hash, record);
    block.txs.forEach((tx, position) => this.#add(tx, { block: record, position }));
    return record;
  }

  /** Takes the tip off the active chain; it can still be asked for by its hash. */
  disconnect(hash: string): BlockRecord {
    const record = this.#active.pop();
    if (record?.hash !== hash) throw new Error(`block ${hash} is not the tip`);
    for (const tx of record.txs) {
      this.#txs.delete(tx.txid());
      for (const { prevout } of tx.inputs) this.#spends.delete(`${displayHash(prevout.hash)}:${prevout.index}`);
    }
    return record;
  }

  get tip(): BlockRecord {
    const tip = this.#active.at(-1);
    if (tip === undefined) throw new Error('the chain has not started');
    return tip;
  }

  blockAt(height: number): BlockRecord | undefined {
    return this.#active[height];
  }

  /** An active or stale block. */
  block(hash: string): BlockRecord | undefined {
    return this.#blocks.get(hash);
  }

  transaction(txid: string): Required<KnownTx> | undefined {
    return this.#txs.get(txid);
  }

  spend(txid: string, vout: number): Spend | undefined {
    return this.#spends.get(`${txid}:${vout}`);
  }

  /** Confirmed transactions that pay to or spend from the script, newest first. */
  transactionsOf(scriptHash: string): readonly Required<KnownTx>[] {
    const known = [...(this.#scripts.get(scriptHash) ?? [])].flatMap((txid) => this.#txs.get(txid) ?? []);
    return known.sort((a, b) => b.at.block.height - a.at.block.height || b.at.position - a.at.position);
  }

  #add(tx: BcoinTx, at: Confirmation): void {
    const txid = tx.txid();
    this.#txs.set(txid, { tx, at });
    for (const output of tx.outputs) this.#touch(output.script.toRaw(), txid);
    if (tx.isCoinbase()) return;
    tx.inputs.forEach(({ prevout }, vin) => {
      const parent = displayHash(prevout.hash);
      this.#spends.set(`${parent}:${prevout.index}`, { txid, vin });
      const spent = this.#txs.get(parent)?.tx.outputs[prevout.index];
      if (spent !== undefined) this.#touch(spent.script.toRaw(), txid);
    });
  }

  #touch(script: Uint8Array, txid: string): void {
    const key = scriptHashOf(script);
    const txids = this.#scripts.get(key);
    if (txids === undefined) this.#scripts.set(key, new Set([txid]));
    else txids.add(txid);
  }
}

/** Esplora's script hash: SHA-256 of the scriptPubKey, not reversed. */
export function scriptHashOf(script: Uint8Array): string {
  return createHash('sha256').update(script).digest('hex');
}

/** Turns a hash in wire order into the order in which it is shown, or back. */
export function displayHash(hash: string): string {
  return Buffer.from(hash, 'hex').reverse().toString('hex');
}
