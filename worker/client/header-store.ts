import type { ToldTip } from '../edges/chain/chain-sync.ts';
import { HeaderChain } from '../edges/chain/header-chain.ts';
import { OldHeaders } from '../edges/chain/old-headers.ts';
import type { StoredRecords, StoreWrites } from '../engine/primitives/store.ts';
import type { ConfiguredChain } from './configured-chain.ts';
import {
  readHeaders,
  readOldHeaders,
  readUnproven,
  UNPROVEN_HEADERS_KEY,
  writeHeaders,
  writeOldHeaders,
  type OnDamaged,
} from './header-records.ts';

/** Which of the headers are stored, and what is to be stored of those that are not. */
export class HeaderStore {
  /** `undefined` in a wallet that has none yet. */
  readonly chain: HeaderChain | undefined;
  /** What the wallet was told of, in an earlier run. */
  readonly told: ToldTip | undefined;
  readonly old: OldHeaders;
  #written: HeaderChain | undefined;
  #oldWritten: number;
  #toldHeight: number;
  #hasUnproven: boolean;

  /** `toldHeight` is the wallet's best block, 0 where it has none. */
  constructor({ rules, oldHashes }: ConfiguredChain, records: StoredRecords, toldHeight: number, onDamaged: OnDamaged) {
    const stored = readHeaders(records, onDamaged);
    const before = readUnproven(records, onDamaged) ?? stored;
    const proven = readOldHeaders(records, onDamaged);
    this.chain = stored && HeaderChain.from(rules, stored);
    this.told = before && toldOf(HeaderChain.from(rules, before), toldHeight);
    this.#toldHeight = this.told?.height ?? toldHeight;
    this.old = new OldHeaders(oldHashes, proven);
    this.#written = this.chain;
    this.#oldWritten = proven.length;
    this.#hasUnproven = records.has(UNPROVEN_HEADERS_KEY);
  }

  /** The block that the wallet was told of last; 0 before the first. Where its own record of that is lost, the headers know. */
  get toldHeight(): number {
    return this.#toldHeight;
  }

  /** How many headers of a chain are not stored, and may be before the wallet is told: what it was told of stays until then. */
  unwritten(chain: HeaderChain): number {
    const stored = this.#written;
    if (stored === undefined) return chain.tip.height - chain.lowest + 1;
    const fork = stored.forkWith(chain) ?? 0;
    return fork < Math.min(this.#toldHeight, stored.tip.height) ? 0 : chain.tip.height - stored.tip.height;
  }

  /** What a chain has that is not stored; from now on it counts as stored. */
  write(chain: HeaderChain): StoreWrites {
    const above = this.#written?.forkWith(chain) ?? chain.lowest - 1;
    this.#written = chain;
    return new Map(writeHeaders(chain.state, above));
  }

  /** As `write`, where the wallet is told of the chain. */
  tell(chain: HeaderChain): StoreWrites {
    const proven = this.old.proven.slice(this.#oldWritten);
    const writes: StoreWrites = new Map([...this.write(chain), ...writeOldHeaders(proven)]);
    if (this.#hasUnproven) writes.set(UNPROVEN_HEADERS_KEY, undefined);
    this.#toldHeight = chain.tip.height;
    this.#oldWritten += proven.length;
    this.#hasUnproven = false;
    return writes;
  }
}

/** Where the wallet does not know how far it was told, it was to the end. */
const toldOf = (headers: HeaderChain, toldHeight: number): ToldTip => ({
  headers: toldHeight === 0 ? headers : headers.upTo(toldHeight),
  height: toldHeight === 0 ? headers.tip.height : toldHeight,
});
