import { equalBytes } from '../primitives/bytes.ts';
import { assert, GlowwormError } from '../primitives/errors.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import { transactionId, type Outpoint, type Transaction, type TransactionOutput } from '../transactions/transaction.ts';
import { addressOfScript } from './address.ts';
import { signCoins } from './coin-signing.ts';
import { among, isConfirmed, isSpendable, type Coin } from './coin.ts';
import { reserveValueSat } from './coin-selection.ts';
import { isFound, type Descriptors, type OwnBranch, type ScriptOrigin } from './descriptors.ts';
import { FeeBumper } from './fee-bumper.ts';
import { foundSweeps, type FoundSweep } from './found-sweep.ts';
import { PaymentBuilder } from './payment-builder.ts';
import { isBelieved } from './mempool-trust.ts';
import { afterHandedOut, WalletScripts } from './wallet-scripts.ts';
import {
  afterDropped,
  afterLent,
  afterTransaction,
  afterUnconfirmed,
  coinsSpentBy,
  EMPTY_WALLET,
  type Lent,
  type WalletState,
} from './wallet-state.ts';
import {
  sumOf,
  type BumpRequest,
  type PaymentTerms,
  type UnsignedTransaction,
  type WalletTransaction,
} from './wallet-transaction.ts';

export interface WalletBalance {
  readonly confirmedSat: bigint;
  /** On its way: not confirmed, or not mature yet. */
  readonly unconfirmedSat: bigint;
  /** Kept aside for bumping fees, and locked for funding transactions; at most what there is. */
  readonly reservedSat: bigint;
  readonly spendableSat: bigint;
  /** Confirmed on BIP 44 and 49 addresses, which nothing is paid with: a sweep takes it to one of the wallet's own. */
  readonly foundSat: bigint;
}

/**
 * The on-chain wallet: which coins there are, and transactions that spend them. It changes nothing but its `state`,
 * which the caller stores before a transaction leaves.
 */
export class OnchainWallet {
  readonly scripts: WalletScripts;
  readonly payments: PaymentBuilder;
  readonly #secp: Secp256k1;
  readonly #descriptors: Descriptors;
  readonly #bumper: FeeBumper;
  #state: WalletState;

  constructor(secp: Secp256k1, descriptors: Descriptors, state: WalletState = EMPTY_WALLET) {
    this.#secp = secp;
    this.#descriptors = descriptors;
    this.#state = state;
    this.scripts = new WalletScripts(descriptors, () => this.#state);
    const available = (): readonly Coin[] => this.#available();
    const changeOutput = (changeSat: bigint, script?: Uint8Array): readonly TransactionOutput[] =>
      changeSat > 0n ? [{ amountSat: changeSat, script: script ?? this.newScript('change') }] : [];
    this.payments = new PaymentBuilder({
      secp,
      descriptors,
      state: () => this.#state,
      available,
      changeOutput,
    });
    this.#bumper = new FeeBumper({
      wallet: this,
      available,
      changeOutput,
      outputOf: (coin) => this.#outputOf(coin),
      signed: (tx, coins, prevouts) => signCoins(secp, descriptors, tx, coins, prevouts),
    });
    // Deriving them makes `originOf` know them.
    this.scripts.expected();
  }

  get state(): WalletState {
    return this.#state;
  }

  /** Goes back to an earlier state. Only where nothing that was signed since has left, nor ever will. */
  rollBack(state: WalletState): void {
    this.#state = state;
  }

  /** Whether a script is one of the watched. */
  owns(script: Uint8Array): boolean {
    return this.#descriptors.originOf(script) !== undefined;
  }

  /** A fresh address. Within the gap limit it never repeats; after that the last one is handed out again. */
  newAddress(branch: OwnBranch = 'receive'): string {
    const address = addressOfScript(this.newScript(branch), this.#descriptors.network);
    assert(address !== undefined, 'the scripts of the wallet have addresses');
    return address;
  }

  /** As `newAddress`, as an output script. */
  newScript(branch: OwnBranch): Uint8Array {
    const script = this.freshScript(branch);
    this.handOut(script);
    return script;
  }

  /** The script that `newScript` gives, which stays fresh until it is handed out. */
  freshScript(branch: OwnBranch): Uint8Array {
    return this.scripts.fresh(branch);
  }

  /** From now on somebody may pay to a script of the wallet. */
  handOut(script: Uint8Array): void {
    const origin = this.#descriptors.originOf(script);
    if (origin !== undefined) this.#state = afterHandedOut(this.#state, origin);
  }

  transactionConfirmed(tx: Transaction, height: number): void {
    this.#apply(tx, height);
  }

  /** One of our own that is about to be in the mempool. */
  transactionMade(tx: Transaction): void {
    this.#apply(tx, undefined);
  }

  /** As `transactionMade`, where all that it spends are coins that nothing spends; gives whether they are. */
  transactionStands(tx: Transaction): boolean {
    const coins = this.#state.coins.filter(among(tx.inputs));
    const isFree = coins.length === tx.inputs.length && coins.every(({ spentBy }) => spentBy === undefined);
    if (isFree) this.#apply(tx, undefined);
    return isFree;
  }

  /**
   * A transaction that is said to be in the mempool, see `isBelieved`. Of what others pay nobody knows, and it is not spent before it is
   * in a block. What is in one does not leave it for a server that is late.
   */
  transactionSeen(tx: Transaction): void {
    if (this.isConfirmed(transactionId(tx))) return;
    if (isBelieved(this.#secp, this.#descriptors, this.#state, tx)) this.#apply(tx, undefined);
  }

  transactionUnconfirmed(txid: Uint8Array): void {
    this.#state = afterUnconfirmed(this.#state, txid);
  }

  /** A transaction that is known never to confirm. One in a block has to be `transactionUnconfirmed` before. */
  transactionDropped(txid: Uint8Array): void {
    if (!this.isConfirmed(txid) && !this.#hasConfirmedChild(txid)) this.#state = afterDropped(this.#state, txid);
  }

  bestBlockUpdated(height: number): void {
    this.#state = { ...this.#state, bestHeight: height };
  }

  /** What is kept of the coins counts by what it brings at a feerate, see `reserveValueSat`. */
  balance(reserveSat: bigint, feeratePerKw: number): WalletBalance {
    const unspent = this.#state.coins.filter(({ spentBy }) => !spentBy);
    const confirmed = unspent.filter((coin) => isConfirmed(coin) && isSpendable(coin, this.#state.bestHeight));
    const foundSat = sumOf(confirmed.filter(isFound));
    const confirmedSat = sumOf(confirmed) - foundSat;
    const available = this.#available();
    const availableSat = sumOf(available);
    const overSat = reserveSat === 0n ? availableSat : reserveValueSat(available, feeratePerKw) - reserveSat;
    const spendableSat = overSat > 0n ? overSat : 0n;
    const isLocked = this.#lock();
    const lockedSat = sumOf(unspent.filter((coin) => isLocked(coin) && !isFound(coin)));
    const keptSat = availableSat - spendableSat;
    return {
      confirmedSat,
      unconfirmedSat: sumOf(unspent) - confirmedSat - foundSat,
      reservedSat: lockedSat + keptSat,
      spendableSat,
      foundSat,
    };
  }

  /**
   * The signed funding transaction of a channel. It is not broadcast yet, so its coins are locked until it is seen or
   * `unlock`ed. Throws `InsufficientFunds` and `EarlierPaymentUnsettled`.
   */
  buildFunding(
    output: TransactionOutput,
    terms: PaymentTerms,
  ): WalletTransaction & { readonly outputIndex: number; readonly coins: readonly Outpoint[] } {
    const planned = this.#planFunding(output, terms);
    const built = this.payments.sign(planned);
    const { coins } = planned;
    this.lock(coins);
    const outputIndex = built.tx.outputs.findIndex(({ script }) => equalBytes(script, output.script));
    return { ...built, outputIndex, coins };
  }

  /** The fee of `buildFunding`, in satoshi. Changes nothing. */
  quoteFunding(output: TransactionOutput, terms: PaymentTerms): bigint {
    const before = this.#state;
    try {
      return this.#planFunding(output, terms).feeSat;
    } finally {
      this.#state = before;
    }
  }

  #planFunding(output: TransactionOutput, terms: PaymentTerms): UnsignedTransaction {
    const [planned, ...others] = this.payments.prepare([output], terms);
    if (planned !== undefined && others.length === 0) return planned;
    throw new GlowwormError(
      'InsufficientFunds',
      'A channel is funded by one transaction, and the coins are too small.',
    );
  }

  /** Frees coins that were set aside for what is given up. */
  unlock(coins: readonly Outpoint[]): void {
    const isFreed = among(coins);
    this.#state = { ...this.#state, locked: this.#state.locked.filter((coin) => !isFreed(coin)) };
  }

  /** Sets coins aside, in memory alone, for what is signed in this run or never. */
  lock(coins: readonly Coin[]): void {
    this.#state = {
      ...this.#state,
      locked: [...this.#state.locked, ...coins.map(({ txid, vout }) => ({ txid, vout }))],
    };
  }

  /** Whether coins can still be spent, whoever they are set aside for. */
  areThere(coins: readonly Outpoint[]): boolean {
    const { bestHeight } = this.#state;
    const isAsked = among(coins);
    return this.#state.coins.filter((coin) => isAsked(coin) && isSpendable(coin, bestHeight)).length === coins.length;
  }

  /** How what was found would be taken at a feerate, see `PaymentBuilder.prepareSweep`. */
  foundSweeps(feeratePerKw: number): readonly FoundSweep[] {
    const isLocked = this.#lock();
    const free = this.#state.coins.filter((coin) => !isLocked(coin));
    return foundSweeps(free, this.#state.bestHeight, feeratePerKw);
  }

  /** As `FeeBumper.bump`. */
  bump(request: BumpRequest): WalletTransaction {
    return this.#bumper.bump(request);
  }

  /**
   * From now on `bump` may take the coins of an unconfirmed transaction for what pays at least a feerate. Until then they are
   * spent: the owner's payments would be refused that took them.
   */
  lend(lent: Lent): void {
    this.#state = afterLent(this.#state, lent);
  }

  /** As `FeeBumper.valueSat`. */
  valueSat(feeratePerKw: number): bigint {
    return this.#bumper.valueSat(feeratePerKw);
  }

  /** The coins that a transaction spends, as far as the wallet was told of it. */
  coinsSpentBy(txid: Uint8Array): readonly Coin[] {
    return coinsSpentBy(this.#state, txid);
  }

  /** Whether a transaction spends coins of the wallet, as far as that was told of it. */
  hasSpent(txid: Uint8Array): boolean {
    return this.#state.coins.some(({ spentBy }) => spentBy !== undefined && equalBytes(spentBy.txid, txid));
  }

  /** Whether a coin of the wallet was made by a transaction. */
  knows(txid: Uint8Array): boolean {
    return this.#state.coins.some((coin) => equalBytes(coin.txid, txid));
  }

  /** Whether a transaction that made or spent coins of the wallet is in a block, as far as the wallet remembers. */
  isConfirmed(txid: Uint8Array): boolean {
    const isIn = (made: { readonly txid: Uint8Array; readonly height?: number }): boolean =>
      made.height !== undefined && equalBytes(made.txid, txid);
    return this.#state.coins.some((coin) => isIn(coin) || (coin.spentBy !== undefined && isIn(coin.spentBy)));
  }

  /** What something in a block spends, or a child of it, is in a block too, whoever says that it has vanished. */
  #hasConfirmedChild(txid: Uint8Array): boolean {
    return this.#state.coins.some(
      ({ txid: made, spentBy }) =>
        spentBy !== undefined &&
        equalBytes(made, txid) &&
        (spentBy.height !== undefined || this.#hasConfirmedChild(spentBy.txid)),
    );
  }

  #apply(tx: Transaction, height: number | undefined): void {
    const origins: readonly (ScriptOrigin | undefined)[] = tx.outputs.map(({ script }) =>
      this.#descriptors.originOf(script),
    );
    this.#state = afterTransaction(this.#state, tx, transactionId(tx), height, origins);
    if (origins.some((origin) => origin !== undefined)) this.scripts.expected();
  }

  #available(): readonly Coin[] {
    const { coins, bestHeight } = this.#state;
    const isLocked = this.#lock();
    return coins.filter((coin) => isSpendable(coin, bestHeight) && !isFound(coin) && !isLocked(coin));
  }

  #lock(): (outpoint: Outpoint) => boolean {
    return among(this.#state.locked);
  }

  #outputOf(coin: Coin): TransactionOutput {
    return { amountSat: coin.amountSat, script: this.#descriptors.script(coin) };
  }
}
