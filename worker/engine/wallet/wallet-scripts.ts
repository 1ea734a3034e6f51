import { toHex } from '../primitives/bytes.ts';
import type { Outpoint } from '../transactions/transaction.ts';
import { among, amongTxids, type Coin } from './coin.ts';
import {
  BRANCHES,
  FOUND_BRANCHES,
  OWN_BRANCHES,
  type Branch,
  type Descriptors,
  type OwnBranch,
  type ScriptOrigin,
} from './descriptors.ts';
import { reachOf, type WalletState } from './wallet-state.ts';

/** So many of the newest addresses are awaited with every block: what comes to the others we send ourselves, or nobody does. */
const AWAITED: ReadonlyMap<Branch, number> = new Map([
  ['receive', 2],
  ['taproot', 1],
]);

/** Scripts watched beyond the last one that ever got a coin, as BIP 44 has it. */
export const GAP_LIMIT = 20;

/** A transaction that the wallet was told of, with the height of its block once it is in one. */
export interface KnownTransaction {
  /** 32 bytes, wire order */
  readonly txid: Uint8Array;
  readonly height?: number;
}

/** The scripts of the on-chain wallet: what the chain is asked for, and what came to them. It changes nothing. */
export class WalletScripts {
  readonly #descriptors: Descriptors;
  readonly #state: () => WalletState;

  constructor(descriptors: Descriptors, state: () => WalletState) {
    this.#descriptors = descriptors;
    this.#state = state;
  }

  /** Every script that the words may have coins on: all handed out, and the gap after the last used of each branch. */
  watched(): Uint8Array[] {
    return this.#of(BRANCHES);
  }

  /** Those of them where a coin may come to a wallet that has searched: no others of BIP 44 and 49 than where something was found. */
  expected(): Uint8Array[] {
    const reach = reachOf(this.#state().coins);
    return this.#of([...OWN_BRANCHES, ...FOUND_BRANCHES.filter((branch) => reach.has(branch))]);
  }

  #of(branches: readonly Branch[]): Uint8Array[] {
    const extent = extents(this.#state());
    return branches.flatMap((branch) =>
      Array.from({ length: extent(branch).watched }, (_, index) => this.#descriptors.script({ branch, index })),
    );
  }

  /**
   * The scripts worth asking the chain for with every block: the newest that were handed out and that nothing came to yet, and one
   * for each transaction that is in no block, which shows what becomes of that.
   */
  awaited(): Uint8Array[] {
    const { cursors, coins } = this.#state();
    const waiting = BRANCHES.flatMap((branch) => {
      const { next, used } = cursors[branch];
      const first = Math.max(used, next - (AWAITED.get(branch) ?? 0));
      return Array.from({ length: Math.max(0, next - first) }, (_, offset) => ({ branch, index: first + offset }));
    });
    const scripts = [...waiting, ...unconfirmedOrigins(coins)].map((origin) => this.#descriptors.script(origin));
    return [...new Set(scripts)];
  }

  /** All that were handed out, the newest of each branch first: whoever has one may pay to it, again or at last. */
  handedOut(): Uint8Array[] {
    const { cursors } = this.#state();
    const origins = BRANCHES.flatMap((branch) => {
      const { next, used } = cursors[branch];
      const count = Math.max(next, used);
      return Array.from({ length: count }, (_, age) => ({ age, origin: { branch, index: count - 1 - age } }));
    });
    return origins.toSorted((one, other) => one.age - other.age).map(({ origin }) => this.#descriptors.script(origin));
  }

  /** The transactions that made or spent the coins of a script, as far as the wallet was told; one can be there twice. */
  transactionsOf(script: Uint8Array): readonly KnownTransaction[] {
    return this.coinsAt(script).flatMap(({ txid, height, spentBy }) => {
      const made: KnownTransaction = height === undefined ? { txid } : { txid, height };
      return spentBy ? [made, spentBy] : [made];
    });
  }

  /** The coins that came to a script, spent or not. */
  coinsAt(script: Uint8Array): readonly Coin[] {
    const origin = this.#descriptors.originOf(script);
    return this.#state().coins.filter(({ branch, index }) => branch === origin?.branch && index === origin.index);
  }

  /** The scripts whose coins one of some transactions made or spent. */
  ofTransactions(txids: readonly Uint8Array[]): Uint8Array[] {
    const isNamed = amongTxids(txids);
    const isOf = ({ txid, spentBy }: Coin): boolean =>
      isNamed(txid) || (spentBy !== undefined && isNamed(spentBy.txid));
    return [...new Set(this.#ofCoins(isOf))];
  }

  /** The scripts of coins, of those that the wallet knows. */
  ofCoins(outpoints: readonly Outpoint[]): Uint8Array[] {
    return this.#ofCoins(among(outpoints));
  }

  #ofCoins(isOne: (coin: Coin) => boolean): Uint8Array[] {
    return this.#state()
      .coins.filter(isOne)
      .map((coin) => this.#descriptors.script(coin));
  }

  /** The next to be handed out. Within the gap limit it never repeats; after that it is the last one again. */
  fresh(branch: OwnBranch): Uint8Array {
    return this.#descriptors.script({ branch, index: extents(this.#state())(branch).fresh });
  }
}

/** The state after a script of the wallet was handed out: from now on somebody may pay to it. */
export function afterHandedOut(state: WalletState, { branch, index }: ScriptOrigin): WalletState {
  const { next, used } = state.cursors[branch];
  if (index < next) return state;
  return { ...state, cursors: { ...state.cursors, [branch]: { next: index + 1, used } } };
}

/** How far a branch goes. */
interface Extent {
  /** The index that is handed out next. */
  readonly fresh: number;
  /** So many of its scripts may get coins. */
  readonly watched: number;
}

function extents({ cursors, coins }: WalletState): (branch: Branch) => Extent {
  const reach = reachOf(coins);
  return (branch) => {
    const { next, used } = cursors[branch];
    // A server that is asked by address could invent payments to the last of them for ever, and a search would not end.
    const reached = Math.min(reach.get(branch) ?? 0, Math.max(next, used + GAP_LIMIT));
    return {
      // A restore from the seed looks no further than the gap: an address beyond it could be lost.
      fresh: Math.min(Math.max(next, reached), used + GAP_LIMIT - 1),
      watched: Math.max(next, Math.max(used, reached) + GAP_LIMIT),
    };
  };
}

/** By transaction: where a coin comes from that it spends, which another one could take, or else one that it makes. */
function unconfirmedOrigins(coins: readonly Coin[]): readonly ScriptOrigin[] {
  const origins = new Map<string, ScriptOrigin>();
  for (const coin of coins) if (coin.height === undefined) origins.set(toHex(coin.txid), coin);
  for (const coin of coins)
    if (coin.spentBy && coin.spentBy.height === undefined) origins.set(toHex(coin.spentBy.txid), coin);
  return [...origins.values()];
}
