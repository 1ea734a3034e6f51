import { equalBytes } from '../primitives/bytes.ts';
import { GlowwormError } from '../primitives/errors.ts';
import type { Outpoint } from '../transactions/transaction.ts';
import { compareOutpoints, isSameOutpoint, type Coin } from './coin.ts';
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
    if (isSettled(state, coins)) return taken;
    const rivals = free.filter((coin) => isRival(state, coin, coins));
    if (rivals.some((coin) => taken.includes(coin))) return taken;
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

export const earlierUnsettled = (): GlowwormError =>
  new GlowwormError(
    'EarlierPaymentUnsettled',
    'An earlier payment was refused by the servers, but could still arrive, and what would rule that out is under way. Try again after the next block.',
  );

/** One of its coins is spent in a block; or the wallet knows of none of them any more, and none can be waited for. */
function isSettled(state: WalletState, coins: readonly Outpoint[]): boolean {
  const known = state.coins.filter((coin) => coins.some((each) => isSameOutpoint(each, coin)));
  return known.length === 0 || known.some(({ spentBy }) => spentBy?.height !== undefined);
}

const isRival = (state: WalletState, coin: Coin, coins: readonly Outpoint[]): boolean =>
  coins.some((each) => isSameOutpoint(each, coin)) ||
  (coin.height === undefined &&
    state.coins.some(
      (each) => each.spentBy !== undefined && equalBytes(each.spentBy.txid, coin.txid) && isRival(state, each, coins),
    ));
