import bcoin from 'bcoin';
import type { BcoinMempool, BcoinTx } from 'bcoin';
import { displayHash, type Spend } from './chain-index.ts';

export interface PooledTx {
  readonly tx: BcoinTx;
  readonly fee: number;
}

/** The mempool's or the chain's no to a transaction, with the code and words of Bitcoin Core. */
export class RejectedTx extends Error {
  readonly rpcCode: number;
  readonly txid: string;

  constructor(rpcCode: number, reason: string, txid: string) {
    super(reason);
    this.rpcCode = rpcCode;
    this.txid = txid;
  }
}

/** bcoin's mempool with what it lacks beside today's Bitcoin Core: replacement, and payments to taproot. */
export class TxPool {
  readonly #mempool: BcoinMempool;
  readonly #confirmed: (txid: string) => BcoinTx | undefined;

  /** `confirmed` finds a transaction in the active chain. */
  constructor(mempool: BcoinMempool, confirmed: (txid: string) => BcoinTx | undefined) {
    this.#mempool = mempool;
    this.#confirmed = confirmed;
  }

  entries(): readonly PooledTx[] {
    return [...this.#mempool.map.values()];
  }

  find(txid: string): BcoinTx | undefined {
    return this.#mempool.getEntry(displayHash(txid))?.tx;
  }

  spend(txid: string, vout: number): Spend | undefined {
    const hash = displayHash(txid);
    const spender = this.#mempool.getSpentTX(hash, vout);
    if (spender === null) return undefined;
    const vin = spender.inputs.findIndex((input) => input.prevout.hash === hash && input.prevout.index === vout);
    return { txid: spender.txid(), vin };
  }

  /** Takes a transaction in, again if need be, and gives its txid; throws `RejectedTx`. */
  async submit(raw: Buffer): Promise<string> {
    const tx = parse(raw);
    if (this.#mempool.getEntry(tx.hash('hex')) !== undefined) return tx.txid();
    try {
      await this.#addOrReplace(tx, raw);
    } catch (error) {
      throw rejected(reasonOf(error), tx.txid());
    }
    return tx.txid();
  }

  /** Takes out a transaction and all that spend from it. */
  evict(tx: BcoinTx): void {
    const entry = this.#mempool.getEntry(tx.hash('hex'));
    if (entry !== undefined) this.#mempool.evictEntry(entry);
  }

  /** bcoin 1.0.2 never replaces: do what BIP 125 asks for by hand, evicting conflicts that pay less. */
  async #addOrReplace(tx: BcoinTx, raw: Buffer): Promise<void> {
    const conflicts = new Set(
      tx.inputs.flatMap(({ prevout }) => this.#mempool.getSpentTX(prevout.hash, prevout.index) ?? []),
    );
    if (conflicts.size === 0) return this.#add(raw);
    const entries = [...conflicts].flatMap((old) => this.#mempool.getEntry(old.hash('hex')) ?? []);
    const oldFee = entries.reduce((sum, entry) => sum + entry.fee, 0);
    if (this.#feeOf(tx) < oldFee + tx.getVirtualSize()) throw new Error('insufficient fee');
    for (const entry of entries) this.evict(entry.tx);
    try {
      await this.#add(raw);
    } catch (error) {
      for (const entry of entries) await this.#add(entry.tx.toRaw()).catch(() => undefined);
      throw error;
    }
  }

  async #add(raw: Buffer): Promise<void> {
    // A fresh object each time: bcoin keeps what it is given.
    const tx = bcoin.TX.fromRaw(raw);
    for (const { script } of tx.outputs) if (isLaterWitnessProgram(script.toRaw())) script.isStandard = () => true;
    const missing = await this.#mempool.addTX(tx);
    if (missing === null) return;
    // Core forgets such a transaction when it comes over RPC, bcoin would add it later by itself.
    this.#mempool.removeOrphan(tx.hash('hex'));
    throw new Error('bad-txns-inputs-missingorspent');
  }

  #feeOf(tx: BcoinTx): number {
    const paid = tx.outputs.reduce((sum, output) => sum + output.value, 0);
    return tx.inputs.reduce((sum, { prevout }) => {
      const txid = displayHash(prevout.hash);
      return sum + ((this.#confirmed(txid) ?? this.find(txid))?.outputs[prevout.index]?.value ?? 0);
    }, -paid);
  }
}

function parse(raw: Buffer): BcoinTx {
  try {
    return bcoin.TX.fromRaw(raw);
  } catch {
    throw new RejectedTx(-22, 'TX decode failed. Make sure the tx has at least one input.', '');
  }
}

/** BIP 141 programs of version 1 to 16 (taproot, pay to anchor): standard to pay to, but bcoin is older than they are. */
function isLaterWitnessProgram(script: Uint8Array): boolean {
  const [version = 0, length = 0] = script;
  return version >= 0x51 && version <= 0x60 && length >= 2 && length <= 40 && script.length === length + 2;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message;
}

/** Bitcoin Core's code and words where bcoin's differ. */
function rejected(reason: string, txid: string): RejectedTx {
  switch (reason) {
    case 'txn-already-known':
      return new RejectedTx(-27, 'Transaction outputs already in utxo set', txid);
    case 'bad-txns-inputs-missingorspent':
      return new RejectedTx(-25, reason, txid);
    case 'insufficient priority':
      return new RejectedTx(-26, 'min relay fee not met', txid);
    default:
      return new RejectedTx(-26, reason, txid);
  }
}
