import { equalBytes } from '../../engine/primitives/bytes.ts';
import { GlowwormError } from '../../engine/primitives/errors.ts';
import {
  decodeHeader,
  difficultyOf,
  hasProofOfWork,
  targetOfBits,
  type BlockHeader,
  type Difficulty,
} from './block-header.ts';
import { brokenRule, isAhead, type DifficultyRules } from './difficulty.ts';

/** What a header chain keeps over a restart: headers of 80 bytes, the first at `height`. */
export interface HeaderChainState {
  readonly height: number;
  readonly headers: readonly Uint8Array[];
}

export interface ChainTip {
  readonly height: number;
  readonly header: BlockHeader;
}

/**
 * All headers from one that is taken as given up to a tip: linked, with their proof of work, and by the rules of their chain.
 * Immutable: `extend` makes a new one, so that what fails half-way leaves nothing behind.
 */
export class HeaderChain {
  readonly #rules: DifficultyRules;
  readonly #first: number;
  readonly #raw: readonly Uint8Array[];
  readonly tip: ChainTip;

  private constructor(rules: DifficultyRules, first: number, raw: readonly Uint8Array[]) {
    const header = raw.at(-1) && decodeHeader(raw.at(-1) ?? new Uint8Array());
    if (!header) throw invalid(first, 'there is no header to start from');
    this.#rules = rules;
    this.#first = first;
    this.#raw = raw;
    this.tip = { height: first + raw.length - 1, header };
  }

  /** From what was given or checked before. Throws `HeadersInvalid` without a header. */
  static from(rules: DifficultyRules, { height, headers }: HeaderChainState): HeaderChain {
    return new HeaderChain(rules, height, headers);
  }

  get state(): HeaderChainState {
    return { height: this.#first, headers: this.#raw };
  }

  /** Lowest height that is known. */
  get lowest(): number {
    return this.#first;
  }

  at(height: number): BlockHeader | undefined {
    const raw = this.#raw[height - this.#first];
    return raw && decodeHeader(raw);
  }

  /** Whether a block is in the chain. */
  has(height: number, hash: string): boolean {
    return this.at(height)?.hash === hash;
  }

  /**
   * The chain whose blocks above `forkHeight` are replaced by these, lowest first, whatever their work. Throws
   * `HeadersInvalid` for a header that does not link, has no proof of work, breaks the rules of time and target, or is too far
   * ahead of `now` (seconds since 1970).
   */
  extend(forkHeight: number, headers: readonly BlockHeader[], now: number = Infinity): HeaderChain {
    const raw = this.#raw.slice(0, forkHeight - this.#first + 1);
    let previous = this.at(forkHeight);
    if (!previous) throw invalid(forkHeight, 'the fork is below the oldest header that is known');
    const difficultyAt = (height: number): Difficulty | undefined => {
      const found = raw[height - this.#first];
      return found && difficultyOf(found);
    };
    for (const header of headers) {
      const height = this.#first + raw.length;
      if (header.previousHash !== previous.hash) throw invalid(height, 'it does not link to the one before');
      if (!hasProofOfWork(header)) throw invalid(height, 'it has no proof of work');
      const broken = brokenRule(this.#rules, height, header, difficultyAt);
      if (broken !== undefined) throw invalid(height, broken);
      if (isAhead(this.#rules, header, now))
        throw invalid(height, 'its time is more than two hours ahead of this device. Is its clock right?');
      raw.push(header.raw);
      previous = header;
    }
    return new HeaderChain(this.#rules, this.#first, raw);
  }

  /** The chain up to a height; up to its first header at least. */
  upTo(height: number): HeaderChain {
    const count = Math.max(1, height - this.#first + 1);
    return count >= this.#raw.length ? this : new HeaderChain(this.#rules, this.#first, this.#raw.slice(0, count));
  }

  /** The highest block that both chains have; `undefined` if there is none. */
  forkWith(other: HeaderChain): number | undefined {
    const isCommon = (height: number): boolean => {
      const [ours, theirs] = [this.#raw[height - this.#first], other.#raw[height - other.#first]];
      return ours !== undefined && theirs !== undefined && equalBytes(ours, theirs);
    };
    let [common, above] = [Math.max(this.#first, other.#first), Math.min(this.tip.height, other.tip.height) + 1];
    if (above <= common || !isCommon(common)) return undefined;
    // Chains that have a block in common have all below it.
    while (above - common > 1) {
      const middle = (common + above) >> 1;
      if (isCommon(middle)) common = middle;
      else above = middle;
    }
    return common;
  }

  /** Whether this chain has more work than another that begins with the same block: equal work does not take its place. */
  isHeavierThan(other: HeaderChain): boolean {
    const fork = this.forkWith(other) ?? this.#first - 1;
    return this.#workAbove(fork) > other.#workAbove(fork);
  }

  #workAbove(height: number): bigint {
    const works = new Map<number, number>();
    for (const raw of this.#raw.slice(Math.max(0, height - this.#first + 1))) {
      const { bits } = difficultyOf(raw);
      works.set(bits, (works.get(bits) ?? 0) + 1);
    }
    return [...works].reduce((sum, [bits, count]) => sum + workOf(bits) * BigInt(count), 0n);
  }
}

/** The hashes that it takes on average to find a block of this difficulty. */
function workOf(bits: number): bigint {
  const target = targetOfBits(bits) ?? 0n;
  return (1n << 256n) / (target + 1n);
}

const invalid = (height: number, why: string): GlowwormError =>
  new GlowwormError('HeadersInvalid', `The header of block ${height} is refused: ${why}.`, { height });
