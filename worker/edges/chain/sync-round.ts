import { decodeTransaction, type Transaction } from '../../engine/transactions/transaction.ts';
import { explorerTxid } from '../../engine/transactions/txid.ts';
import { badReply, isChainSourceError, isRateLimited, unavailable } from './chain-source-error.ts';
import type { EsploraApi } from './esplora-api.ts';
import type { ScriptStats, ScriptTx, TxStatus } from './esplora-reply.ts';
import type { RoundFindings } from './round-findings.ts';
import { nameOf, type SeenAt, type Watched, type WatchedOutput, type WatchedScript } from './watch-list.ts';

/** Of one script's history: whoever pays to it so often pays for it. */
const MAX_PAGES = 400;
/** Requests at a time: public servers count them. */
const PARALLEL = 4;
/** After so many failures in a row a server is not asked for the rest. */
const MOST_IN_VAIN = 8;

/** How an item is looked at: all of it anew, or what has changed since and what has left the chain. */
interface Look {
  readonly isFresh: boolean;
  readonly gone: readonly SeenAt[];
}

/**
 * Asks one source for everything watched that nothing is found of yet, at one state of the chain. A claim about a block that is not
 * in the chain of headers is left for a later round.
 */
export class SyncRound {
  readonly #api: EsploraApi;
  readonly #found: RoundFindings;
  #isOver = false;

  constructor(api: EsploraApi, found: RoundFindings) {
    this.#api = api;
    this.#found = found;
  }

  /** Nothing more is asked for: others have answered. */
  stop(): void {
    this.#isOver = true;
  }

  /** Throws the first error of a request, after the other items: what is found of those stays found. */
  async run(items: ReadonlyMap<string, Watched>, fresh: ReadonlySet<string>): Promise<void> {
    const queue = [...items].filter(([name]) => !this.#found.isDone(this.#api.baseUrl, name));
    const errors: unknown[] = [];
    // What is in channels before what is in the wallet: a server may have no route for the one or the other.
    for (const kind of ['output', 'tx', 'script'] as const)
      errors.push(
        ...(await this.#askAll(
          queue.filter(([, item]) => item.kind === kind),
          fresh,
        )),
      );
    if (errors.length > 0) throw errors.find((error) => !mayGoOn(error)) ?? errors[0];
  }

  /** The errors of those that could not be asked for. */
  async #askAll(
    queue: readonly (readonly [string, Watched])[],
    fresh: ReadonlySet<string>,
  ): Promise<readonly unknown[]> {
    const errors: unknown[] = [];
    let inVain = 0;
    for (let at = 0; at < queue.length && !this.#isOver; at += PARALLEL) {
      const asked = queue.slice(at, at + PARALLEL).map(([name, item]) => this.#note(name, item, fresh.has(name)));
      const failed = (await Promise.allSettled(asked)).flatMap((each) => (each.status === 'rejected' ? [each] : []));
      errors.push(...failed.map(({ reason }): unknown => reason));
      if (errors.some((error) => !mayGoOn(error))) this.stop();
      inVain = failed.length === asked.length ? inVain + failed.length : 0;
      if (inVain >= MOST_IN_VAIN) break;
    }
    return errors;
  }

  async #note(name: string, item: Watched, isFresh: boolean): Promise<void> {
    const isFirst = !this.#found.isLookedAt(name);
    const known = this.#found.itemOf(name, item);
    const gone = isFirst ? this.#goneOf(known) : [];
    for (const { txid } of gone) this.#found.unconfirm(txid);
    const next = await this.#look(known, { isFresh: isFresh && isFirst, gone });
    this.#found.finish(this.#api.baseUrl, name, known, next);
  }

  /** The sightings of an item that are not in the chain any more. */
  #goneOf(item: Watched): readonly SeenAt[] {
    const { disconnectedTo = Infinity } = this.#found.view;
    const seen = item.kind === 'script' ? item.confirmed : item.seen === undefined ? [] : [item.seen];
    return seen.filter(({ height }) => height > disconnectedTo);
  }

  async #look(item: Watched, { isFresh, gone }: Look): Promise<Watched> {
    if (item.kind === 'script') return this.#lookAtScript(item, gone);
    const { seen, ...unseen } = item;
    if (seen && gone.length === 0 && !isFresh) return item.kind === 'output' ? this.#shown(item, seen.txid) : item;
    if (unseen.kind === 'output') return this.#lookAtOutput(unseen);
    const found = await this.#confirm(unseen.txid, await this.#api.status(unseen.txid));
    return found ? { ...unseen, seen: found } : unseen;
  }

  async #lookAtOutput({ spender, shownBy = [], ...output }: WatchedOutput): Promise<WatchedOutput> {
    const { txid, vout } = output;
    const outspend = await this.#api.outspend(txid, vout);
    if (!outspend.spent && outspend.isUnknown === true && this.#isInBlock(txid))
      throw badReply(this.#api.baseUrl, 'nothing of a transaction that is in a block');
    // One server's "unspent" is no answer to what another has shown.
    if (!outspend.spent)
      return spender !== undefined && this.#found.isListed(spender) ? { ...output, spender, shownBy } : output;
    if (!outspend.status.confirmed) {
      const isSame = outspend.txid === spender;
      const shown = await this.#shown({ ...output, shownBy: isSame ? shownBy : [] }, outspend.txid);
      if (shown.shownBy?.length === 0) return output;
      this.#found.list(outspend.txid);
      return { ...shown, spender: outspend.txid };
    }
    const seen = await this.#confirm(outspend.txid, outspend.status);
    const transaction = seen && this.#found.confirmed(seen.height, outspend.txid)?.transaction;
    if (transaction) this.#mustSpend(transaction, output);
    return seen ? { ...output, seen, shownBy: [this.#api.baseUrl] } : output;
  }

  #isInBlock(txid: string): boolean {
    const { heightOf, disconnectedTo = Infinity } = this.#found.view;
    const height = heightOf(txid);
    return height !== undefined && height <= disconnectedTo;
  }

  /** With this server's bytes of what spends an output told of too, if it has them. */
  async #shown(output: WatchedOutput, txid: string): Promise<WatchedOutput> {
    const { shownBy = [] } = output;
    const server = this.#api.baseUrl;
    const rawTx = shownBy.includes(server) ? undefined : await this.#api.transaction(txid);
    if (rawTx === undefined) return output;
    const transaction = decodeTransaction(rawTx);
    this.#mustSpend(transaction, output);
    this.#found.spend(transaction, rawTx);
    return { ...output, shownBy: [...shownBy, server] };
  }

  #mustSpend({ inputs }: Transaction, { txid, vout }: WatchedOutput): void {
    const spends = inputs.some((input) => input.vout === vout && explorerTxid(input.txid) === txid);
    if (!spends) throw badReply(this.#api.baseUrl, 'a spending transaction that does not spend');
  }

  /** Fetches and proves a transaction that is said to be in a block of the chain. */
  async #confirm(txid: string, status: TxStatus): Promise<SeenAt | undefined> {
    if (!status.confirmed) return undefined;
    const { blockHeight: height, blockHash } = status;
    const { chain, old, proven } = this.#found.view;
    const isOld = height < chain.lowest;
    const header = isOld ? await old.prove(this.#api, chain, height) : chain.at(height);
    // No block comes to be below the checkpoint any more.
    if (isOld && header?.hash !== blockHash) throw badReply(this.#api.baseUrl, 'a block that is not at its height');
    if (header?.hash !== blockHash) return undefined;
    this.#found.addConfirmed(height, txid, await proven.prove(this.#api, txid, height, header));
    return { txid, height };
  }

  /** Whether there is more than is known, a server's counts say: what only another one has said they are not compared with. */
  async #lookAtScript(item: WatchedScript, gone: readonly SeenAt[]): Promise<WatchedScript> {
    const confirmed = item.confirmed.filter((seen) => !gone.includes(seen));
    const stats = await this.#api.scriptStats(item.script);
    const known = this.#knownOf(confirmed).length;
    const isKnown = stats.confirmed === known && stats.unconfirmed === 0 && item.unconfirmed.length === 0;
    if (isKnown) {
      if (gone.length === 0) return item;
      for (const { txid } of gone) this.#found.drop(txid);
      return { ...item, confirmed };
    }
    const missed = [...item.unconfirmed, ...gone.map(({ txid }) => txid)];
    return this.#readScript({ ...item, confirmed }, stats, missed);
  }

  /** What the wallet knows of a script, or this server has listed: any server can list what has nothing to do with it. */
  #knownOf(confirmed: readonly SeenAt[]): readonly SeenAt[] {
    return confirmed.filter(({ by }) => by === undefined || by.includes(this.#api.baseUrl));
  }

  /** `missed` are dropped if no server has them any more, where all was listed. */
  async #readScript(item: WatchedScript, stats: ScriptStats, missed: readonly string[]): Promise<WatchedScript> {
    const { listed, isWhole } = await this.#scriptTxs(item, stats);
    const confirmed = new Map(item.confirmed.map((seen) => [seen.txid, seen]));
    const unconfirmed = new Set<string>();
    try {
      for (const { txid, status } of listed) {
        if (this.#isOver) throw unavailable(this.#api.baseUrl, 'no answer in time');
        const seen = confirmed.get(txid) ?? (await this.#confirm(txid, status));
        if (seen) confirmed.set(txid, this.#listedHere(seen, confirmed.has(txid)));
        else if (await this.#isUnconfirmed(item, txid, status)) unconfirmed.add(txid);
      }
    } catch (error) {
      this.#keep({ ...item, confirmed: [...confirmed.values()] });
      throw error;
    }
    // What another server has told of just now is there, though this one does not have it.
    for (const txid of item.unconfirmed) if (this.#found.isListed(txid) && !confirmed.has(txid)) unconfirmed.add(txid);
    const unlisted = missed.filter((txid) => !listed.some((entry) => entry.txid === txid));
    for (const txid of unlisted)
      if (isWhole && this.#found.view.asked === 'all') this.#found.drop(txid);
      else unconfirmed.add(txid);
    return { ...item, confirmed: [...confirmed.values()], unconfirmed: [...unconfirmed] };
  }

  /** What is proven of a script that was not read to the end is told with the rest, once. Of what is gone nothing is forgotten. */
  #keep(item: WatchedScript): void {
    if (!this.#isOver && this.#found.view.disconnectedTo === undefined) this.#found.begin(nameOf(item), item);
  }

  #listedHere(seen: SeenAt, isKnown: boolean): SeenAt {
    const { by = [] } = seen;
    if (isKnown && (seen.by === undefined || by.includes(this.#api.baseUrl))) return seen;
    return { ...seen, by: [...by, this.#api.baseUrl] };
  }

  /** One that is said to be in a block that nobody knows waits on: it may turn out to be in none. */
  async #isUnconfirmed(item: WatchedScript, txid: string, { confirmed }: TxStatus): Promise<boolean> {
    return confirmed ? item.unconfirmed.includes(txid) : this.#isInMempool(item, txid);
  }

  /** Whether a transaction is known to be in the mempool, with its bytes: they can come later than its name. */
  async #isInMempool(item: WatchedScript, txid: string): Promise<boolean> {
    const isThere = item.unconfirmed.includes(txid) || (await this.#addToMempool(txid));
    if (isThere) this.#found.list(txid);
    return isThere;
  }

  /**
   * Down to all that the server counts, or to a page that brings nothing: how many a page has is the server's choice. Half a list, of
   * a mempool too, tells of nothing that is missing in it that it is gone.
   */
  async #scriptTxs(
    item: WatchedScript,
    stats: ScriptStats,
  ): Promise<{ readonly listed: readonly ScriptTx[]; readonly isWhole: boolean }> {
    const known = new Set(this.#knownOf(item.confirmed).map(({ txid }) => txid));
    const listed = new Map<string, ScriptTx>();
    let page = await this.#api.scriptTxs(item.script);
    for (let pages = 1; ; pages++) {
      const before = listed.size;
      for (const entry of page) {
        listed.set(entry.txid, entry);
        if (entry.status.confirmed) known.add(entry.txid);
      }
      // Servers that mix both on a page have pages of the mempool's alone, too.
      const last = page.findLast(({ status }) => status.confirmed) ?? page.at(-1);
      if (!last || listed.size === before || known.size >= stats.confirmed || pages === MAX_PAGES) break;
      if (this.#isOver) throw unavailable(this.#api.baseUrl, 'no answer in time');
      page = await this.#api.scriptTxsAfter(item.script, last);
    }
    const waiting = [...listed.values()].filter(({ status }) => !status.confirmed);
    const isWhole = known.size + waiting.length >= stats.confirmed + stats.unconfirmed;
    return { listed: [...listed.values()], isWhole };
  }

  /** Whether it is there then: a server can know that a transaction is in the mempool before it has it. */
  async #addToMempool(txid: string): Promise<boolean> {
    if (this.#found.hasInMempool(txid)) return true;
    const rawTx = await this.#api.transaction(txid);
    if (rawTx) this.#found.addToMempool(txid, decodeTransaction(rawTx));
    return this.#found.hasInMempool(txid);
  }
}

/** What one server cannot answer, and another item's request may be. */
const mayGoOn = (error: unknown): boolean => isChainSourceError(error) && !isRateLimited(error);
