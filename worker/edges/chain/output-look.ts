import { decodeTransaction, type Transaction } from '../../engine/transactions/transaction.ts';
import { explorerTxid } from '../../engine/transactions/txid.ts';
import { badReply } from './chain-source-error.ts';
import type { EsploraApi } from './esplora-api.ts';
import type { RoundFindings } from './round-findings.ts';
import { sightingOf } from './sighting.ts';
import type { WatchedOutput } from './watch-list.ts';

/** Looks at outputs through one server, at one state of the chain: what spends them, in a block or in the mempool. */
export class OutputLook {
  readonly #api: EsploraApi;
  readonly #found: RoundFindings;

  constructor(api: EsploraApi, found: RoundFindings) {
    this.#api = api;
    this.#found = found;
  }

  /** Of one that was not seen spent in a block. Throws the `ChainSource` errors. */
  async look({ spender, shownBy = [], ...output }: WatchedOutput): Promise<WatchedOutput> {
    const { txid, vout } = output;
    const outspend = await this.#api.outspend(txid, vout);
    if (!outspend.spent && outspend.isUnknown === true && this.#isInBlock(txid))
      throw badReply(this.#api.baseUrl, 'nothing of a transaction that is in a block');
    // One server's "unspent" is no answer to what another has shown.
    if (!outspend.spent)
      return spender !== undefined && this.#found.isListed(spender) ? { ...output, spender, shownBy } : output;
    if (!outspend.status.confirmed) {
      const isSame = outspend.txid === spender;
      const shown = await this.shown({ ...output, shownBy: isSame ? shownBy : [] }, outspend.txid);
      if (shown.shownBy?.length === 0) return output;
      this.#found.list(outspend.txid);
      return { ...shown, spender: outspend.txid };
    }
    const seen = await sightingOf(this.#api, this.#found, outspend.txid, outspend.status);
    const transaction = seen && this.#found.confirmed(seen.height, outspend.txid)?.transaction;
    if (transaction) this.#mustSpend(transaction, output);
    return seen ? { ...output, seen, shownBy: [this.#api.baseUrl] } : output;
  }

  /** With this server's bytes of what spends an output told of too, if it has them. */
  async shown(output: WatchedOutput, txid: string): Promise<WatchedOutput> {
    const { shownBy = [] } = output;
    const server = this.#api.baseUrl;
    const rawTx = shownBy.includes(server) ? undefined : await this.#api.transaction(txid);
    if (rawTx === undefined) return output;
    const transaction = decodeTransaction(rawTx);
    this.#mustSpend(transaction, output);
    this.#found.spend(transaction, rawTx);
    return { ...output, shownBy: [...shownBy, server] };
  }

  #isInBlock(txid: string): boolean {
    const { heightOf, disconnectedTo = Infinity } = this.#found.view;
    const height = heightOf(txid);
    return height !== undefined && height <= disconnectedTo;
  }

  #mustSpend({ inputs }: Transaction, { txid, vout }: WatchedOutput): void {
    const spends = inputs.some((input) => input.vout === vout && explorerTxid(input.txid) === txid);
    if (!spends) throw badReply(this.#api.baseUrl, 'a spending transaction that does not spend');
  }
}
