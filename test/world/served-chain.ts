import type { ChainIndex, KnownTx } from './chain-index.ts';
import type { RegtestChain } from './chain.ts';

/** What a server has of the chain. */
export type ServedChain = Pick<
  RegtestChain,
  'height' | 'tip' | 'find' | 'spend' | 'mempoolTxs' | 'mempoolEntries' | 'medianTime' | 'submit' | 'submitPackage'
> & { readonly index: Pick<ChainIndex, 'blockAt' | 'block' | 'transactionsOf'> };

/**
 * A node that has heard of all blocks but the newest, until it has been asked so often since that one came: as one of several
 * behind one address. What is in the block that it has not is in its mempool.
 */
export class LaggingChain implements ServedChain {
  readonly index: ServedChain['index'];
  readonly #chain: RegtestChain;
  readonly #patience: number;
  #newest: string;
  #asked: number;

  constructor(chain: RegtestChain, patience: number) {
    this.#chain = chain;
    this.#patience = patience;
    this.#newest = chain.tip.hash;
    this.#asked = patience;
    this.index = {
      blockAt: (height) => (height > this.height ? undefined : chain.index.blockAt(height)),
      block: (hash) => (this.#isLate && hash === chain.tip.hash ? undefined : chain.index.block(hash)),
      transactionsOf: (scriptHash) =>
        chain.index.transactionsOf(scriptHash).filter(({ at }) => at.block.height <= this.height),
    };
  }

  /** One request more. */
  ask(): void {
    if (this.#newest !== this.#chain.tip.hash) this.#asked = 0;
    this.#newest = this.#chain.tip.hash;
    this.#asked++;
  }

  get height(): number {
    return this.#chain.height - (this.#isLate ? 1 : 0);
  }

  get tip(): ServedChain['tip'] {
    return this.#chain.index.blockAt(this.height) ?? this.#chain.tip;
  }

  find(txid: string): KnownTx | undefined {
    const known = this.#chain.find(txid);
    if (known?.at === undefined || known.at.block.height <= this.height) return known;
    return known.tx.isCoinbase() ? undefined : { tx: known.tx };
  }

  spend(txid: string, vout: number): ReturnType<ServedChain['spend']> {
    return this.#chain.spend(txid, vout);
  }

  mempoolTxs(): ReturnType<ServedChain['mempoolTxs']> {
    return [...this.#chain.mempoolTxs(), ...(this.#isLate ? this.#chain.tip.txs.slice(1) : [])];
  }

  mempoolEntries(): ReturnType<ServedChain['mempoolEntries']> {
    return this.#chain.mempoolEntries();
  }

  medianTime(block: ServedChain['tip']): number {
    return this.#chain.medianTime(block);
  }

  submit(raw: Uint8Array): Promise<string> {
    return this.#chain.submit(raw);
  }

  submitPackage(raws: readonly Uint8Array[]): ReturnType<ServedChain['submitPackage']> {
    return this.#chain.submitPackage(raws);
  }

  get #isLate(): boolean {
    return this.#asked <= this.#patience || this.#newest !== this.#chain.tip.hash;
  }
}
