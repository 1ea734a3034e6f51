import { toHex } from '../primitives/bytes.ts';
import { GlowwormError } from '../primitives/errors.ts';
import type { Outpoint } from '../transactions/transaction.ts';
import { among, amongTxids, compareOutpoints, type Coin } from './coin.ts';
import type { WalletState } from './wallet-state.ts';

/**
 * Coins without which an earlier payment and a new one could both be in the chain: one of each earlier payment's own, or one that
 * is only there if another transaction spends one of those. Throws `EarlierPaymentUnsettled` where one has none that is free.
 */
export function rivalCoins(
  state: WalletState,
  free: readonly Coin[],
  earlier: readonly (readonly Outpoint[])[],
): readonly Coin[] {
  return earlier.reduce<readonly Coin[]>((taken, coins) => {
    const rivals = rivalsOf(state, free, coins);
    if (rivals === undefined || rivals.some((coin) => taken.includes(coin))) return taken;
    const [first] = rivals.toSorted(
      (a, b) =>
        Number(a.height === undefined) - Number(b.height === undefined) ||
        Number(b.amountSat - a.amountSat) ||
        compareOutpoints(a, b),
    );
    if (first === undefined) throw earlierUnsettled();
    return [...taken, first];
  }, []);
}

/** Whether what spends some coins need not fear to be beside any of some earlier payments, see `rivalCoins`. */
export const areRuledOut = (
  state: WalletState,
  spent: readonly Coin[],
  earlier: readonly (readonly Outpoint[])[],
): boolean => earlier.every((coins) => rivalsOf(state, spent, coins)?.length !== 0);

/** Those of some coins that rule an earlier payment out; `undefined` where nothing has to. */
function rivalsOf(state: WalletState, some: readonly Coin[], coins: readonly Outpoint[]): readonly Coin[] | undefined {
  const isOwn = among(coins);
  if (isSettled(state.coins.filter(isOwn))) return undefined;
  const made = spenders(state, isOwn, amongTxids(coins.map(({ txid }) => txid)));
  return some.filter((coin) => isOwn(coin) || (coin.height === undefined && made.has(toHex(coin.txid))));
}

export const earlierUnsettled = (): GlowwormError =>
  new GlowwormError(
    'EarlierPaymentUnsettled',
    'An earlier payment was refused by the servers, but could still arrive, and what would rule that out is under way. Try again after the next block, or pay a smaller sum.',
  );

/** One of its coins is spent in a block; or the wallet knows of none of them any more, and none can be waited for. */
const isSettled = (known: readonly Coin[]): boolean =>
  known.length === 0 || known.some(({ spentBy }) => spentBy?.height !== undefined);

/**
 * The transactions that rule an earlier payment out: what spends one of its coins, and what comes after that. What made a coin of it
 * does not: the payment may come after that, too.
 */
function spenders(
  { coins }: WalletState,
  isOwn: (coin: Coin) => boolean,
  isBefore: (txid: Uint8Array) => boolean,
): ReadonlySet<string> {
  const spent = coins.flatMap(({ spentBy, ...coin }) =>
    spentBy === undefined || isBefore(spentBy.txid) ? [] : [{ coin, by: toHex(spentBy.txid) }],
  );
  const found = new Set(spent.filter(({ coin }) => isOwn(coin)).map(({ by }) => by));
  for (const txid of found)
    for (const { coin, by } of spent) if (coin.height === undefined && toHex(coin.txid) === txid) found.add(by);
  return found;
}
