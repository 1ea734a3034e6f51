import { CHAIN_PARAMETERS } from '../edges/chain/chain-parameters.ts';
import type { ToldTip } from '../edges/chain/chain-sync.ts';
import { checkpointHashes } from '../edges/chain/checkpoints.ts';
import { HeaderChain } from '../edges/chain/header-chain.ts';
import { OldHeaders } from '../edges/chain/old-headers.ts';
import type { Network } from '../engine/primitives/network.ts';
import type { StoredRecords, StoreWrites } from '../engine/primitives/store.ts';
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
  #hasUnproven: boolean;

  /** `toldHeight` is the wallet's best block, 0 where it has none. */
  constructor(network: Network, records: StoredRecords, toldHeight: number, onDamaged: OnDamaged = () => undefined) {
    const { rules } = CHAIN_PARAMETERS[network];
    const stored = readHeaders(records, onDamaged);
    const before = stored ?? readUnproven(records, onDamaged);
    const proven = readOldHeaders(records, onDamaged);
    this.chain = stored && HeaderChain.from(rules, stored);
    this.told = before && toldOf(HeaderChain.from(rules, before), toldHeight);
    this.old = new OldHeaders(() => checkpointHashes(network), proven);
    this.#written = this.chain;
    this.#oldWritten = proven.length;
    this.#hasUnproven = records.has(UNPROVEN_HEADERS_KEY);
  }

  /** How many headers of a chain are not stored. */
  unwritten({ tip, lowest }: HeaderChain): number {
    return tip.height - (this.#written?.tip.height ?? lowest - 1);
  }

  /** What a chain has that is not stored; from now on it counts as stored. */
  write(chain: HeaderChain): StoreWrites {
    const above = this.#written?.forkWith(chain) ?? chain.lowest - 1;
    const proven = this.old.proven.slice(this.#oldWritten);
    const writes: StoreWrites = new Map([...writeHeaders(chain.state, above), ...writeOldHeaders(proven)]);
    if (this.#hasUnproven) writes.set(UNPROVEN_HEADERS_KEY, undefined);
    this.#written = chain;
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
