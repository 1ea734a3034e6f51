import { toHex } from '../../engine/primitives/bytes.ts';
import { decodeHeader, type BlockHeader } from './block-header.ts';
import { badReply } from './chain-source-error.ts';
import type { EsploraApi } from './esplora-api.ts';
import type { HeaderChain } from './header-chain.ts';

/** A header of 80 bytes and its place. */
export interface PlacedHeader {
  readonly height: number;
  readonly header: Uint8Array;
}

/** Blocks between two checkpoints; they are the last of such a period. */
export const CHECKPOINT_INTERVAL = 2016;

/**
 * The hashes of the last blocks of all periods below the chain's first header, the lowest first: 16 bytes of each in the order
 * that explorers show, the last ones, for a hash begins with zeros.
 */
export type LoadCheckpoints = () => Promise<Uint8Array>;

/**
 * Headers below the first of the chain. Each is proven by the headers that lead from it up to the next block whose hash is known,
 * so that neither its place nor its content is a server's word.
 */
export class OldHeaders {
  readonly #load: LoadCheckpoints;
  #hashes: Uint8Array | undefined;
  /** Of each period the part that is proven in this run, from its end downwards. */
  readonly #runs = new Map<number, BlockHeader[]>();
  /** What was asked for and proven, in an earlier run too. */
  readonly #proven = new Map<number, BlockHeader>();
  /** One after the other with each server: two that need the same period would ask for it twice. */
  readonly #walking = new Map<string, Promise<unknown>>();

  constructor(load: LoadCheckpoints, proven: readonly PlacedHeader[] = []) {
    this.#load = load;
    for (const { height, header } of proven) {
      const decoded = decodeHeader(header);
      if (decoded) this.#proven.set(height, decoded);
    }
  }

  /** What is proven, for a next run. */
  get proven(): readonly PlacedHeader[] {
    return [...this.#proven].map(([height, { raw }]) => ({ height, header: raw }));
  }

  /** As far as it is proven. */
  at(height: number): BlockHeader | undefined {
    return this.#proven.get(height);
  }

  /**
   * The header at a height below the chain's first. Throws the `ChainSource` errors, `ChainSourceBadReply` for headers that do not
   * lead to the block that is known.
   */
  prove(api: EsploraApi, chain: HeaderChain, height: number): Promise<BlockHeader> {
    const before = this.#walking.get(api.baseUrl) ?? Promise.resolve();
    const walk = before.then(() => this.#prove(api, chain, height));
    this.#walking.set(
      api.baseUrl,
      walk.catch(() => undefined),
    );
    return walk;
  }

  async #prove(api: EsploraApi, chain: HeaderChain, height: number): Promise<BlockHeader> {
    const known = this.#proven.get(height);
    if (known) return known;
    const { length } = await this.#knownHashes();
    // Where no hashes are known, all below is linked to the chain's first.
    const end = length === 0 ? chain.lowest - 1 : Math.min(endOfPeriod(height), chain.lowest - 1);
    const run = this.#runs.get(end) ?? [];
    this.#runs.set(end, run);
    while (end - run.length >= height) await this.#walkDown(api, chain, end, run);
    const header = run[end - height];
    if (!header) throw badReply(api.baseUrl, 'no block at a height below its tip');
    this.#proven.set(height, header);
    return header;
  }

  async #knownHashes(): Promise<Uint8Array> {
    return (this.#hashes ??= await this.#load());
  }

  /** What a page brings is proven header by header, and stays where a later page fails. */
  async #walkDown(api: EsploraApi, chain: HeaderChain, end: number, run: BlockHeader[]): Promise<void> {
    const top = end - run.length;
    const page = await api.headersDownFrom(top);
    if (page.length === 0) throw badReply(api.baseUrl, 'no blocks below its tip');
    const hashes = await this.#knownHashes();
    for (const { height, header } of page) {
      // Another server has told of it meanwhile.
      if (end - run.length !== height) continue;
      if (!isNext(chain, hashes, end, run.at(-1), header)) throw badReply(api.baseUrl, 'blocks that do not link');
      run.push(header);
    }
  }
}

function isNext(
  chain: HeaderChain,
  hashes: Uint8Array,
  end: number,
  above: BlockHeader | undefined,
  header: BlockHeader,
): boolean {
  if (above) return above.previousHash === header.hash;
  if (end === chain.lowest - 1) return chain.at(chain.lowest)?.previousHash === header.hash;
  const at = ((end + 1) / CHECKPOINT_INTERVAL - 1) * 16;
  return toHex(hashes.subarray(at, at + 16)) === header.hash.slice(32);
}

const endOfPeriod = (height: number): number =>
  (Math.floor(height / CHECKPOINT_INTERVAL) + 1) * CHECKPOINT_INTERVAL - 1;
