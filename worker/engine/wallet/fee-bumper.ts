import { equalBytes } from '../primitives/bytes.ts';
import { assert, GlowwormError } from '../primitives/errors.ts';
import {
  encodeTransaction,
  transactionId,
  transactionWeight,
  type Transaction,
  type TransactionOutput,
} from '../transactions/transaction.ts';
import {
  CHANGE_DUST_SAT,
  CHANGE_WEIGHT,
  INPUT_WEIGHT,
  lackingSat,
  OVERHEAD_WEIGHT,
  reserveValueSat,
  selectCoins,
  type Selection,
} from './coin-selection.ts';
import { among, compareOutpoints, isConfirmed, isSameOutpoint, type Coin } from './coin.ts';
import { buildReplacement, leastFeeSat } from './replacement.ts';
import { coinsSpentBy, hasSpentChange, missingSat, worthOfEach, type Lent, type WalletState } from './wallet-state.ts';
import { inputOf, sumOf, walletTransaction, type BumpRequest, type WalletTransaction } from './wallet-transaction.ts';

/** The wallet whose coins pay. */
interface BumpedWallet {
  readonly state: WalletState;
  rollBack(state: WalletState): void;
  owns(script: Uint8Array): boolean;
  transactionDropped(txid: Uint8Array): void;
}

/** What a bump needs of the wallet's keys and coins. */
export interface FeeBumperParts {
  readonly wallet: BumpedWallet;
  /** The coins that are free. */
  readonly available: () => readonly Coin[];
  /** Without a script to a fresh one; none where nothing is left. */
  readonly changeOutput: (changeSat: bigint, script?: Uint8Array) => readonly TransactionOutput[];
  readonly outputOf: (coin: Coin) => TransactionOutput;
  /** With the wallet's signatures, as `signCoins`. */
  readonly signed: (tx: Transaction, coins: readonly Coin[], prevouts: readonly TransactionOutput[]) => Transaction;
}

/**
 * Pays out of the wallet for what closes a channel and cannot pay for itself: with coins that are free, or with those that are lent
 * to what needs them less.
 */
export class FeeBumper {
  readonly #parts: FeeBumperParts;

  constructor(parts: FeeBumperParts) {
    this.#parts = parts;
  }

  /**
   * Adds coins of the wallet, and change, to a transaction whose own inputs can't pay for it: the child of an anchor, or
   * an HTLC transaction of a channel with anchors. The caller adds the witnesses of its own inputs, and only then calls
   * `transactionMade`; before that, what is replaced is `transactionDropped`. Where no other coins suffice, it takes those that
   * are lent, and what they were lent to is dropped. Throws `InsufficientFunds`.
   */
  bump(request: BumpRequest): WalletTransaction {
    const { replaces } = request;
    // What was made of its change would go with it, and BIP 125 has a replacement pay for that too.
    if (replaces !== undefined && hasSpentChange(this.#state, transactionId(replaces.tx)))
      throw new GlowwormError('InsufficientFunds', 'the change of what it replaces is spent');
    const free = this.#parts.available();
    // BIP 125, rule 2: a replacement that adds an input which is not confirmed is refused.
    const confirmed = free.filter(isConfirmed);
    const lent = this.#lentTo(request);
    return this.#firstAffordable([
      () => this.#bumpBy(request, replaces === undefined ? free : confirmed, []),
      ...doubled(lent).map((taken) => () => {
        return this.#bumpBy(
          request,
          [...confirmed, ...taken.flatMap(({ txid }) => coinsSpentBy(this.#state, txid))],
          taken,
        );
      }),
    ]);
  }

  /**
   * What `bump` has at a feerate, as `reserveValueSat`: what is free, or what is confirmed of that with those of the lent that bring
   * more than is paid for what they displace.
   */
  valueSat(feeratePerKw: number): bigint {
    const free = this.#parts.available();
    const freeSat = reserveValueSat(worthOfEach(this.#state, free, feeratePerKw), feeratePerKw);
    let taken: readonly Coin[] = free.filter(isConfirmed);
    let displacedSat = 0n;
    for (const { txid, feeSat, weight } of this.#lentTo({ feeratePerKw })) {
      const more = [...taken, ...coinsSpentBy(this.#state, txid)];
      const costSat = leastFeeSat([{ feeSat, weight }], weight);
      if (reserveValueSat(more, feeratePerKw) - reserveValueSat(taken, feeratePerKw) <= costSat) continue;
      [taken, displacedSat] = [more, displacedSat + costSat];
    }
    const lentSat = reserveValueSat(taken, feeratePerKw) - displacedSat;
    return lentSat > freeSat ? lentSat : freeSat;
  }

  /** The first of some ways that there are coins for; the others leave nothing behind. */
  #firstAffordable([first, ...others]: readonly (() => WalletTransaction)[]): WalletTransaction {
    assert(first !== undefined, 'there is a way to try');
    const before = this.#state;
    try {
      return first();
    } catch (error) {
      this.#parts.wallet.rollBack(before);
      const isUnaffordable = error instanceof GlowwormError && error.code === 'InsufficientFunds';
      if (others.length === 0 || !isUnaffordable) throw error;
      return this.#firstAffordable(others);
    }
  }

  /** `lent` are those whose coins are among the given: what of them it takes coins of is dropped. */
  #bumpBy(request: BumpRequest, coins: readonly Coin[], lent: readonly Lent[]): WalletTransaction {
    const { feeratePerKw, mostSat, witnessWeight, replaces } = request;
    const replaced =
      replaces === undefined ? [] : [{ feeSat: replaces.feeSat, weight: transactionWeight(replaces.tx) }];
    const { found, taken } = buildReplacement(feeratePerKw, (perKw) => {
      // What is asked for more than the feerate has paid for the parents too.
      const found = this.#bumpAt(request, coins, perKw, perKw === feeratePerKw ? perKw : 0);
      const { tx, feeSat } = found;
      if (feeSat > mostSat)
        throw new GlowwormError('InsufficientFunds', `it would cost ${feeSat} sat, and ${mostSat} sat is the most`);
      const taken = lent.filter(({ txid }) => coinsSpentBy(this.#state, txid).some((coin) => takesCoin(tx, coin)));
      const weight = transactionWeight(tx) + witnessWeight;
      return { found, taken, feeSat, weight, displaced: [...replaced, ...taken] };
    });
    for (const { txid } of taken) this.#parts.wallet.transactionDropped(txid);
    return found;
  }

  /**
   * What of the lent a request may take the coins of, the cheapest first: not what it replaces itself, nor what something has spent
   * the change of, which would go with it, nor coins that are not confirmed (BIP 125, rule 2).
   */
  #lentTo({ feeratePerKw, replaces }: Pick<BumpRequest, 'feeratePerKw' | 'replaces'>): readonly Lent[] {
    const own = replaces && transactionId(replaces.tx);
    return this.#state.lent
      .filter((each) => each.feeratePerKw <= feeratePerKw && (own === undefined || !equalBytes(own, each.txid)))
      .filter(({ txid }) =>
        coinsSpentBy(this.#state, txid).every((coin) => isConfirmed(coin) && coin.spentBy?.height === undefined),
      )
      .filter(({ txid }) => !hasSpentChange(this.#state, txid))
      .toSorted((a, b) => Number(a.feeSat - b.feeSat));
  }

  /** `parentsPerKw` is what the parent, and what is not confirmed of the coins' own, are brought to. */
  #bumpAt(
    request: BumpRequest,
    available: readonly Coin[],
    feeratePerKw: number,
    parentsPerKw: number,
  ): WalletTransaction {
    const { tx, prevouts, replaces } = request;
    const kept = replaces === undefined ? [] : coinsSpentBy(this.#state, transactionId(replaces.tx));
    const selection = this.#select(request, kept, available, feeratePerKw, parentsPerKw);
    const taken = available.filter(among(selection.coins));
    const coins = [...kept, ...taken].toSorted(compareOutpoints);
    // The change of what is replaced never comes: its script is as fresh as a new one.
    const script = replaces?.tx.outputs.find((output) => this.#parts.wallet.owns(output.script))?.script;
    // What is not the bearer of what its transaction lacks may have counted for less than it has.
    const uncountedSat = sumOf(taken) - missingSat(this.#state, taken, parentsPerKw) - sumOf(selection.coins);
    const changeSat = changeOf(tx, selection, uncountedSat, feeratePerKw);
    const outputs = [...tx.outputs, ...this.#parts.changeOutput(changeSat, script)];
    const unsigned = { ...tx, inputs: [...tx.inputs, ...coins.map(inputOf)], outputs };
    const spent = [...prevouts, ...coins.map((coin) => this.#parts.outputOf(coin))];
    const signed = this.#parts.signed(unsigned, coins, spent);
    return walletTransaction(signed, sumOf(spent) - sumOf(outputs));
  }

  /** Coins that pay for what a request, and those that are spent again for it, do not bring. */
  #select(
    { tx, prevouts, parent, witnessWeight }: BumpRequest,
    kept: readonly Coin[],
    available: readonly Coin[],
    feeratePerKw: number,
    parentsPerKw: number,
  ): Selection {
    const parentSat = parent === undefined ? 0n : lackingSat(parent, parentsPerKw);
    const ownWeight = (encodeTransaction(tx).length - 10) * 4 + OVERHEAD_WEIGHT + witnessWeight;
    const keptSat = sumOf(kept) - missingSat(this.#state, kept, parentsPerKw);
    const keptWeight = kept.reduce((sum, { branch }) => sum + INPUT_WEIGHT[branch], 0);
    const [changeSat, changeWeight] = needsChange(tx) ? [CHANGE_DUST_SAT, CHANGE_WEIGHT] : [0n, 0];
    return selectCoins({
      targetSat: sumOf(tx.outputs) - sumOf(prevouts) - keptSat + parentSat + changeSat,
      baseWeight: ownWeight + keptWeight + changeWeight,
      feeratePerKw,
      reserveSat: 0n,
      reservePerKw: feeratePerKw,
      coins: worthOfEach(this.#state, available, parentsPerKw),
    });
  }

  get #state(): WalletState {
    return this.#parts.wallet.state;
  }
}

/** The first of a list, the first two, the first four, and so on to all of it. */
function doubled<T>(list: readonly T[]): readonly (readonly T[])[] {
  const counts = Array.from({ length: Math.ceil(Math.log2(Math.max(1, list.length))) + 1 }, (_, power) => 2 ** power);
  return list.length === 0 ? [] : counts.map((count) => list.slice(0, count));
}

/** A transaction needs an output: the child of an anchor, which has none of its own, always gets change. */
const needsChange = ({ outputs }: Transaction): boolean => outputs.length === 0;

/** What comes back of a selection: with what it was made for itself where that needs change, and with what was not counted. */
function changeOf(tx: Transaction, { changeSat }: Selection, uncountedSat: bigint, feeratePerKw: number): bigint {
  if (!needsChange(tx)) return changeSat > 0n ? changeSat + uncountedSat : 0n;
  // The selection has paid for an output of its own for what goes into the one that was there anyhow.
  const paidTwiceSat = changeSat > 0n ? (BigInt(CHANGE_WEIGHT) * BigInt(feeratePerKw)) / 1000n : 0n;
  return changeSat + CHANGE_DUST_SAT + paidTwiceSat + uncountedSat;
}

const takesCoin = ({ inputs }: Transaction, coin: Coin): boolean => inputs.some((input) => isSameOutpoint(input, coin));
