import { equalBytes, toHex } from '../../worker/engine/primitives/bytes.ts';
import type { Secp256k1 } from '../../worker/engine/primitives/secp256k1.ts';
import {
  decodeTransaction,
  transactionId,
  transactionWeight,
  type Outpoint,
  type Transaction,
  type TransactionOutput,
} from '../../worker/engine/transactions/transaction.ts';
import { failingInput } from './script-check.ts';

/** A block with what it confirmed. */
export interface SimulatedBlock {
  readonly height: number;
  readonly transactions: readonly Transaction[];
}

/** The state of a chain, to begin another simulation from it. */
export interface ChainSnapshot {
  readonly height: number;
  readonly blocks: readonly SimulatedBlock[];
}

/** A chain that confirms what it is given, and at most one spend of an output. */
export class SimulatedChain {
  readonly blocks: SimulatedBlock[];
  /** The txids, in wire order, of transactions whose scripts failed. */
  readonly invalid = new Set<string>();
  /** The txids of transactions that were in a block which left the chain. */
  readonly disconnected = new Set<string>();
  #height: number;
  readonly #secp: Secp256k1 | undefined;
  readonly #replaced: Transaction[] = [];
  readonly #mempool = new Map<string, Transaction>();
  readonly #confirmedAt = new Map<string, number>();
  readonly #spentBy = new Map<string, string>();

  /** Scripts are run where it is said whose signatures are in them. */
  constructor({ height, blocks }: ChainSnapshot, secp?: Secp256k1) {
    this.#height = height;
    this.#secp = secp;
    this.blocks = [...blocks];
    for (const block of blocks) for (const transaction of block.transactions) this.#confirm(transaction, block.height);
  }

  get height(): number {
    return this.#height;
  }

  get snapshot(): ChainSnapshot {
    return { height: this.#height, blocks: this.blocks };
  }

  /**
   * Takes a transaction unless it is known, spends what is spent or unknown, is too early for the next block, pays less than
   * what came before in its place (BIP 125), or has a script that fails.
   */
  broadcast(raw: Uint8Array): void {
    this.#accept(decodeTransaction(raw));
  }

  /**
   * The last blocks leave the chain. What they confirmed is in the mempool again as far as it may be, but for what is lost.
   * Returns what is in neither any more.
   */
  disconnect(depth: number, isLost: (transaction: Transaction) => boolean): readonly Transaction[] {
    this.#height -= depth;
    const kept = this.blocks.filter(({ height }) => height <= this.#height);
    const gone = this.blocks.splice(kept.length).flatMap(({ transactions }) => transactions);
    for (const each of gone) this.disconnected.add(toHex(transactionId(each)));
    this.#confirmedAt.clear();
    this.#spentBy.clear();
    for (const { height, transactions } of kept) for (const each of transactions) this.#confirm(each, height);
    return this.#refill([...gone, ...this.#mempool.values()], isLost);
  }

  /** The mempool forgets what is lost, and what spends from it. Returns all that it has forgotten. */
  drop(isLost: (transaction: Transaction) => boolean): readonly Transaction[] {
    return this.#refill([...this.#mempool.values()], isLost);
  }

  /** Of the block that confirmed a transaction. */
  heightOf(txid: Uint8Array): number | undefined {
    return this.#confirmedAt.get(toHex(txid));
  }

  /** What others have taken the place of in the mempool since the last call. */
  takeReplaced(): readonly Transaction[] {
    return this.#replaced.splice(0);
  }

  /** Whether it is in a block or in the mempool. */
  knows(txid: Uint8Array): boolean {
    return this.#confirmedAt.has(toHex(txid)) || this.#mempool.has(toHex(txid));
  }

  /** Confirms all that may confirm. */
  mine(): SimulatedBlock {
    this.#height++;
    const transactions: Transaction[] = [];
    for (const [txid, transaction] of this.#mempool) {
      if (!this.#isFinal(transaction, this.#height)) continue;
      this.#mempool.delete(txid);
      this.#confirm(transaction, this.#height);
      transactions.push(transaction);
    }
    const block = { height: this.#height, transactions };
    if (transactions.length > 0) this.blocks.push(block);
    return block;
  }

  /** So many blocks pass with nothing in them. */
  skip(blocks: number): void {
    this.#height += blocks;
  }

  /** What is confirmed, oldest first. */
  get transactions(): readonly Transaction[] {
    return this.blocks.flatMap(({ transactions }) => transactions);
  }

  /** The outputs that a transaction spends, as far as they are in a block or in the mempool. */
  spentBy({ inputs }: Transaction): readonly (TransactionOutput | undefined)[] {
    return inputs.map((input) => this.#madeBy(input));
  }

  /** The output of a confirmed transaction. */
  outputOf({ txid, vout }: Outpoint): TransactionOutput | undefined {
    return this.transactions.find((transaction) => equalBytes(transactionId(transaction), txid))?.outputs[vout];
  }

  isSpent(outpoint: Outpoint): boolean {
    return this.#spentBy.has(outpointName(outpoint));
  }

  /** The confirmed transaction that spends an output. */
  spendOf(txid: Uint8Array, vout: number): Transaction | undefined {
    const by = this.#spentBy.get(outpointName({ txid, vout }));
    return this.transactions.find((transaction) => toHex(transactionId(transaction)) === by);
  }

  #accept(transaction: Transaction): void {
    const txid = toHex(transactionId(transaction));
    if (this.#confirmedAt.has(txid) || this.#mempool.has(txid)) return;
    const names = transaction.inputs.map(outpointName);
    const spent = this.spentBy(transaction);
    const isKnown = spent.every((output) => output !== undefined);
    if (!isKnown || names.some((name) => this.#spentBy.has(name)) || !this.#isRelayed(transaction)) return;
    if (!this.#isFinal(transaction, this.#height + 1)) return;
    const replaced = [...this.#mempool].filter(([, { inputs }]) =>
      inputs.some((input) => names.includes(outpointName(input))),
    );
    const replacedSat = replaced.reduce((sum, [, each]) => sum + this.feeSat(each), 0n);
    const relaySat = (RELAYED_PER_KW * BigInt(transactionWeight(transaction))) / 1000n;
    if (replaced.length > 0 && this.feeSat(transaction) < replacedSat + relaySat) return;
    if (this.#secp !== undefined && failingInput(this.#secp, transaction, spent) !== undefined)
      return void this.invalid.add(txid);
    for (const [old] of replaced) this.#evict(old);
    this.#mempool.set(txid, transaction);
  }

  /** Begins the mempool anew with what may be in it; the parents come first. */
  #refill(transactions: readonly Transaction[], isLost: (transaction: Transaction) => boolean): readonly Transaction[] {
    this.#mempool.clear();
    for (const each of transactions) if (!isLost(each)) this.#accept(each);
    return transactions.filter((each) => !this.knows(transactionId(each)));
  }

  #confirm(transaction: Transaction, height: number): void {
    const txid = toHex(transactionId(transaction));
    this.#confirmedAt.set(txid, height);
    for (const input of transaction.inputs) {
      const name = outpointName(input);
      if (this.#spentBy.has(name)) throw new Error(`${name} is spent twice`);
      this.#spentBy.set(name, txid);
    }
  }

  /** Bitcoin Core's default policy: at least 1 sat/vB. */
  #isRelayed(transaction: Transaction): boolean {
    return this.feeSat(transaction) * 1000n >= RELAYED_PER_KW * BigInt(transactionWeight(transaction));
  }

  /** What a transaction pays whose inputs are known. */
  feeSat(transaction: Transaction): bigint {
    const spent = this.spentBy(transaction).map((output) => output?.amountSat ?? 0n);
    return sumOf(spent) - sumOf(transaction.outputs.map(({ amountSat }) => amountSat));
  }

  /** With all that spends from it. */
  #evict(txid: string): void {
    const evicted = this.#mempool.get(txid);
    if (evicted !== undefined) this.#replaced.push(evicted);
    this.#mempool.delete(txid);
    for (const [child, { inputs }] of this.#mempool)
      if (inputs.some((input) => toHex(input.txid) === txid)) this.#evict(child);
  }

  #madeBy(outpoint: Outpoint): TransactionOutput | undefined {
    return this.#mempool.get(toHex(outpoint.txid))?.outputs[outpoint.vout] ?? this.outputOf(outpoint);
  }

  /** Whether a block of a height may hold it: its lock time and BIP 68, in blocks. A parent of the same block is not there yet. */
  #isFinal({ inputs, locktime }: Transaction, height: number): boolean {
    const isLocked = locktime < LOCKTIME_IS_TIME_FROM && locktime >= height;
    if (isLocked && inputs.some(({ sequence }) => sequence !== 0xffff_ffff)) return false;
    return inputs.every(({ txid, sequence }) => {
      const at = this.#confirmedAt.get(toHex(txid)) ?? height;
      return sequence >= 0x8000_0000 || height - at >= (sequence & 0xffff);
    });
  }
}

/** Above, a lock time is a date, as that of commitments is: long ago. */
const LOCKTIME_IS_TIME_FROM = 500_000_000;

/** In satoshi per 1000 weight. */
const RELAYED_PER_KW = 250n;

const sumOf = (amounts: readonly bigint[]): bigint => amounts.reduce((sum, each) => sum + each, 0n);

const outpointName = ({ txid, vout }: Outpoint): string => `${toHex(txid)}:${vout}`;
