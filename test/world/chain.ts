import bcoin from 'bcoin';
import type { BcoinJob, BcoinBlock, BcoinChain, BcoinChainEntry, BcoinMempool, BcoinMiner, BcoinTx } from 'bcoin';
import { type BlockRecord, ChainIndex, displayHash, type KnownTx, type Spend } from './chain-index.ts';
import { CoinWallet } from './coin-wallet.ts';
import { scriptOfAddress } from './regtest-network.ts';
import type { PackageResult } from './tx-package.ts';
import { type PooledTx, RejectedTx, TxPool } from './tx-pool.ts';

export interface ChainSubscriber {
  connected(block: BlockRecord): void;
  /** `previous` is the tip after `block` has gone. */
  disconnected(block: BlockRecord, previous: BlockRecord): void;
}

export interface Rejection {
  readonly txid: string;
  readonly reason: string;
  readonly height: number;
}

/** BIP 9 needs three windows of 144 blocks before segwit and CSV are active. */
const BLOCKS_AT_START = 440;
const START_SPACING_SECONDS = 60;

/**
 * A regtest chain in this process: bcoin's consensus code, mempool and miner without its network, and an index beside
 * them. Every change goes through one queue, so a block holds all transactions submitted before it was asked for.
 */
export class RegtestChain {
  readonly index: ChainIndex = new ChainIndex();
  readonly rejections: Rejection[] = [];
  readonly faucet: CoinWallet;
  readonly #chain: BcoinChain;
  readonly #mempool: BcoinMempool;
  readonly #miner: BcoinMiner;
  readonly #pool: TxPool;
  readonly #subscribers = new Set<ChainSubscriber>();
  #queue: Promise<unknown> = Promise.resolve();

  private constructor() {
    const network = 'regtest';
    this.#chain = new bcoin.Chain({ network, memory: true, checkpoints: false });
    this.#mempool = new bcoin.Mempool({
      network,
      chain: this.#chain,
      memory: true,
      requireStandard: true,
      replaceByFee: true,
      relayPriority: true,
      rejectAbsurdFees: false,
    });
    this.#miner = new bcoin.Miner({ network, chain: this.#chain, mempool: this.#mempool });
    this.#pool = new TxPool(this.#mempool, (txid) => this.index.transaction(txid)?.tx);
    this.faucet = new CoinWallet(this, new Uint8Array(32).fill(0x47));
  }

  /** A chain with active segwit and a faucet of mature coins. */
  static async start(): Promise<RegtestChain> {
    const chain = new RegtestChain();
    await chain.#open();
    return chain;
  }

  async stop(): Promise<void> {
    await this.#queue;
    this.#subscribers.clear();
    await this.#miner.close();
    await this.#mempool.close();
    await this.#chain.close();
  }

  get height(): number {
    return this.index.tip.height;
  }

  get tip(): BlockRecord {
    return this.index.tip;
  }

  /** Returns the function that ends the subscription. */
  subscribe(subscriber: ChainSubscriber): () => void {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }

  /** Mines blocks that hold what is in the mempool; resolves with the new tip. */
  mine(blocks = 1): Promise<BlockRecord> {
    return this.#enqueue(async () => {
      for (let i = 0; i < blocks; i++) await this.#mineOn(this.#chain.tip, { withMempool: true });
      return this.tip;
    });
  }

  /** One block of miners who take nothing that pays less, in satoshi per 1000 weight, but for what a child pays for. */
  mineAbove(feeratePerKw: number): Promise<BlockRecord> {
    return this.#enqueue(async () => {
      await this.#mineOn(this.#chain.tip, { withMempool: true, feeratePerKw });
      return this.tip;
    });
  }

  /**
   * Replaces the last `depth` blocks by `depth + 1` empty ones. Their transactions return to the mempool, or are
   * forgotten with `keepOut`.
   */
  reorg(depth: number, options: { readonly keepOut?: boolean } = {}): Promise<BlockRecord> {
    return this.#enqueue(async () => {
      const forkHeight = this.height - depth;
      const lost = Array.from({ length: depth }, (_, i) => this.index.blockAt(forkHeight + 1 + i)?.txs.slice(1) ?? []);
      let parent = await this.#chain.getEntryByHeight(forkHeight);
      if (parent === null) throw new Error(`cannot reorganize ${depth} blocks at height ${this.height}`);
      for (let i = 0; i <= depth; i++) parent = await this.#mineOn(parent, { withMempool: false });
      for (const tx of lost.flat()) {
        if (options.keepOut === true) this.#pool.evict(tx);
        else await this.#pool.restore(tx.toRaw());
      }
      return this.tip;
    });
  }

  /** In sat/vB, as a full mempool asks for: what pays less goes in with a child that pays for it, or not at all. */
  get mempoolMinimum(): number {
    return this.#pool.minimumFeerate;
  }

  set mempoolMinimum(satPerVbyte: number) {
    this.#pool.minimumFeerate = satPerVbyte;
  }

  /** Puts a raw transaction into the mempool and resolves with its txid; rejects with `RejectedTx`. */
  submit(raw: Uint8Array): Promise<string> {
    return this.#enqueue(async () => {
      try {
        return await this.#pool.submit(Buffer.from(raw));
      } catch (error) {
        if (error instanceof RejectedTx) this.#noteRejection(error.txid, error.message);
        throw error;
      }
    });
  }

  /** Takes a transaction out of the mempool, with all that spend from it: nobody will ever mine it. */
  forget(raw: Uint8Array): Promise<void> {
    return this.#enqueue(async () => this.#pool.evict(bcoin.TX.fromRaw(Buffer.from(raw))));
  }

  /** Puts parents with their child, which comes last, into the mempool, as far as they are good enough. */
  submitPackage(raws: readonly Uint8Array[]): Promise<PackageResult> {
    return this.#enqueue(async () => {
      const result = await this.#pool.submitPackage(raws.map((raw) => Buffer.from(raw)));
      for (const { tx, error } of result.txs) if (error !== undefined) this.#noteRejection(tx.txid(), error);
      return result;
    });
  }

  /** Pays from the faucet; the transaction waits in the mempool. */
  fund(address: string, sats: number): Promise<string> {
    return this.submit(this.faucet.build([{ script: scriptOfAddress(address), sats }]));
  }

  mempoolTxs(): readonly BcoinTx[] {
    return this.mempoolEntries().map((entry) => entry.tx);
  }

  mempoolEntries(): readonly PooledTx[] {
    return this.#pool.entries();
  }

  find(txid: string): KnownTx | undefined {
    const confirmed = this.index.transaction(txid);
    if (confirmed !== undefined) return confirmed;
    const tx = this.#pool.find(txid);
    return tx && { tx };
  }

  /** Who spends the output, in the active chain or in the mempool. */
  spend(txid: string, vout: number): Spend | undefined {
    return this.index.spend(txid, vout) ?? this.#pool.spend(txid, vout);
  }

  /** BIP 113: what a block on top of `block` compares time locks with. */
  medianTime(block: BlockRecord): number {
    const times: number[] = [];
    for (let h = block.height; h >= 0 && times.length < 11; h--) times.push(this.index.blockAt(h)?.time ?? block.time);
    times.sort((a, b) => a - b);
    return times[Math.floor(times.length / 2)] ?? block.time;
  }

  async #open(): Promise<void> {
    for (const part of [this.#chain, this.#mempool, this.#miner]) part.on('error', () => undefined);
    await this.#chain.open();
    await this.#mempool.open();
    await this.#miner.open();
    const reward = bcoin.Script.fromRaw(Buffer.from(this.faucet.script)).getAddress();
    if (reward === null) throw new Error('the faucet has no address');
    this.#miner.addAddress(reward);
    const genesis = await this.#chain.getBlock(this.#chain.tip.hash);
    if (genesis === null) throw new Error('bcoin has no genesis block');
    this.index.connect(0, displayHash(this.#chain.tip.hash), genesis);
    this.#follow();
    const now = Math.floor(Date.now() / 1000);
    for (let left = BLOCKS_AT_START; left > 0; left--) {
      await this.#mineOn(this.#chain.tip, { withMempool: false, time: now - left * START_SPACING_SECONDS });
    }
  }

  /** bcoin awaits these listeners inside `chain.add`, so mempool, index and subscribers agree when it resolves. */
  #follow(): void {
    this.#chain.on('connect', async (entry, block) => {
      await this.#mempool._addBlock(entry, block.txs);
      const record = this.index.connect(entry.height, displayHash(entry.hash), block);
      for (const subscriber of this.#subscribers) subscriber.connected(record);
    });
    this.#chain.on('disconnect', async (entry, block) => {
      await this.#mempool._removeBlock(entry, block.txs);
      const record = this.index.disconnect(displayHash(entry.hash));
      for (const subscriber of this.#subscribers) subscriber.disconnected(record, this.tip);
    });
    this.#chain.on('reorganize', () => this.#mempool._handleReorg());
  }

  async #mineOn(parent: BcoinChainEntry, options: MineOptions): Promise<BcoinChainEntry> {
    const job = await this.#miner.createJob(parent);
    if (options.time !== undefined) job.attempt.time = options.time;
    if (!options.withMempool) {
      job.attempt.items = [];
      job.attempt.fees = 0;
      job.attempt.refresh();
    }
    if (options.feeratePerKw !== undefined) {
      job.attempt.items = paying(job.attempt.items, options.feeratePerKw);
      job.attempt.fees = job.attempt.items.reduce((sum, { fee }) => sum + fee, 0);
      job.attempt.refresh();
    }
    const block: BcoinBlock = await job.mineAsync();
    const entry = await this.#chain.add(block);
    if (entry === null) throw new Error('bcoin did not accept its own block');
    return entry;
  }

  #noteRejection(txid: string, reason: string): void {
    this.rejections.push({ txid, reason, height: this.height });
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }
}

/** What pays enough with all that it spends from, in order. */
function paying(items: BcoinJob['attempt']['items'], feeratePerKw: number): BcoinJob['attempt']['items'] {
  const byHash = new Map(items.map((item) => [item.hash, item]));
  const withParents = (item: (typeof items)[number], found = new Set<string>()): Set<string> => {
    for (const { prevout } of item.tx.inputs) {
      const parent = byHash.get(prevout.hash);
      if (parent !== undefined && !found.has(parent.hash)) withParents(parent, found);
    }
    return found.add(item.hash);
  };
  const taken = new Set<string>();
  for (const item of items) {
    const all = withParents(item);
    const each = items.filter(({ hash }) => all.has(hash));
    const fee = each.reduce((sum, one) => sum + one.fee, 0);
    const weight = each.reduce((sum, { tx }) => sum + tx.getWeight(), 0);
    if (fee * 1000 >= feeratePerKw * weight) for (const hash of all) taken.add(hash);
  }
  return items.filter(({ hash }) => taken.has(hash));
}

interface MineOptions {
  readonly feeratePerKw?: number;
  readonly withMempool: boolean;
  readonly time?: number;
}
