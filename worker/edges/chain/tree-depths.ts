import { equalBytes } from '../../engine/primitives/bytes.ts';
import { decodeTransaction } from '../../engine/transactions/transaction.ts';
import type { BlockHeader } from './block-header.ts';
import { badReply } from './chain-source-error.ts';
import type { EsploraApi } from './esplora-api.ts';
import { provesInclusion } from './merkle-proof.ts';

const NO_TXID = new Uint8Array(32);
/** Blocks whose trees are remembered. */
const MOST_KNOWN = 2_000;

/**
 * How deep the leaves of blocks' Merkle trees are. All of a tree are equally deep, and its coinbase is one for certain: a proof that
 * is longer or shorter does not end in a transaction of the block. Bytes of 64 can be two hashes and a transaction at once.
 */
export class TreeDepths {
  readonly #known = new Map<string, number>();
  /** By server and block: what one is silent about, another one is asked all the same. */
  readonly #asked = new Map<string, Promise<number>>();

  /** Throws the `ChainSource` errors, `ChainSourceBadReply` where the coinbase is not proven. */
  async depthOf(api: EsploraApi, { hash, merkleRoot }: BlockHeader): Promise<number> {
    const known = this.#known.get(hash);
    if (known !== undefined) return known;
    const name = `${api.baseUrl} ${hash}`;
    const asked = this.#asked.get(name) ?? proveCoinbase(api, hash, merkleRoot);
    this.#asked.set(name, asked);
    const depth = await asked.finally(() => this.#asked.delete(name));
    this.#known.set(hash, depth);
    const [oldest = hash] = this.#known.keys();
    if (this.#known.size > MOST_KNOWN) this.#known.delete(oldest);
    return depth;
  }
}

async function proveCoinbase(api: EsploraApi, hash: string, merkleRoot: string): Promise<number> {
  const txid = await api.coinbaseTxid(hash);
  const [proof, rawTx] = await Promise.all([api.merkleProof(txid), api.transaction(txid)]);
  if (!proof || !rawTx) throw badReply(api.baseUrl, 'a block without its coinbase');
  const [input, ...others] = decodeTransaction(rawTx).inputs;
  const isCoinbase = input !== undefined && others.length === 0 && equalBytes(input.txid, NO_TXID);
  if (!isCoinbase || proof.position !== 0 || !provesInclusion(txid, proof, merkleRoot))
    throw badReply(api.baseUrl, 'a coinbase that is not proven');
  return proof.merkle.length;
}
