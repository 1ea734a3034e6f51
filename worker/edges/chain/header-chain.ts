import type { Network } from '../../engine/primitives/network.ts';
import { GlowwormError } from '../../engine/primitives/errors.ts';
import { decodeHeader, hasProofOfWork, targetOfBits, type BlockHeader } from './block-header.ts';

/** A block that is taken as given: everything after it must link to it. */
export interface Checkpoint {
  readonly height: number;
  /** 80 bytes */
  readonly header: Uint8Array;
}

/** What a header chain keeps over a restart: headers of 80 bytes, the first at `height`. */
export interface HeaderChainState {
  readonly height: number;
  readonly headers: readonly Uint8Array[];
}

export interface ChainTip {
  readonly height: number;
  readonly header: BlockHeader;
}

/** The easiest target of each network, as bits. */
const LIMIT_BITS: Readonly<Record<Network, number>> = {
  bitcoin: 0x1d00_ffff,
  testnet: 0x1d00_ffff,
  signet: 0x1e03_77ae,
  regtest: 0x207f_ffff,
};
const RETARGET_INTERVAL = 2016;
/** Deeper reorganisations than this end at the oldest header kept, and are refused. */
const KEPT = 2016;

/**
 * The newest headers of the best chain, all linked and with their proof of work. Immutable: `extend` makes a new one, so
 * that a sync that fails half-way leaves nothing behind.
 */
export class HeaderChain {
  readonly #network: Network;
  readonly #first: number;
  readonly #headers: readonly BlockHeader[];

  private constructor(network: Network, first: number, headers: readonly BlockHeader[]) {
    this.#network = network;
    this.#first = first;
    this.#headers = headers;
  }

  /** Throws `HeadersInvalid` where the stored headers do not link. */
  static from(network: Network, state: HeaderChainState | Checkpoint): HeaderChain {
    const [first, ...rest] = ('headers' in state ? state.headers : [state.header]).map((raw) => decodeHeader(raw));
    if (!first) throw invalid(state.height, 'there is no header to start from');
    const start = new HeaderChain(network, state.height, [first]);
    const headers = rest.map((header) => {
      if (!header) throw invalid(state.height, 'a header has 80 bytes');
      return header;
    });
    return headers.length === 0 ? start : start.extend(state.height, headers);
  }

  get state(): HeaderChainState {
    return { height: this.#first, headers: this.#headers.map(({ raw }) => raw) };
  }

  get tip(): ChainTip {
    const header = this.#headers.at(-1);
    if (!header) throw invalid(this.#first, 'a chain has a header');
    return { height: this.#first + this.#headers.length - 1, header };
  }

  /** Lowest height that is known. */
  get lowest(): number {
    return this.#first;
  }

  at(height: number): BlockHeader | undefined {
    return this.#headers[height - this.#first];
  }

  /** Whether a block is in the chain. */
  has(height: number, hash: string): boolean {
    return this.at(height)?.hash === hash;
  }

  /**
   * The chain whose blocks above `forkHeight` are replaced by these, lowest first. Throws `HeadersInvalid` for a header
   * that does not link, has no proof of work or an impossible target, and for a chain with less work than this one.
   */
  extend(forkHeight: number, headers: readonly BlockHeader[]): HeaderChain {
    const kept = this.#headers.slice(0, forkHeight - this.#first + 1);
    let previous = kept.at(-1);
    if (!previous || kept.length !== forkHeight - this.#first + 1)
      throw invalid(forkHeight, 'the fork is below the oldest header that is known');
    for (const [index, header] of headers.entries()) {
      this.#check(previous, header, forkHeight + 1 + index);
      previous = header;
    }
    const replaced = this.#headers.slice(kept.length);
    if (work(headers) < work(replaced)) throw invalid(forkHeight, 'the chain has less work than the one before');
    const all = [...kept, ...headers];
    const surplus = Math.max(0, all.length - KEPT);
    return new HeaderChain(this.#network, this.#first + surplus, all.slice(surplus));
  }

  #check(previous: BlockHeader, header: BlockHeader, height: number): void {
    if (header.previousHash !== previous.hash) throw invalid(height, 'it does not link to the one before');
    if (!hasProofOfWork(header)) throw invalid(height, 'it has no proof of work');
    if (!this.#permits(previous.bits, header.bits, height)) throw invalid(height, 'its target is too easy');
  }

  /** The consensus rules as far as they can be checked without the whole period: no step is easier than they allow. */
  #permits(before: number, bits: number, height: number): boolean {
    const [limit, old, target] = [LIMIT_BITS[this.#network], before, bits].map(targetOfBits);
    if (limit === undefined || old === undefined || target === undefined || target > limit) return false;
    // On testnet a block after 20 minutes may have the easiest target, and the next one returns to the real one.
    if (this.#network === 'testnet') return true;
    if (this.#network === 'regtest' || height % RETARGET_INTERVAL !== 0) return bits === before;
    return target <= old * 4n && target >= old / 4n - (old >> 12n);
  }
}

function work(headers: readonly BlockHeader[]): bigint {
  return headers.reduce((sum, { bits }) => sum + (1n << 256n) / ((targetOfBits(bits) ?? 0n) + 1n), 0n);
}

const invalid = (height: number, why: string): GlowwormError =>
  new GlowwormError('HeadersInvalid', `the header of block ${height} is refused: ${why}`, { height });
