import type { WatchList } from '../edges/chain/watch-list.ts';
import type { EntropySource } from '../engine/keys/ports.ts';
import { toHex } from '../engine/primitives/bytes.ts';
import type { Outpoint } from '../engine/transactions/transaction.ts';
import type { OnchainWallet } from '../engine/wallet/wallet.ts';

/** So many of the scripts that nothing is awaited at are asked for at a start: half of them the newest. */
const AT_ONCE = 24;

export interface WatchedScriptsParts {
  readonly wallet: OnchainWallet;
  readonly watchList: WatchList;
  readonly entropy: EntropySource;
  /** Those that no descriptor of the wallet makes. */
  readonly others: readonly Uint8Array[];
  /** The coins of payments that were taken back or replaced: one of each shows whether it comes all the same. */
  readonly contested: () => readonly (readonly Outpoint[])[];
  /** Whether every server that answers has told of all that is asked for: one alone may lie, or have no history yet. */
  readonly isHeardOut: () => boolean;
  /** Whether the words may have coins that the wallet does not know of. */
  readonly isSearching: boolean;
}

/**
 * Which scripts of the wallet the chain is asked for. All that were ever handed out are, and the gap after them: with every block where
 * something is awaited, in turn otherwise. While the coins of restored words are looked for, it is all that may have some.
 */
export class WatchedScripts {
  readonly #parts: WatchedScriptsParts;
  /** In the list of those that are asked for with every block, by name. */
  readonly #asked = new Map<string, Uint8Array>();
  /** Those that rest, or will once they were asked for. */
  readonly #rested = new Set<string>();
  #isSearching: boolean;

  constructor(parts: WatchedScriptsParts) {
    this.#parts = parts;
    this.#isSearching = parts.isSearching;
  }

  start(): void {
    if (!this.#isSearching) for (const script of this.#turned(this.#handedOut())) this.#rest(script);
    this.look();
  }

  /** Somebody has come, or come back: which of many scripts are asked for now is left to chance, and so all in time. */
  look(): void {
    const handedOut = this.#handedOut();
    const some = [...handedOut.slice(0, AT_ONCE / 2), ...this.#turned(handedOut).slice(0, AT_ONCE / 2)];
    if (!this.#isSearching) for (const script of some) this.#ask(script);
    this.changed();
  }

  /** Addresses were handed out, or there is news of the chain. */
  changed(): void {
    for (const script of this.#awaited()) this.#ask(script);
    if (this.#isSearching) return;
    for (const script of this.#parts.wallet.scripts.expected()) this.#rest(script);
  }

  /** The wallet has taken in transactions in blocks, however it heard of them. */
  confirmed(txids: readonly Uint8Array[]): void {
    const { wallet, watchList } = this.#parts;
    for (const script of wallet.scripts.ofTransactions(txids))
      watchList.knowScript(script, wallet.scripts.transactionsOf(script));
  }

  /** Everything registered was asked for: what nothing is awaited at rests. Gives whether a search ends with this. */
  synced(): boolean {
    const isSearch = this.#isSearching;
    if (isSearch && !this.#parts.isHeardOut()) return false;
    this.#isSearching = false;
    const awaited = new Set(this.#awaited().map(toHex));
    const over = [...this.#asked].filter(([name]) => !awaited.has(name));
    if (over.length === 0) return isSearch;
    const { wallet, watchList, others } = this.#parts;
    const watched = new Set([...wallet.scripts.expected(), ...others].map(toHex));
    for (const [name, script] of over) {
      this.#asked.delete(name);
      if (watched.has(name)) watchList.restScript(script, wallet.scripts.transactionsOf(script));
      else watchList.unregisterScript(script);
    }
    return isSearch;
  }

  #awaited(): readonly Uint8Array[] {
    const { wallet, others, contested } = this.#parts;
    if (this.#isSearching) return [...wallet.scripts.watched(), ...others];
    return [...wallet.scripts.awaited(), ...contested().flatMap((coins) => wallet.scripts.ofCoins(coins).slice(0, 1))];
  }

  #handedOut(): readonly Uint8Array[] {
    return [...this.#parts.wallet.scripts.handedOut(), ...this.#parts.others];
  }

  /** From anywhere in a list to its end, and then from its beginning. */
  #turned(scripts: readonly Uint8Array[]): readonly Uint8Array[] {
    const [first = 0, second = 0] = this.#parts.entropy.getSecureRandomBytes();
    const at = ((first << 8) | second) % Math.max(1, scripts.length);
    return [...scripts.slice(at), ...scripts.slice(0, at)];
  }

  #ask(script: Uint8Array): void {
    const { wallet, watchList } = this.#parts;
    const name = toHex(script);
    if (this.#asked.has(name)) return;
    this.#asked.set(name, script);
    this.#rested.add(name);
    watchList.registerScript(script, wallet.scripts.transactionsOf(script));
  }

  #rest(script: Uint8Array): void {
    const { wallet, watchList } = this.#parts;
    const name = toHex(script);
    if (this.#rested.has(name)) return;
    this.#rested.add(name);
    watchList.restScript(script, wallet.scripts.transactionsOf(script));
  }
}
