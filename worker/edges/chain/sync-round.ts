import { fromHex, reversed, toHex } from '../../engine/primitives/bytes.ts';
import { decodeTransaction, type Transaction } from '../../engine/transactions/transaction.ts';
import type { BlockHeader } from './block-header.ts';
import { badReply } from './chain-source-error.ts';
import type { ChainUpdate, ConfirmedBlock, ConfirmedTransaction } from './chain-update.ts';
import type { EsploraApi } from './esplora-api.ts';
import type { ScriptStats, ScriptTx, TxStatus } from './esplora-reply.ts';
import type { HeaderChain } from './header-chain.ts';
import { provesInclusion } from './merkle-proof.ts';
import type { OldHeaders } from './old-headers.ts';
import type { TreeDepths } from './tree-depths.ts';
import type { SeenAt, Watched, WatchedOutput, WatchedScript } from './watch-list.ts';

export interface RoundResult {
  readonly update: ChainUpdate;
  readonly changes: ReadonlyMap<string, Watched>;
}

const MAX_PAGES = 200;
/** Requests at a time: public servers count them. */
const PARALLEL = 4;

/** The state of the chain that a round is about. */
export interface ChainView {
  readonly chain: HeaderChain;
  readonly old: OldHeaders;
  readonly depths: TreeDepths;
  /** Blocks above this height were told of and are not in the chain any more. */
  readonly disconnectedTo: number | undefined;
}

/**
 * Asks one source for everything watched, at one state of the chain. It changes nothing: a request that fails ends the
 * round, and the next one starts from the same place. A claim about a block that is not in the chain of headers is left
 * for a later round.
 */
export class SyncRound {
  readonly #api: EsploraApi;
  readonly #chain: HeaderChain;
  readonly #old: OldHeaders;
  readonly #depths: TreeDepths;
  readonly #disconnectedTo: number | undefined;
  readonly #blocks = new Map<number, Map<string, ConfirmedTransaction>>();
  readonly #changes = new Map<string, Watched>();
  readonly #unconfirmed = new Set<string>();
  readonly #mempool = new Map<string, Transaction>();
  readonly #spending = new Map<string, Transaction>();
  readonly #dropped = new Set<string>();

  constructor(api: EsploraApi, { chain, old, depths, disconnectedTo }: ChainView) {
    this.#api = api;
    this.#chain = chain;
    this.#old = old;
    this.#depths = depths;
    this.#disconnectedTo = disconnectedTo;
  }

  async run(items: ReadonlyMap<string, Watched>, fresh: ReadonlySet<string>): Promise<RoundResult> {
    const queue = [...items];
    for (let at = 0; at < queue.length; at += PARALLEL)
      await Promise.all(queue.slice(at, at + PARALLEL).map(([name, item]) => this.#note(name, item, fresh.has(name))));
    const wire = (txids: Iterable<string>): Uint8Array[] => [...txids].map((txid) => reversed(fromHex(txid)));
    const stillThere = new Set([...this.#blocks.values()].flatMap((txs) => [...txs.keys()]));
    const update: ChainUpdate = {
      ...(this.#disconnectedTo === undefined ? {} : { disconnectedTo: this.#disconnectedTo }),
      unconfirmed: wire(this.#unconfirmed),
      confirmed: this.#confirmedBlocks(),
      best: this.#chain.tip,
      mempool: [...this.#mempool].filter(([txid]) => !stillThere.has(txid)).map(([, tx]) => tx),
      spending: [...this.#spending.values()],
      dropped: wire([...this.#dropped].filter((txid) => !stillThere.has(txid) && !this.#mempool.has(txid))),
    };
    return { update, changes: this.#changes };
  }

  async #note(name: string, item: Watched, isFresh: boolean): Promise<void> {
    const next = await this.#look(item, isFresh);
    if (next !== item) this.#changes.set(name, next);
  }

  async #look(item: Watched, isFresh: boolean): Promise<Watched> {
    if (item.kind === 'script') return this.#lookAtScript(item, isFresh);
    const { seen, ...unseen } = item;
    if (seen && this.#isGone(seen)) this.#unconfirmed.add(seen.txid);
    else if (seen && !isFresh) return item;
    if (unseen.kind === 'output') return this.#lookAtOutput(unseen);
    const found = await this.#confirm(unseen.txid, await this.#api.status(unseen.txid));
    return found ? { ...unseen, seen: found } : unseen;
  }

  #isGone({ height }: SeenAt): boolean {
    return this.#disconnectedTo !== undefined && height > this.#disconnectedTo;
  }

  async #lookAtOutput({ spender, ...output }: WatchedOutput): Promise<WatchedOutput> {
    const { txid, vout } = output;
    const outspend = await this.#api.outspend(txid, vout);
    if (!outspend.spent) return output;
    if (!outspend.status.confirmed) {
      const isKnown = outspend.txid === spender || (await this.#addSpending(output, outspend.txid));
      return isKnown ? { ...output, spender: outspend.txid } : output;
    }
    const seen = await this.#confirm(outspend.txid, outspend.status);
    const transaction = seen && this.#blocks.get(seen.height)?.get(outspend.txid)?.transaction;
    if (transaction) this.#mustSpend(transaction, output);
    return seen ? { ...output, seen } : output;
  }

  async #addSpending(output: WatchedOutput, txid: string): Promise<boolean> {
    const isThere = await this.#addTo(this.#spending, txid);
    const transaction = this.#spending.get(txid);
    if (transaction) this.#mustSpend(transaction, output);
    return isThere;
  }

  #mustSpend({ inputs }: Transaction, { txid, vout }: WatchedOutput): void {
    const spends = inputs.some((input) => input.vout === vout && displayed(input.txid) === txid);
    if (!spends) throw badReply(this.#api.baseUrl, 'a spending transaction that does not spend');
  }

  /** Fetches and proves a transaction that is said to be in a block of the chain. */
  async #confirm(txid: string, status: TxStatus): Promise<SeenAt | undefined> {
    if (!status.confirmed) return undefined;
    const { blockHeight: height, blockHash } = status;
    const isOld = height < this.#chain.lowest;
    const header = isOld ? await this.#old.prove(this.#api, this.#chain, height) : this.#chain.at(height);
    // No block comes to be below the checkpoint any more.
    if (isOld && header?.hash !== blockHash) throw badReply(this.#api.baseUrl, 'a block that is not at its height');
    return header?.hash === blockHash ? this.#prove(txid, height, header) : undefined;
  }

  async #prove(txid: string, height: number, header: BlockHeader): Promise<SeenAt> {
    if (this.#blocks.get(height)?.has(txid)) return { txid, height };
    const proof = await this.#api.merkleProof(txid);
    const rawTx = proof && (await this.#api.transaction(txid));
    if (!proof || !rawTx || proof.blockHeight !== height) throw badReply(this.#api.baseUrl, 'a block without a proof');
    if (!provesInclusion(txid, proof, header.merkleRoot))
      throw badReply(this.#api.baseUrl, 'a proof that does not hold');
    if (proof.merkle.length !== (await this.#depths.depthOf(this.#api, header)))
      throw badReply(this.#api.baseUrl, 'a proof that does not end in a transaction');
    const transaction = decodeTransaction(rawTx);
    // Looked up after the requests: another item may have made the block's entry meanwhile.
    const txs = this.#blocks.get(height) ?? new Map<string, ConfirmedTransaction>();
    txs.set(txid, { txid: reversed(fromHex(txid)), index: proof.position, rawTx, transaction });
    this.#blocks.set(height, txs);
    return { txid, height };
  }

  async #lookAtScript(item: WatchedScript, isFresh: boolean): Promise<WatchedScript> {
    const gone = item.confirmed.filter((seen) => this.#isGone(seen));
    for (const { txid } of gone) this.#unconfirmed.add(txid);
    const stats = await this.#api.scriptStats(item.scripthash);
    const same = stats.confirmed === item.stats.confirmed && stats.unconfirmed === item.stats.unconfirmed;
    if (same && gone.length === 0 && !isFresh && item.unconfirmed.length === 0) return item;
    if (stats.confirmed === 0 && stats.unconfirmed === 0 && item.unconfirmed.length === 0 && gone.length === 0)
      return { ...item, stats };
    const missed = [...item.unconfirmed, ...gone.map(({ txid }) => txid)];
    const confirmed = isFresh ? [] : item.confirmed.filter((seen) => !gone.includes(seen));
    const unconfirmed = isFresh ? [] : item.unconfirmed;
    return this.#readScript({ ...item, confirmed, unconfirmed }, stats, missed);
  }

  /** `missed` are dropped if the script does not have them any more. */
  async #readScript(item: WatchedScript, stats: ScriptStats, missed: readonly string[]): Promise<WatchedScript> {
    const listed = await this.#scriptTxs(item);
    const confirmed = [...item.confirmed];
    const unconfirmed: string[] = [];
    let complete = true;
    for (const { txid, status } of listed) {
      if (item.confirmed.some((seen) => seen.txid === txid)) continue;
      const seen = await this.#confirm(txid, status);
      if (seen) confirmed.push(seen);
      else if (status.confirmed) complete = false;
      else unconfirmed.push(txid);
    }
    for (const txid of unconfirmed) if (!item.unconfirmed.includes(txid)) await this.#addTo(this.#mempool, txid);
    for (const txid of missed) if (!listed.some((entry) => entry.txid === txid)) this.#dropped.add(txid);
    // With a transaction in a block that is not known yet, the counts are not taken over, so the next round looks again.
    return { ...item, confirmed, unconfirmed, stats: complete ? stats : { confirmed: -1, unconfirmed: -1 } };
  }

  /** Down to the first page that brings nothing new. */
  async #scriptTxs(item: WatchedScript): Promise<ScriptTx[]> {
    const isNew = ({ txid, status }: ScriptTx): boolean =>
      status.confirmed && !item.confirmed.some((seen) => seen.txid === txid);
    let page = await this.#api.scriptTxs(item.scripthash);
    const all = [...page];
    for (let pages = 1; pages < MAX_PAGES; pages++) {
      const last = page.findLast(({ status }) => status.confirmed);
      if (!last || page.filter(({ status }) => status.confirmed).length < 25 || !page.some(isNew)) break;
      page = await this.#api.scriptTxsAfter(item.scripthash, last.txid);
      all.push(...page);
    }
    return all;
  }

  /** Whether it is there then: a server can know that a transaction is in the mempool before it has it. */
  async #addTo(found: Map<string, Transaction>, txid: string): Promise<boolean> {
    const rawTx = found.has(txid) ? undefined : await this.#api.transaction(txid);
    if (rawTx) found.set(txid, decodeTransaction(rawTx));
    return found.has(txid);
  }

  #confirmedBlocks(): ConfirmedBlock[] {
    return [...this.#blocks]
      .toSorted(([a], [b]) => a - b)
      .flatMap(([height, txs]) => {
        const header = this.#chain.at(height) ?? this.#old.at(height);
        const sorted = [...txs.values()].toSorted((a, b) => a.index - b.index);
        return header ? [{ height, header, txs: sorted }] : [];
      });
  }
}

const displayed = (txid: Uint8Array): string => toHex(reversed(txid));
