import { fromHex, reversed, toHex } from '../../engine/primitives/bytes.ts';
import { GlowwormError } from '../../engine/primitives/errors.ts';
import type { TransactionPackage } from '../../engine/transactions/transaction-package.ts';
import { decodeTransaction, transactionId } from '../../engine/transactions/transaction.ts';
import { decodeHeader, headerOfFields, type BlockHeader } from './block-header.ts';
import { badReply, isChainSourceError, isRateLimited } from './chain-source-error.ts';
import { esploraClientCalls, type EsploraClientCalls } from './esplora-client-calls.ts';
import { EsploraHttp, type HttpReply } from './esplora-http.ts';
import {
  refusal,
  ReplyReader,
  type BroadcastReply,
  type MerkleProof,
  type Outspend,
  type ScriptStats,
  type ScriptTx,
  type TxStatus,
} from './esplora-reply.ts';
import type { ChainPlatform } from './platform.ts';

const TIMEOUT_MS = 15_000;

/**
 * One Esplora server. Ids are hex in the order that explorers show. Every reply is checked for its form, and a
 * transaction or header for its hash; `undefined` where the server does not know. Throws the `ChainSource` errors.
 */
export class EsploraApi {
  readonly #http: EsploraHttp;
  readonly #reader: ReplyReader;
  readonly #client: EsploraClientCalls | undefined;
  /** Routes that the server was asked for, and does not have. */
  readonly #lacks = new Set<'outspend' | 'feeEstimates'>();

  constructor(baseUrl: string, platform: ChainPlatform, timeoutMs: number = TIMEOUT_MS) {
    this.#http = new EsploraHttp(baseUrl, platform, timeoutMs);
    this.#reader = new ReplyReader(this.#http.baseUrl);
    this.#client = esploraClientCalls(this.#http.baseUrl, platform, timeoutMs);
  }

  get baseUrl(): string {
    return this.#http.baseUrl;
  }

  async tipHeight(): Promise<number> {
    if (this.#client) return this.#reader.height(await this.#client.tipHeight());
    return this.#reader.height(this.#reader.json(await this.#text('/blocks/tip/height')));
  }

  async tipHash(): Promise<string> {
    return this.#reader.hash((await this.#text('/blocks/tip/hash')).trim());
  }

  async blockHash(height: number): Promise<string | undefined> {
    const body = await this.#optionalText(`/block-height/${height}`);
    return body === undefined ? undefined : this.#reader.hash(body.trim());
  }

  async header(hash: string): Promise<BlockHeader | undefined> {
    const body = await this.#optionalText(`/block/${hash}/header`);
    if (body === undefined) return undefined;
    const header = decodeHeader(fromHex(this.#reader.hex(body.trim())));
    if (header?.hash !== hash) throw badReply(this.baseUrl, 'another header');
    return header;
  }

  async coinbaseTxid(blockHash: string): Promise<string> {
    return this.#reader.hash((await this.#text(`/block/${blockHash}/txid/0`)).trim());
  }

  /** Headers from a height downwards, as many as are on a page, the highest first. */
  async headersDownFrom(height: number): Promise<{ height: number; header: BlockHeader }[]> {
    const blocks = this.#reader.blocks(this.#reader.json(await this.#text(`/blocks/${height}`)));
    return blocks.map((fields, index) => {
      const header = headerOfFields(fields);
      if (header.hash !== fields.hash || fields.height !== height - index)
        throw badReply(this.baseUrl, 'a block that its fields do not make');
      return { height: fields.height, header };
    });
  }

  /** The bytes of a transaction, witness included. */
  async transaction(txid: string): Promise<Uint8Array | undefined> {
    const body = await this.#optionalText(`/tx/${txid}/hex`);
    if (body === undefined) return undefined;
    const bytes = fromHex(this.#reader.hex(body.trim()));
    if (this.#txidOf(bytes) !== txid) throw badReply(this.baseUrl, 'another transaction');
    return bytes;
  }

  /** The server says "not confirmed" of transactions that it has never seen, too. */
  async status(txid: string): Promise<TxStatus> {
    const body = await this.#optionalText(`/tx/${txid}/status`);
    return body === undefined ? { confirmed: false } : this.#reader.status(this.#reader.json(body));
  }

  /**
   * Of an output that it has never seen a server says "unspent". Some have a route for all outputs of a transaction only, and
   * "not found" for one that they do not know; of one in a block that would hide a spending.
   */
  async outspend(txid: string, vout: number): Promise<Outspend> {
    const one = this.#lacks.has('outspend') ? undefined : await this.#optionalText(`/tx/${txid}/outspend/${vout}`);
    if (one !== undefined) return this.#reader.outspend(this.#reader.json(one));
    const all = await this.#optionalText(`/tx/${txid}/outspends`);
    if (all !== undefined) {
      this.#lacks.add('outspend');
      return this.#reader.outspends(this.#reader.json(all), vout);
    }
    const { confirmed } = await this.status(txid);
    if (confirmed) throw badReply(this.baseUrl, 'a transaction of a block without its outputs');
    return { spent: false };
  }

  async merkleProof(txid: string): Promise<MerkleProof | undefined> {
    const body = await this.#optionalText(`/tx/${txid}/merkle-proof`);
    return body === undefined ? undefined : this.#reader.merkleProof(this.#reader.json(body));
  }

  async scriptStats(scripthash: string): Promise<ScriptStats> {
    return this.#reader.scriptStats(this.#reader.json(await this.#text(`/scripthash/${scripthash}`)));
  }

  /** The transactions of a script, newest first: those in the mempool and a page of the chain's. */
  async scriptTxs(scripthash: string): Promise<ScriptTx[]> {
    return this.#reader.scriptTxs(this.#reader.json(await this.#text(`/scripthash/${scripthash}/txs`)));
  }

  /** The next page of the chain's, after a transaction of the page before. */
  async scriptTxsAfter(scripthash: string, lastTxid: string): Promise<ScriptTx[]> {
    const route = `/scripthash/${scripthash}/txs`;
    const page = await this.#optionalText(`${route}/chain/${lastTxid}`);
    const body = page ?? (await this.#text(`${route}?after_txid=${lastTxid}`));
    return this.#reader.scriptTxs(this.#reader.json(body));
  }

  /** Servers without Esplora's estimates have those of mempool's own API. */
  async feeEstimates(): Promise<ReadonlyMap<number, number>> {
    if (this.#lacks.has('feeEstimates')) return this.#recommendedFees();
    try {
      return await this.#feeEstimates();
    } catch (error) {
      if (!isChainSourceError(error) || isRateLimited(error)) throw error;
      const recommended = await this.#recommendedFees().catch(() => undefined);
      if (recommended === undefined) throw error;
      this.#lacks.add('feeEstimates');
      return recommended;
    }
  }

  async #feeEstimates(): Promise<ReadonlyMap<number, number>> {
    if (this.#client) return this.#reader.feeEstimates(await this.#client.feeEstimates());
    return this.#reader.feeEstimates(this.#reader.json(await this.#text('/fee-estimates')));
  }

  async #recommendedFees(): Promise<ReadonlyMap<number, number>> {
    return this.#reader.recommendedFees(this.#reader.json(await this.#text('/v1/fees/recommended')));
  }

  /** Submits a transaction; the reason of a refusal is the node's own words. */
  async broadcast(rawTx: Uint8Array): Promise<BroadcastReply> {
    const { status, body } = await this.#http.post('/tx', toHex(rawTx));
    if (status === 200) return { kind: 'accepted' };
    if (status === 400) return refusal(body);
    throw badReply(this.baseUrl, `status ${status}`);
  }

  /**
   * Submits a parent with its child to Bitcoin Core's `submitpackage`; a reply for each, in order. `undefined` where the server
   * has no such call, as older ones. The body has no type of its own, for JSON's would be asked for permission first (CORS).
   */
  async broadcastPackage(rawTxs: TransactionPackage): Promise<readonly BroadcastReply[] | undefined> {
    const { status, body } = await this.#http.post('/txs/package', JSON.stringify(rawTxs.map(toHex)));
    if (status === 404 || status === 405) return undefined;
    if (status === 400) return rawTxs.map(() => refusal(body));
    if (status !== 200) throw badReply(this.baseUrl, `status ${status}`);
    const replies = this.#reader.packageReplies(this.#reader.json(body));
    return rawTxs.map((rawTx) => {
      const reply = replies.get(this.#txidOf(rawTx));
      if (reply === undefined) throw badReply(this.baseUrl, 'a package without its transaction');
      return reply;
    });
  }

  async #text(path: string): Promise<string> {
    return this.#ok(await this.#http.get(path));
  }

  async #optionalText(path: string): Promise<string | undefined> {
    const reply = await this.#http.get(path);
    return reply.status === 404 ? undefined : this.#ok(reply);
  }

  #ok({ status, body }: HttpReply): string {
    if (status < 200 || status > 299) throw badReply(this.baseUrl, `status ${status}`);
    return body;
  }

  #txidOf(bytes: Uint8Array): string {
    try {
      return toHex(reversed(transactionId(decodeTransaction(bytes))));
    } catch (error) {
      if (error instanceof GlowwormError) throw badReply(this.baseUrl, 'bytes that are no transaction');
      throw error;
    }
  }
}
