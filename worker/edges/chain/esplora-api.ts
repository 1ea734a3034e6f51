import { fromHex, reversed, toHex } from '../../engine/primitives/bytes.ts';
import { GlowwormError } from '../../engine/primitives/errors.ts';
import type { Network } from '../../engine/primitives/network.ts';
import type { TransactionPackage } from '../../engine/transactions/transaction-package.ts';
import { decodeTransaction, transactionId } from '../../engine/transactions/transaction.ts';
import type { PaidWeight } from '../../engine/wallet/coin.ts';
import { decodeHeader, headerOfFields, type BlockHeader } from './block-header.ts';
import { badReply, isChainSourceError, isRateLimited } from './chain-source-error.ts';
import { esploraClientCalls, type EsploraClientCalls } from './esplora-client-calls.ts';
import { EsploraHttp, type HttpReply } from './esplora-http.ts';
import { lookUpOutspend } from './esplora-outspend.ts';
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
import { EsploraRoutes } from './esplora-routes.ts';
import type { ChainPlatform } from './platform.ts';
import { ScriptRoutes } from './script-routes.ts';

/** A script that has an output of ours and more history than this is no script of ours. */
const MOST_PAGES = 20;

/** mempool's own code for a body that it takes for no list. */
const UNREAD = /code\\?":-1\b/;

/** An output, its transaction's id as explorers show it. */
export interface OutputName {
  readonly txid: string;
  readonly vout: number;
}

export interface EsploraApiOptions {
  /** Whose addresses the server knows. */
  readonly network: Network;
  /** For each answer. */
  readonly timeoutMs: number;
}

/**
 * One Esplora server. Ids are hex in the order that explorers show. Every reply is checked for its form, and a
 * transaction or header for its hash; `undefined` where the server does not know. Throws the `ChainSource` errors.
 */
export class EsploraApi {
  readonly #http: EsploraHttp;
  readonly #reader: ReplyReader;
  readonly #client: EsploraClientCalls | undefined;
  readonly #routes: EsploraRoutes;
  readonly #scripts: ScriptRoutes;

  constructor(baseUrl: string, platform: ChainPlatform, { network, timeoutMs }: EsploraApiOptions) {
    this.#http = new EsploraHttp(baseUrl, platform, timeoutMs);
    this.#routes = new EsploraRoutes(this.#http);
    this.#scripts = new ScriptRoutes(this.#routes, this.#http.baseUrl, network);
    this.#reader = new ReplyReader(this.#http.baseUrl);
    this.#client = esploraClientCalls(this.#http.baseUrl, platform, timeoutMs);
  }

  get baseUrl(): string {
    return this.#http.baseUrl;
  }

  async tipHeight(): Promise<number> {
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

  /** Servers that have no route for one transaction of a block list all. */
  async coinbaseTxid(blockHash: string): Promise<string> {
    const one = await this.#routes.tried('coinbase', `/block/${blockHash}/txid/0`);
    if (one !== undefined) return this.#reader.hash(one.trim());
    const [first] = this.#reader.txids(this.#reader.json(await this.#text(`/block/${blockHash}/txids`)));
    return this.#reader.hash(first);
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

  /** What a transaction weighs and pays, by the server's word. */
  async paid(txid: string): Promise<PaidWeight | undefined> {
    const body = await this.#optionalText(`/tx/${txid}`);
    return body === undefined ? undefined : this.#reader.paid(this.#reader.json(body));
  }

  /** Of an output that it has never seen a server says "unspent". */
  outspend(txid: string, vout: number): Promise<Outspend> {
    return lookUpOutspend(this, this.#routes, this.#reader, { txid, vout });
  }

  async merkleProof(txid: string): Promise<MerkleProof | undefined> {
    const body = await this.#optionalText(`/tx/${txid}/merkle-proof`);
    return body === undefined ? undefined : this.#reader.merkleProof(this.#reader.json(body));
  }

  async scriptStats(script: Uint8Array): Promise<ScriptStats> {
    return this.#reader.scriptStats(this.#reader.json(await this.#scripts.stats(script)));
  }

  /** The transactions of a script, newest first: those in the mempool and a page of the chain's. */
  async scriptTxs(script: Uint8Array): Promise<ScriptTx[]> {
    return this.#reader.scriptTxs(this.#reader.json(await this.#scripts.history(script)));
  }

  /** The next page, after a transaction of the page before. */
  async scriptTxsAfter(script: Uint8Array, last: ScriptTx): Promise<ScriptTx[]> {
    return this.#reader.scriptTxs(this.#reader.json(await this.#scripts.historyAfter(script, last)));
  }

  /** What spends an output, by the first pages of its script's history. Throws `ChainSourceBadReply` where nothing does. */
  async spenderIn(script: Uint8Array, { txid, vout }: OutputName): Promise<ScriptTx> {
    let page = this.#reader.json(await this.#scripts.history(script));
    for (let pages = 1; ; pages++) {
      const spender = this.#reader.spenderOf(page, txid, vout);
      if (spender !== undefined) return spender;
      const last = this.#reader.scriptTxs(page).at(-1);
      if (last === undefined || last.txid === txid || pages === MOST_PAGES)
        throw badReply(this.baseUrl, 'a spending that nobody has made');
      page = this.#reader.json(await this.#scripts.historyAfter(script, last));
    }
  }

  /** Servers without Esplora's estimates have those of mempool's own API. */
  async feeEstimates(): Promise<ReadonlyMap<number, number>> {
    if (this.#routes.lacks('feeEstimates')) return this.#recommendedFees();
    try {
      return await this.#feeEstimates();
    } catch (error) {
      if (!isChainSourceError(error) || isRateLimited(error)) throw error;
      const recommended = await this.#recommendedFees().catch(() => undefined);
      if (recommended === undefined) throw error;
      this.#routes.missing('feeEstimates');
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
   * has no such call, as older ones.
   */
  async broadcastPackage(rawTxs: TransactionPackage): Promise<readonly BroadcastReply[] | undefined> {
    const { status, body } = await this.#submit(JSON.stringify(rawTxs.map(toHex)));
    if (status === 404 || status === 405) return undefined;
    // What is wrong with a request says nothing of each of its transactions.
    if (status !== 200) throw badReply(this.baseUrl, `status ${status}`);
    const replies = this.#reader.packageReplies(this.#reader.json(body));
    return rawTxs.map((rawTx) => {
      const reply = replies.get(this.#txidOf(rawTx));
      if (reply === undefined) throw badReply(this.baseUrl, 'a package without its transaction');
      return reply;
    });
  }

  /** JSON's type has to be asked for first (CORS), to which electrs says nothing; mempool's own backend reads no other. */
  async #submit(transactions: string): Promise<HttpReply> {
    const route = '/txs/package';
    const untyped = this.#routes.lacks('untypedPackage') ? undefined : await this.#http.post(route, transactions);
    if (untyped !== undefined && !(untyped.status === 400 && UNREAD.test(untyped.body))) return untyped;
    const reply = await this.#http.postJson(route, transactions);
    this.#routes.missing('untypedPackage');
    return reply;
  }

  #text(path: string): Promise<string> {
    return this.#routes.text(path);
  }

  #optionalText(path: string): Promise<string | undefined> {
    return this.#routes.optionalText(path);
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
