import type { BlockHeader } from './block-header.ts';
import { badReply, tooLate } from './chain-source-error.ts';
import type { EsploraApi } from './esplora-api.ts';
import type { HeaderChain } from './header-chain.ts';

/** So many blocks are asked for one by one before a server's height is. */
const SINGLE = 3;
/** What Esplora's servers have on a page; others have more or fewer. */
const PAGE = 10;

/** Throws where a server's time is over: it could go on for ever with answers that lead nowhere. */
type InTime = () => void;

/**
 * Follows servers to their tips and keeps the chain of most work. What a server has told stays, whether or not it answers to the
 * end: the next attempt, with it or another, goes on from there.
 */
export class HeaderSync {
  readonly #now: () => number;
  readonly #onBest: (best: HeaderChain) => void;
  #best: HeaderChain;
  /** A branch that has not more work than the best one, yet. */
  #branch: HeaderChain | undefined;

  /** `now` is in milliseconds since 1970. */
  constructor(best: HeaderChain, now: () => number, onBest: (best: HeaderChain) => void) {
    this.#best = best;
    this.#now = now;
    this.#onBest = onBest;
  }

  /** The chain of most work; of two with the same work the one that came first. */
  get best(): HeaderChain {
    return this.#best;
  }

  /**
   * Asks for the headers up to a server's tip, for so many milliseconds: a slow one may not keep others from being asked. Whether
   * `best` ends there is for the caller to see: a server can be behind, too. Throws the `ChainSource` errors, and `HeadersInvalid`
   * for a chain that breaks the rules.
   */
  async follow(api: EsploraApi, tipHash: string, forMs: number = Infinity): Promise<void> {
    const until = this.#now() + forMs;
    const inTime: InTime = () => {
      if (this.#now() >= until) throw tooLate(api.baseUrl);
    };
    if (this.#best.tip.header.hash === tipHash || (await this.#followByHash(api, tipHash, inTime))) return;
    const tipHeight = await api.tipHeight();
    let chain = await this.#commonWith(api, tipHeight, inTime);
    for (let size = PAGE; chain.tip.height < tipHeight && this.#now() < until;) {
      const { height } = chain.tip;
      const page = await api.headersDownFrom(Math.min(height + size, tipHeight));
      if (page.length === 0) throw badReply(api.baseUrl, 'no blocks below its tip');
      // By what came: servers have pages of ten and of fifteen. One that does not reach down tells how many there are.
      size = page.length;
      const reachesDown = (page.at(-1)?.height ?? 0) <= height + 1;
      if (!reachesDown) continue;
      const above = page.filter((each) => each.height > height).map(({ header }) => header);
      chain = this.#extended(chain, above.toReversed());
      this.#take(chain);
    }
  }

  /** Whether the tip is a few blocks above what is known. */
  async #followByHash(api: EsploraApi, tipHash: string, inTime: InTime): Promise<boolean> {
    const { header: tip } = this.#best.tip;
    const added: BlockHeader[] = [];
    for (let hash = tipHash; hash !== tip.hash;) {
      const header = added.length === SINGLE ? undefined : await api.header(hash);
      if (!header) return false;
      inTime();
      added.unshift(header);
      hash = header.previousHash;
    }
    if (this.#best.tip.header.hash !== tip.hash) return this.#followByHash(api, tipHash, inTime);
    this.#take(this.#extended(this.#best, added));
    return true;
  }

  #extended(chain: HeaderChain, headers: readonly BlockHeader[]): HeaderChain {
    return chain.extend(chain.tip.height, headers, this.#now() / 1000);
  }

  /** The highest chain that is known and that the server has too: what is left of a branch, or of the best chain. */
  async #commonWith(api: EsploraApi, tipHeight: number, inTime: InTime): Promise<HeaderChain> {
    const branch = this.#branch;
    if (branch && branch.tip.height <= tipHeight && (await hasBlock(api, branch, branch.tip.height))) return branch;
    return this.#best.upTo(await forkHeight(api, this.#best, Math.min(tipHeight, this.#best.tip.height), inTime));
  }

  #take(chain: HeaderChain): void {
    this.#branch = chain;
    if (!chain.isHeavierThan(this.#best)) return;
    this.#branch = undefined;
    this.#best = chain;
    this.#onBest(chain);
  }
}

async function hasBlock(api: EsploraApi, chain: HeaderChain, height: number): Promise<boolean> {
  const hash = await api.blockHash(height);
  return hash !== undefined && chain.has(height, hash);
}

/** The highest block up to a height that a server has too: by steps down that double, and a search between the last two. */
async function forkHeight(api: EsploraApi, chain: HeaderChain, height: number, inTime: InTime): Promise<number> {
  let [common, other] = [height, height + 1];
  for (let step = 1; !(await hasBlock(api, chain, common)); step *= 2) {
    inTime();
    if (common <= chain.lowest) throw badReply(api.baseUrl, 'a chain without the block that all others link to');
    [common, other] = [Math.max(chain.lowest, common - step), common];
  }
  while (other - common > 1) {
    inTime();
    const middle = (common + other) >> 1;
    if (await hasBlock(api, chain, middle)) common = middle;
    else other = middle;
  }
  return common;
}
