/** The part of bcoin 1.0.2 that the regtest world uses. Hashes are hex in wire order unless a name says otherwise. */
declare module 'bcoin' {
  export interface BcoinScript {
    toRaw(): Buffer;
    toASM(): string;
    getAddress(): BcoinAddress | null;
    isStandard: () => boolean;
  }

  export interface BcoinAddress {
    readonly hash: string;
  }

  export interface BcoinOutpoint {
    readonly hash: string;
    readonly index: number;
  }

  export interface BcoinInput {
    readonly prevout: BcoinOutpoint;
    readonly script: BcoinScript;
    readonly sequence: number;
    readonly witness: { readonly items: readonly Buffer[] };
  }

  export interface BcoinOutput {
    readonly value: number;
    readonly script: BcoinScript;
  }

  export interface BcoinTx {
    readonly version: number;
    readonly locktime: number;
    readonly inputs: readonly BcoinInput[];
    readonly outputs: readonly BcoinOutput[];
    hash(): Buffer;
    hash(encoding: 'hex'): string;
    /** Display order. */
    txid(): string;
    /** Display order. */
    wtxid(): string;
    toRaw(): Buffer;
    isCoinbase(): boolean;
    getSize(): number;
    getWeight(): number;
    getVirtualSize(): number;
    /** Whether an input may spend an output, by the standard rules. */
    verifyInput(index: number, output: BcoinOutput): boolean;
  }

  export interface BcoinBlock {
    readonly time: number;
    readonly txs: readonly BcoinTx[];
    toRaw(): Buffer;
    getWeight(): number;
  }

  export interface BcoinChainEntry {
    readonly height: number;
    readonly hash: string;
    readonly prevBlock: string;
  }

  export interface BcoinMempoolEntry {
    readonly tx: BcoinTx;
    readonly fee: number;
    readonly size: number;
  }

  export interface BcoinChain {
    readonly height: number;
    readonly tip: BcoinChainEntry;
    open(): Promise<void>;
    close(): Promise<void>;
    add(block: BcoinBlock): Promise<BcoinChainEntry | null>;
    getBlock(hash: string): Promise<BcoinBlock | null>;
    getEntryByHeight(height: number): Promise<BcoinChainEntry | null>;
    getMedianTime(entry: BcoinChainEntry): Promise<number>;
    on(event: 'connect' | 'disconnect', listener: (entry: BcoinChainEntry, block: BcoinBlock) => Promise<void>): void;
    on(event: 'reorganize', listener: () => Promise<void>): void;
    on(event: 'error', listener: (error: Error) => void): void;
  }

  export interface BcoinMempool {
    readonly map: ReadonlyMap<string, BcoinMempoolEntry>;
    open(): Promise<void>;
    close(): Promise<void>;
    /** Resolves with the hashes of missing parents, or null once the transaction is in. */
    addTX(tx: BcoinTx): Promise<readonly string[] | null>;
    getEntry(hash: string): BcoinMempoolEntry | undefined;
    getSpentTX(hash: string, index: number): BcoinTx | null;
    evictEntry(entry: BcoinMempoolEntry): void;
    removeOrphan(hash: string): boolean;
    _addBlock(entry: BcoinChainEntry, txs: readonly BcoinTx[]): Promise<void>;
    _removeBlock(entry: BcoinChainEntry, txs: readonly BcoinTx[]): Promise<void>;
    _handleReorg(): Promise<void>;
    on(event: 'error', listener: (error: Error) => void): void;
  }

  export interface BcoinJob {
    readonly attempt: {
      time: number;
      items: { readonly hash: string; readonly fee: number; readonly tx: BcoinTx }[];
      fees: number;
      refresh(): void;
    };
    mineAsync(): Promise<BcoinBlock>;
  }

  export interface BcoinMiner {
    open(): Promise<void>;
    close(): Promise<void>;
    addAddress(address: BcoinAddress): void;
    createJob(tip?: BcoinChainEntry): Promise<BcoinJob>;
    on(event: 'error', listener: (error: Error) => void): void;
  }

  export interface Bcoin {
    readonly Chain: new (options: Readonly<Record<string, unknown>>) => BcoinChain;
    readonly Mempool: new (options: Readonly<Record<string, unknown>>) => BcoinMempool;
    readonly Miner: new (options: Readonly<Record<string, unknown>>) => BcoinMiner;
    readonly Block: { fromRaw(raw: Buffer): BcoinBlock };
    readonly MerkleBlock: { fromHashes(block: BcoinBlock, hashes: readonly string[]): { toRaw(): Buffer } };
    readonly TX: { fromRaw(raw: Buffer): BcoinTx };
    readonly Script: { fromRaw(raw: Buffer): BcoinScript };
  }

  const bcoin: Bcoin;
  export default bcoin;
}
