import { equalBytes, toHex } from '../primitives/bytes.ts';
import { transactionWeight, type Outpoint, type Transaction } from '../transactions/transaction.ts';
import { among, isConfirmed, type Coin, type PaidWeight } from './coin.ts';
import { BRANCHES, isFound, type Branch, type ScriptOrigin } from './descriptors.ts';
import { lackingSat } from './coin-selection.ts';
import { sumOf } from './wallet-transaction.ts';

/**
 * How far a branch is used: `next` is the first index not handed out yet, `used` the first beyond all that have a coin of a block. One
 * that is in no block may vanish, or was never there: what is handed out after it a restore from the words would not find.
 */
export interface BranchCursor {
  readonly next: number;
  readonly used: number;
}

/** All that the on-chain wallet remembers beside its seed; plain data, stored as it is. */
export interface WalletState {
  readonly cursors: Readonly<Record<Branch, BranchCursor>>;
  readonly coins: readonly Coin[];
  /** Coins set aside for a funding transaction that is not broadcast yet. */
  readonly locked: readonly Outpoint[];
  /** Unconfirmed transactions that make way for what needs their coins more. */
  readonly lent: readonly Lent[];
  readonly bestHeight: number;
}

/** A transaction whose coins claims and children may take that pay at least a feerate, and more than its fee (BIP 125). */
export interface Lent extends PaidWeight {
  readonly txid: Uint8Array;
  readonly feeratePerKw: number;
}

const FRESH: BranchCursor = { next: 0, used: 0 };

export const EMPTY_WALLET: WalletState = {
  cursors: cursorsOf(() => FRESH),
  coins: [],
  locked: [],
  lent: [],
  bestHeight: 0,
};

const ZERO_TXID = new Uint8Array(32);

/** One for each branch. */
export function cursorsOf(cursor: (branch: Branch) => BranchCursor): WalletState['cursors'] {
  return Object.fromEntries(BRANCHES.map((branch) => [branch, cursor(branch)])) as Record<Branch, BranchCursor>;
}

/** The first index of each branch beyond all that have a coin, in a block or not. */
export const reachOf = (coins: readonly Coin[]): ReadonlyMap<Branch, number> => {
  const reach = new Map<Branch, number>();
  for (const { branch, index } of coins) reach.set(branch, Math.max(reach.get(branch) ?? 0, index + 1));
  return reach;
};

/**
 * The state after seeing a transaction, in a block at `height` or (undefined) in the mempool. `origins` tells for each
 * output whether it is the wallet's. A confirmed transaction displaces those that spend the same coins.
 */
export function afterTransaction(
  state: WalletState,
  tx: Transaction,
  txid: Uint8Array,
  height: number | undefined,
  origins: readonly (ScriptOrigin | undefined)[],
): WalletState {
  const isSpent = among(tx.inputs);
  const displaced = state.coins.flatMap((coin) =>
    coin.spentBy && !equalBytes(coin.spentBy.txid, txid) && isSpent(coin) ? [coin.spentBy] : [],
  );
  // Of two unconfirmed transactions neither is known to win: the one seen first stays.
  if (height === undefined && displaced.length > 0) return state;
  const clean = [...new Map(displaced.map(({ txid }) => [toHex(txid), txid])).values()].reduce(afterDropped, state);
  const spentBy = { txid, ...(height === undefined ? {} : { height }) };
  const others = clean.coins
    .filter((coin) => !equalBytes(coin.txid, txid))
    .map((coin): Coin => (isSpent(coin) ? { ...coin, spentBy } : coin));
  const locked = clean.locked.filter((outpoint) => !isSpent(outpoint));
  return withCoins({ ...clean, locked }, [...others, ...coinsOf(clean, tx, spentBy, origins)]);
}

/** The coins that a transaction makes, in a block at a height or in none. */
function coinsOf(
  { coins }: WalletState,
  tx: Transaction,
  at: { readonly txid: Uint8Array; readonly height?: number },
  origins: readonly (ScriptOrigin | undefined)[],
): readonly Coin[] {
  if (origins.every((origin) => origin === undefined)) return [];
  const before = coins.filter((coin) => equalBytes(coin.txid, at.txid));
  const spent = coins.filter(among(tx.inputs));
  // The chain reports a transaction again after a restart: it stays what it was, whether the coins that it spent are known.
  const [known] = before;
  const made = known?.made ?? paidBy(spent, tx);
  const shared = {
    coinbase: tx.inputs.some((input) => equalBytes(input.txid, ZERO_TXID)),
    own: known?.own === true || spent.length > 0,
    trusted: known?.trusted === true || (spent.length === tx.inputs.length && spent.every(isSafe)),
    ...(made === undefined ? {} : { made }),
    ...at,
  };
  return tx.outputs.flatMap(({ amountSat }, vout) => {
    const origin = origins[vout];
    if (origin === undefined) return [];
    const spentBy = before.find((coin) => coin.vout === vout)?.spentBy;
    return { vout, ...origin, amountSat, ...shared, ...(spentBy === undefined ? {} : { spentBy }) };
  });
}

/** Whether what is made of a coin cannot change any more but by our own signature. */
const isSafe = (coin: Coin): boolean =>
  // Whoever relays a signature outside of the witness can change it, and the txid with it.
  !isFound(coin) && (coin.height !== undefined || coin.trusted);

/** The state with other coins, and cursors that go with them. Of a record may be more than its coins tell: an older one forgot some. */
function withCoins(state: WalletState, coins: readonly Coin[]): WalletState {
  const [before, after] = [state.coins, coins].map((each) => reachOf(each.filter(isConfirmed)));
  const cursors = cursorsOf((branch) => {
    const { next, used } = state.cursors[branch];
    const [had = 0, has = 0] = [before?.get(branch), after?.get(branch)];
    return { next, used: has < had ? has : Math.max(used, has) };
  });
  return { ...state, coins, cursors };
}

/** The state after a block with this transaction was disconnected: back in the mempool, as far as one knows. */
export function afterUnconfirmed(state: WalletState, txid: Uint8Array): WalletState {
  const coins = state.coins.map((coin): Coin => {
    const { height, spentBy, ...rest } = coin;
    const stillAt = height === undefined || equalBytes(coin.txid, txid) ? {} : { height };
    if (!spentBy) return { ...rest, ...stillAt };
    return { ...rest, ...stillAt, spentBy: equalBytes(spentBy.txid, txid) ? { txid } : spentBy };
  });
  return withCoins(state, coins);
}

/** The state after a transaction, and all that spent its outputs, is known never to confirm. */
export function afterDropped(state: WalletState, txid: Uint8Array): WalletState {
  const gone = state.coins.filter((coin) => equalBytes(coin.txid, txid));
  const coins = state.coins
    .filter((coin) => !equalBytes(coin.txid, txid))
    .map((coin): Coin => {
      const { spentBy, ...unspent } = coin;
      return spentBy && equalBytes(spentBy.txid, txid) ? unspent : coin;
    });
  const children = gone.flatMap(({ spentBy }) => (spentBy ? [spentBy.txid] : []));
  return children.reduce(afterDropped, withCoins(state, coins));
}

/** The state after the coins of an unconfirmed transaction were lent. What spends no coins any more has none to lend. */
export function afterLent(state: WalletState, lent: Lent): WalletState {
  const isSpent = ({ txid }: Lent): boolean => coinsSpentBy(state, txid).length > 0;
  const others = state.lent.filter((each) => !equalBytes(each.txid, lent.txid) && isSpent(each));
  return { ...state, lent: [...others, lent] };
}

/** The coins that a transaction spends, as far as the wallet was told of it. */
export const coinsSpentBy = ({ coins }: WalletState, txid: Uint8Array): readonly Coin[] =>
  coins.filter(({ spentBy }) => spentBy !== undefined && equalBytes(spentBy.txid, txid));

/** Whether something has spent what a transaction pays to the wallet. */
export const hasSpentChange = ({ coins }: WalletState, txid: Uint8Array): boolean =>
  coins.some((coin) => equalBytes(coin.txid, txid) && coin.spentBy !== undefined);

/** What a transaction pays for that spends nothing but coins of the wallet; of others nobody knows. */
function paidBy(spent: readonly Coin[], tx: Transaction): PaidWeight | undefined {
  if (spent.length < tx.inputs.length) return undefined;
  return { weight: transactionWeight(tx), feeSat: sumOf(spent) - sumOf(tx.outputs) };
}

/**
 * What the unconfirmed transactions lack that coins come from, up to a feerate: who spends the coins pays for all of them, once, or
 * waits with them. What one of them has too much is of use to those before it, and not to those after it.
 */
export function missingSat(
  state: WalletState,
  coins: readonly Coin[],
  feeratePerKw: number,
  known: Map<string, bigint> = new Map(),
): bigint {
  const made = new Map(coins.map((coin) => [toHex(coin.txid), coin]));
  return [...made.values()].reduce((sum, coin) => sum + missingOf(state, coin, feeratePerKw, known), 0n);
}

function missingOf(
  state: WalletState,
  { txid, height, made }: Coin,
  feeratePerKw: number,
  known: Map<string, bigint>,
): bigint {
  if (height !== undefined || made === undefined) return 0n;
  const name = toHex(txid);
  const reckoned = known.get(name);
  if (reckoned !== undefined) return reckoned;
  const spent = state.coins.filter(({ spentBy }) => spentBy !== undefined && equalBytes(spentBy.txid, txid));
  const beforeSat = missingSat(state, spent, feeratePerKw, known);
  const missing = lackingSat({ ...made, feeSat: made.feeSat - beforeSat }, feeratePerKw);
  known.set(name, missing);
  return missing;
}

/**
 * Coins with what each brings at a feerate. What a transaction lacks the largest of its coins bears, and none of the others counts for
 * as much as that one then does: it is taken before them.
 */
export function worthOfEach(state: WalletState, coins: readonly Coin[], feeratePerKw: number): readonly Coin[] {
  const largest = new Map<string, Coin>();
  for (const coin of coins.toSorted((one, other) => Number(one.amountSat - other.amountSat)))
    largest.set(toHex(coin.txid), coin);
  return coins.map((coin) => {
    const missing = missingSat(state, [coin], feeratePerKw);
    const bearer = largest.get(toHex(coin.txid));
    if (missing === 0n || bearer === undefined) return coin;
    const borneSat = bearer.amountSat - missing;
    const mostSat = coin === bearer ? borneSat : borneSat - 1n;
    return { ...coin, amountSat: coin.amountSat < mostSat ? coin.amountSat : mostSat };
  });
}
