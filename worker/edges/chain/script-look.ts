import { decodeTransaction } from '../../engine/transactions/transaction.ts';
import { tooLate } from './chain-source-error.ts';
import type { EsploraApi } from './esplora-api.ts';
import type { ScriptStats, ScriptTx, TxStatus } from './esplora-reply.ts';
import type { RoundFindings } from './round-findings.ts';
import { sightingOf } from './sighting.ts';
import { nameOf, type SeenAt, type WatchedScript } from './watch-list.ts';

/** Of one script's history: whoever pays to it so often pays for it. */
const MOST_PAGES = 400;

/** Looks at the histories of scripts through one server, at one state of the chain. */
export class ScriptLook {
  readonly #api: EsploraApi;
  readonly #found: RoundFindings;
  readonly #isOver: () => boolean;

  /** Throws in the middle of a history once `isOver`. */
  constructor(api: EsploraApi, found: RoundFindings, isOver: () => boolean) {
    this.#api = api;
    this.#found = found;
    this.#isOver = isOver;
  }

  /** Whether there is more than is known, a server's counts say: what only another one has said they are not compared with. */
  async look(item: WatchedScript, gone: readonly SeenAt[]): Promise<WatchedScript> {
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
        if (this.#isOver()) throw tooLate(this.#api.baseUrl);
        const seen = confirmed.get(txid) ?? (await sightingOf(this.#api, this.#found, txid, status));
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
    if (!this.#isOver() && this.#found.view.disconnectedTo === undefined) this.#found.begin(nameOf(item), item);
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
      if (!last || listed.size === before || known.size >= stats.confirmed || pages === MOST_PAGES) break;
      if (this.#isOver()) throw tooLate(this.#api.baseUrl);
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
