import bcoin from 'bcoin';
import type { BcoinMempool, BcoinTx } from 'bcoin';
import { displayHash, type Spend } from './chain-index.ts';
import { isChildWithParents, type PackageResult, type PackagedTx } from './tx-package.ts';

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

/**
 * bcoin's mempool with what it lacks beside today's Bitcoin Core: replacement, payments to taproot, a minimum that a full
 * mempool asks for, and packages.
 */
export class TxPool {
  /** In sat/vB: what pays less is refused, unless a child pays for it in one package. What is in already stays. */
  minimumFeerate = 0;
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
    const refusal = await this.#refusalOf(tx);
    if (refusal !== undefined) throw rejected(refusal, tx.txid());
    return tx.txid();
  }

  /**
   * As Core's `submitpackage`: each that is good enough by itself is taken in alone, and what is left is looked at as one. Throws
   * `RejectedTx` where it is no child with its parents.
   */
  async submitPackage(raws: readonly Buffer[]): Promise<PackageResult> {
    const txs = raws.map(parse);
    if (!isChildWithParents(txs)) throw new RejectedTx(-25, TOPOLOGY, '');
    const alone: PackagedTx[] = [];
    for (const tx of txs) alone.push(this.#packaged(tx, txs, await this.#refusalOf(tx)));
    const refused = alone.filter(({ error }) => error !== undefined);
    if (refused.length === 0) return { message: 'success', txs: alone };
    if (refused.length === 1 || !refused.every(isReconsiderable)) return { message: 'transaction failed', txs: alone };
    const left = refused.map(({ tx }) => tx);
    const refusal = this.#belowMinimum(left) ?? (await this.#refusalInPool(left));
    if (refusal === undefined) return { message: 'success', txs: alone.map(({ tx, fee }) => ({ tx, fee })) };
    if (!refusal.startsWith(BELOW_MINIMUM)) return { message: refusal, txs: alone };
    return {
      message: 'transaction failed',
      txs: alone.map((each, index) => (index < alone.length - 1 ? each : { ...each, error: refusal })),
    };
  }

  /** Takes a transaction back in that a reorganisation took out of the chain: whatever it pays. */
  async restore(raw: Buffer): Promise<void> {
    await this.#addOrReplace([parse(raw)]).catch(() => undefined);
  }

  /** Takes out a transaction and all that spend from it. */
  evict(tx: BcoinTx): void {
    const entry = this.#mempool.getEntry(tx.hash('hex'));
    if (entry !== undefined) this.#mempool.evictEntry(entry);
  }

  /** Takes a transaction in, or says why not. */
  async #refusalOf(tx: BcoinTx): Promise<string | undefined> {
    if (this.#mempool.getEntry(tx.hash('hex')) !== undefined) return undefined;
    // As in Core, what is in the chain, or spends what is unknown, is refused for that and not for its fee.
    const isJudged = this.#confirmed(tx.txid()) === undefined && this.#feeOf(tx) !== undefined;
    return (isJudged ? this.#belowMinimum([tx]) : undefined) ?? this.#refusalInPool([tx]);
  }

  #refusalInPool(txs: readonly BcoinTx[]): Promise<string | undefined> {
    return this.#addOrReplace(txs).then(() => undefined, reasonOf);
  }

  #belowMinimum(txs: readonly BcoinTx[]): string | undefined {
    const [fee, least] = [this.#feeOfAll(txs), Math.ceil(sizeOf(txs) * this.minimumFeerate)];
    return fee < least ? `${BELOW_MINIMUM}, ${fee} < ${least}` : undefined;
  }

  /** bcoin 1.0.2 never replaces: do what BIP 125 asks for by hand, evicting conflicts that pay less. */
  async #addOrReplace(txs: readonly BcoinTx[]): Promise<void> {
    const replaced = this.#conflictsOf(txs);
    if (replaced.length > 0) this.#checkReplacement(txs, replaced);
    for (const { tx } of replaced) this.evict(tx);
    try {
      for (const tx of txs) await this.#add(tx.toRaw());
    } catch (error) {
      for (const tx of txs) this.evict(tx);
      for (const { tx } of replaced) await this.#add(tx.toRaw()).catch(() => undefined);
      throw error;
    }
  }

  #checkReplacement(txs: readonly BcoinTx[], replaced: readonly PooledTx[]): void {
    const [fee, size] = [this.#feeOfAll(txs), sizeOf(txs)];
    const [parent, ...children] = txs;
    if (this.#addsUnconfirmed(txs, replaced)) throw new Error('replacement-adds-unconfirmed');
    const isEnough = fee >= replaced.reduce((sum, entry) => sum + entry.fee, 0) + size;
    if (children.length === 0 && !isEnough) throw new Error('insufficient fee');
    if (parent === undefined || children.length === 0) return;
    const rates = replaced.map((entry) => entry.fee / entry.tx.getVirtualSize());
    if (children.length > 1) throw new Error(`${PACKAGE_RBF}: package must be 1-parent-1-child`);
    if (!isEnough) throw new Error(`${PACKAGE_RBF}: insufficient anti-DoS fees`);
    if (fee / size <= this.#feeOfAll([parent]) / parent.getVirtualSize())
      throw new Error(`${PACKAGE_RBF}: package feerate is less than or equal to parent feerate`);
    if (fee / size <= Math.max(...rates))
      throw new Error(`${PACKAGE_RBF}: insufficient feerate: does not improve feerate diagram`);
  }

  /** BIP 125, rule 2: what is replaced may have spent something that is not confirmed, and nothing else does. */
  #addsUnconfirmed(txs: readonly BcoinTx[], replaced: readonly PooledTx[]): boolean {
    const before = new Set(replaced.flatMap(({ tx }) => tx.inputs.map(({ prevout }) => prevoutName(prevout))));
    return txs
      .flatMap((tx) => tx.inputs)
      .some(({ prevout }) => this.find(displayHash(prevout.hash)) !== undefined && !before.has(prevoutName(prevout)));
  }

  /** What spends the same outputs. */
  #conflictsOf(txs: readonly BcoinTx[]): readonly PooledTx[] {
    const spenders = txs
      .flatMap((tx) => tx.inputs)
      .flatMap(({ prevout }) => this.#mempool.getSpentTX(prevout.hash, prevout.index) ?? []);
    return [...new Set(spenders)].flatMap((old) => this.#mempool.getEntry(old.hash('hex')) ?? []);
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

  #packaged(tx: BcoinTx, beside: readonly BcoinTx[], error: string | undefined): PackagedTx {
    const known = { tx, fee: this.#feeOf(tx, beside) ?? 0 };
    return error === undefined ? known : { ...known, error };
  }

  #feeOfAll(txs: readonly BcoinTx[]): number {
    return txs.reduce((sum, tx) => sum + (this.#feeOf(tx, txs) ?? 0), 0);
  }

  /** `undefined` where it spends what nobody here has seen; `beside` are those that come with it. */
  #feeOf(tx: BcoinTx, beside: readonly BcoinTx[] = []): number | undefined {
    let fee = -tx.outputs.reduce((sum, output) => sum + output.value, 0);
    for (const { prevout } of tx.inputs) {
      const txid = displayHash(prevout.hash);
      const parent = this.#confirmed(txid) ?? this.find(txid) ?? beside.find((other) => other.txid() === txid);
      const spent = parent?.outputs[prevout.index];
      if (spent === undefined) return undefined;
      fee += spent.value;
    }
    return fee;
  }
}

const BELOW_MINIMUM = 'mempool min fee not met';
const PACKAGE_RBF = 'package RBF failed';
const TOPOLOGY = 'package topology disallowed. not child-with-parents or parents depend on each other.';

/** Whether a package can be worth what its transaction is not alone. */
const isReconsiderable = ({ error = '' }: PackagedTx): boolean =>
  error.startsWith(BELOW_MINIMUM) || error === 'bad-txns-inputs-missingorspent' || error === 'insufficient fee';

const prevoutName = ({ hash, index }: BcoinTx['inputs'][number]['prevout']): string => `${hash}:${index}`;

const sizeOf = (txs: readonly BcoinTx[]): number => txs.reduce((sum, tx) => sum + tx.getVirtualSize(), 0);

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
