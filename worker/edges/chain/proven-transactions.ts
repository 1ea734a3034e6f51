import { fromHex, reversed } from '../../engine/primitives/bytes.ts';
import { decodeTransaction } from '../../engine/transactions/transaction.ts';
import type { BlockHeader } from './block-header.ts';
import { badReply } from './chain-source-error.ts';
import type { ConfirmedTransaction } from './chain-update.ts';
import type { EsploraApi } from './esplora-api.ts';
import { provesInclusion } from './merkle-proof.ts';
import type { TreeDepths } from './tree-depths.ts';

/**
 * Transactions with the block that each is proven to be in. They are remembered until all of a round is told, however often it is
 * begun anew: a block stays what it is. Each server's own: a proof covers no witness, and what one has left out of it another has not
 * shown.
 */
export class ProvenTransactions {
  readonly #depths: TreeDepths;
  readonly #known = new Map<string, ConfirmedTransaction>();

  constructor(depths: TreeDepths) {
    this.#depths = depths;
  }

  /** Throws the `ChainSource` errors, `ChainSourceBadReply` for what is not in the block. */
  async prove(api: EsploraApi, txid: string, height: number, header: BlockHeader): Promise<ConfirmedTransaction> {
    const name = `${api.baseUrl} ${txid}:${header.hash}`;
    const found = this.#known.get(name) ?? (await this.#prove(api, txid, height, header));
    this.#known.set(name, found);
    return found;
  }

  /** What was told is not asked for again. */
  forget(): void {
    this.#known.clear();
  }

  async #prove(api: EsploraApi, txid: string, height: number, header: BlockHeader): Promise<ConfirmedTransaction> {
    const proof = await api.merkleProof(txid);
    const rawTx = proof && (await api.transaction(txid));
    if (!proof || !rawTx || proof.blockHeight !== height) throw badReply(api.baseUrl, 'a block without a proof');
    if (!provesInclusion(txid, proof, header.merkleRoot)) throw badReply(api.baseUrl, 'a proof that does not hold');
    if (proof.merkle.length !== (await this.#depths.depthOf(api, header)))
      throw badReply(api.baseUrl, 'a proof that does not end in a transaction');
    const transaction = decodeTransaction(rawTx);
    return { txid: reversed(fromHex(txid)), index: proof.position, rawTx, transaction };
  }
}
