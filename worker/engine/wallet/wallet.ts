import { equalBytes, toHex } from '../primitives/bytes.ts';
import { assert, GlowwormError } from '../primitives/errors.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import { MAX_SAT } from '../primitives/units.ts';
import {
  transactionId,
  transactionWeight,
  type Outpoint,
  type Transaction,
  type TransactionOutput,
} from '../transactions/transaction.ts';
import { addressOfScript } from './address.ts';
import { planChild } from './child-payment.ts';
import { signCoins, signingCoins } from './coin-signing.ts';
import {
  among,
  amongTxids,
  compareOutpoints,
  isConfirmed,
  isSpendable,
  outpointName,
  type Coin,
  type PaidWeight,
} from './coin.ts';
import { reserveValueSat, splitChange, type Selection } from './coin-selection.ts';
import {
  BRANCHES,
  FOUND_BRANCHES,
  isFound,
  OWN_BRANCHES,
  type Branch,
  type Descriptors,
  type OwnBranch,
  type ScriptOrigin,
} from './descriptors.ts';
import { FeeBumper } from './fee-bumper.ts';
import { foundSweeps, type FoundSweep } from './found-sweep.ts';
import { planPayment, type PaymentTarget, type PlannedTransaction } from './payment-plan.ts';
import { planCancellation, planReplacement, type ReplacementRequest } from './replacement.ts';
import { rivalCoins } from './rival-coins.ts';
import { hasSignatures } from './spend-check.ts';
import {
  afterDropped,
  afterLent,
  afterTransaction,
  afterUnconfirmed,
  coinsSpentBy,
  EMPTY_WALLET,
  hasSpentChange,
  reachOf,
  type Lent,
  type WalletState,
} from './wallet-state.ts';
import {
  compareOutputs,
  inputOf,
  sumOf,
  walletTransaction,
  type BumpRequest,
  type PaymentTerms,
  type Replaced,
  type SpendTerms,
  type UnsignedTransaction,
  type WalletPayment,
  type WalletTransaction,
} from './wallet-transaction.ts';

/** So many of the newest addresses are awaited with every block: what comes to the others we send ourselves, or nobody does. */
const AWAITED: ReadonlyMap<Branch, number> = new Map([
  ['receive', 2],
  ['taproot', 1],
]);

/** Nodes relay nothing heavier: of a mempool it is an invention, and its outputs could be a hundred thousand. */
const MOST_RELAYED_WEIGHT = 400_000;

/** Scripts watched beyond the last one that ever got a coin, as BIP 44 has it. */
export const GAP_LIMIT = 20;

export interface WalletBalance {
  readonly confirmedSat: bigint;
  /** On its way: not confirmed, or not mature yet. */
  readonly unconfirmedSat: bigint;
  /** Kept aside for bumping fees, and locked for funding transactions; at most what there is. */
  readonly reservedSat: bigint;
  readonly spendableSat: bigint;
  /** Confirmed on BIP 44 and 49 addresses, which nothing is paid with: `sweepFound` takes it to one of the wallet's own. */
  readonly foundSat: bigint;
}

/** A transaction that the wallet was told of, with the height of its block once it is in one. */
export interface KnownTransaction {
  /** 32 bytes, wire order */
  readonly txid: Uint8Array;
  readonly height?: number;
}

type ChangeTerms = Omit<PaymentTerms, 'against'>;

/** The amounts of the change: as many coins for closes as the wallet lacks. */
function reserveCoins({ changeSat }: Selection, left: readonly Coin[], terms: ChangeTerms): readonly bigint[] {
  const { feeratePerKw, reserveSat, reservePerKw, reserveCoinSat } = terms;
  if (reserveCoinSat === 0n) return [changeSat];
  const there = left.filter(({ amountSat }) => amountSat >= reserveCoinSat).length;
  const spareSat = reserveValueSat([...left, { amountSat: changeSat, branch: 'change' }], reservePerKw) - reserveSat;
  const missing = reserveSat / reserveCoinSat - BigInt(there);
  return splitChange({ changeSat, spareSat }, missing, reserveCoinSat, feeratePerKw);
}

/**
 * The on-chain wallet: which coins there are, and transactions that spend them. It changes nothing but its `state`,
 * which the caller stores before a transaction leaves.
 */
export class OnchainWallet {
  readonly #secp: Secp256k1;
  readonly #descriptors: Descriptors;
  readonly #bumper: FeeBumper;
  #state: WalletState;

  constructor(secp: Secp256k1, descriptors: Descriptors, state: WalletState = EMPTY_WALLET) {
    this.#secp = secp;
    this.#descriptors = descriptors;
    this.#state = state;
    this.#bumper = new FeeBumper({
      wallet: this,
      available: () => this.#available(),
      changeOutput: (changeSat, script) => this.#changeOutput(changeSat, script),
      outputOf: (coin) => this.#outputOf(coin),
      signed: (tx, coins, prevouts) => signCoins(secp, descriptors, tx, coins, prevouts),
    });
    // Deriving them makes `originOf` know them.
    this.expectedScripts();
  }

  get state(): WalletState {
    return this.#state;
  }

  /** Goes back to an earlier state. Only where nothing that was signed since has left, nor ever will. */
  rollBack(state: WalletState): void {
    this.#state = state;
  }

  /** Every script that the words may have coins on: all handed out, and the gap after the last used of each branch. */
  watchedScripts(): Uint8Array[] {
    return this.#scriptsOf(BRANCHES);
  }

  /** Those of them where a coin may come to a wallet that has searched: no others of BIP 44 and 49 than where something was found. */
  expectedScripts(): Uint8Array[] {
    const reach = reachOf(this.#state.coins);
    return this.#scriptsOf([...OWN_BRANCHES, ...FOUND_BRANCHES.filter((branch) => reach.has(branch))]);
  }

  #scriptsOf(branches: readonly Branch[]): Uint8Array[] {
    const reach = reachOf(this.#state.coins);
    return branches.flatMap((branch) => {
      const { next, used } = this.#state.cursors[branch];
      const count = Math.max(next, Math.max(used, reach.get(branch) ?? 0) + GAP_LIMIT);
      return Array.from({ length: count }, (_, index) => this.#descriptors.script({ branch, index }));
    });
  }

  /**
   * The scripts worth asking the chain for with every block: the newest that were handed out and that nothing came to yet, and one
   * for each transaction that is in no block, which shows what becomes of that.
   */
  awaitedScripts(): Uint8Array[] {
    const waiting = BRANCHES.flatMap((branch) => {
      const { next, used } = this.#state.cursors[branch];
      const first = Math.max(used, next - (AWAITED.get(branch) ?? 0));
      return Array.from({ length: Math.max(0, next - first) }, (_, offset) => ({ branch, index: first + offset }));
    });
    const scripts = [...waiting, ...this.#unconfirmedOrigins()].map((origin) => this.#descriptors.script(origin));
    return [...new Set(scripts)];
  }

  /** All that were handed out, the newest of each branch first: whoever has one may pay to it, again or at last. */
  handedOutScripts(): Uint8Array[] {
    const origins = BRANCHES.flatMap((branch) => {
      const { next, used } = this.#state.cursors[branch];
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
    return this.#state.coins.filter(({ branch, index }) => branch === origin?.branch && index === origin.index);
  }

  /** The scripts whose coins one of some transactions made or spent. */
  scriptsOf(txids: readonly Uint8Array[]): Uint8Array[] {
    const isNamed = amongTxids(txids);
    const isOf = ({ txid, spentBy }: Coin): boolean =>
      isNamed(txid) || (spentBy !== undefined && isNamed(spentBy.txid));
    return [...new Set(this.#state.coins.filter(isOf).map((coin) => this.#descriptors.script(coin)))];
  }

  /** The scripts of coins, of those that the wallet knows. */
  scriptsOfCoins(outpoints: readonly Outpoint[]): Uint8Array[] {
    return this.#state.coins.filter(among(outpoints)).map((coin) => this.#descriptors.script(coin));
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
    const { next, used } = this.#state.cursors[branch];
    const reach = reachOf(this.#state.coins).get(branch) ?? 0;
    // A restore from the seed looks no further than the gap: an address beyond it could be lost.
    const index = Math.min(Math.max(next, reach), used + GAP_LIMIT - 1);
    return this.#descriptors.script({ branch, index });
  }

  /** From now on somebody may pay to a script of the wallet. */
  handOut(script: Uint8Array): void {
    const origin = this.#descriptors.originOf(script);
    if (origin === undefined) return;
    const { branch, index } = origin;
    const { next, used } = this.#state.cursors[branch];
    if (index < next) return;
    const cursors = { ...this.#state.cursors, [branch]: { next: index + 1, used } };
    this.#state = { ...this.#state, cursors };
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
   * A transaction that is said to be in the mempool. What spends coins of ours counts only where we have signed that, here or
   * elsewhere with the same words: a server could otherwise invent money, or spend it. Of what others pay nobody knows, and it is
   * not spent before it is in a block. What is in one does not leave it for a server that is late.
   */
  transactionSeen(tx: Transaction): void {
    if (!this.isConfirmed(transactionId(tx)) && this.#isBelieved(tx)) this.#apply(tx, undefined);
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
    const lockedSat = sumOf(unspent.filter(this.#lock()));
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
    const built = this.sign(planned);
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
    const [planned, ...others] = this.plan([output], terms);
    if (planned !== undefined && others.length === 0) return planned;
    throw new GlowwormError('InsufficientFunds', 'a channel is funded by one transaction, and the coins are too small');
  }

  /** Frees coins that were set aside for what is given up. */
  unlock(coins: readonly Outpoint[]): void {
    const isFreed = among(coins);
    this.#state = { ...this.#state, locked: this.#state.locked.filter((coin) => !isFreed(coin)) };
  }

  /**
   * The transactions that make a payment, none of which needs another one; always the same for the same coins and terms. Throws
   * `AmountBelowDust`, `InsufficientFunds` and `EarlierPaymentUnsettled`.
   */
  plan(target: PaymentTarget, terms: PaymentTerms): readonly UnsignedTransaction[] {
    const available = this.#available();
    const rivals = rivalCoins(this.#state, available, terms.against);
    const planned = planPayment(available, target, terms, rivals);
    const taken = new Set(planned.flatMap(({ coins }) => coins));
    const left = available.filter((coin) => !taken.has(coin));
    return planned.map((each) => this.#build(each, left, terms));
  }

  /**
   * What takes the place of a payment that is not confirmed: the same at a higher fee. Throws `PaymentNotReplaceable` where it is
   * confirmed, or something has spent its change, and `InsufficientFunds`.
   */
  planReplacement(replaced: Replaced, terms: SpendTerms): UnsignedTransaction {
    const { outputs } = replaced.tx;
    const change = outputs.filter(({ script }) => this.#descriptors.originOf(script)?.branch === 'change');
    const paid = outputs.filter((output) => !change.includes(output));
    // A cancellation pays nobody.
    if (paid.length === 0) return this.planCancellation(replaced, terms);
    const confirmed = this.#available().filter(isConfirmed);
    const planned = planReplacement(this.#replacing(replaced, terms), paid, confirmed);
    return this.#build(planned, [], { ...terms, reserveCoinSat: 0n }, change[0]?.script);
  }

  /** As `planReplacement`, and pays nobody but the wallet itself. */
  planCancellation(replaced: Replaced, terms: SpendTerms): UnsignedTransaction {
    const planned = planCancellation(this.#replacing(replaced, terms));
    const change = replaced.tx.outputs.find(({ script }) => this.#descriptors.originOf(script)?.branch === 'change');
    return this.#build(planned, [], { ...terms, reserveCoinSat: 0n }, change?.script);
  }

  #replacing({ tx, feeSat }: Replaced, terms: SpendTerms): ReplacementRequest {
    const txid = transactionId(tx);
    if (!this.#waits(tx, txid))
      throw new GlowwormError('PaymentNotReplaceable', 'This payment is confirmed, or has been replaced already.');
    if (this.#isBuiltOn(txid))
      throw new GlowwormError('PaymentNotReplaceable', 'Something else has spent the change of this payment already.');
    return { kept: this.coinsSpentBy(txid), replaced: { feeSat, weight: transactionWeight(tx) }, terms };
  }

  /** Whether a payment waits for a block, and nothing would go with it that was made of its change. */
  isReplaceable(tx: Transaction): boolean {
    const txid = transactionId(tx);
    return this.#waits(tx, txid) && !this.#isBuiltOn(txid);
  }

  #waits({ inputs }: Transaction, txid: Uint8Array): boolean {
    const kept = this.coinsSpentBy(txid);
    return kept.length === inputs.length && kept.every(({ spentBy }) => spentBy?.height === undefined);
  }

  /** What has spent it would go with it: another payment, what pays for a close, or a funding that the peer is still to sign. */
  #isBuiltOn(txid: Uint8Array): boolean {
    return hasSpentChange(this.#state, txid) || this.#state.locked.some((coin) => equalBytes(coin.txid, txid));
  }

  /**
   * Pays what a transaction that is in no block has brought to the wallet again, so that both are taken at a feerate; `txid` is in wire
   * order, `parent` what that transaction weighs and has paid. Throws `PaymentUnknown`, and as `planChild`.
   */
  planChild(txid: Uint8Array, parent: PaidWeight, terms: SpendTerms): UnsignedTransaction {
    const isLocked = this.#lock();
    const coins = this.#state.coins.filter(
      (coin) => equalBytes(coin.txid, txid) && !isConfirmed(coin) && !coin.spentBy && !isFound(coin) && !isLocked(coin),
    );
    if (coins.length === 0)
      throw new GlowwormError('PaymentUnknown', 'No such payment waits for a block, or its coins are spent already.');
    return this.#build(planChild(coins, parent, terms.feeratePerKw), [], { ...terms, reserveCoinSat: 0n });
  }

  sign({ tx, coins, prevouts, feeSat, paidSat }: UnsignedTransaction): WalletPayment {
    return { ...walletTransaction(signCoins(this.#secp, this.#descriptors, tx, coins, prevouts), feeSat), paidSat };
  }

  /** As `sign`, and stops after each input. */
  *signing({ tx, coins, prevouts, feeSat, paidSat }: UnsignedTransaction): Generator<undefined, WalletPayment> {
    const signed = yield* signingCoins(this.#secp, this.#descriptors, tx, coins, prevouts);
    return { ...walletTransaction(signed, feeSat), paidSat };
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

  /** How what was found would be taken at a feerate, see `sweepFound`. */
  foundSweeps(feeratePerKw: number): readonly FoundSweep[] {
    return foundSweeps(this.#state.coins, this.#state.bestHeight, feeratePerKw);
  }

  /**
   * A signed transaction that takes what was found on BIP 44 and 49 addresses to a script of the wallet: one of `foundSweeps`,
   * `undefined` where one of its coins is gone. Its coins count as spent from now on.
   */
  sweepFound(script: Uint8Array, { coins, amountSat, feeSat }: FoundSweep): WalletTransaction | undefined {
    if (!this.areThere(coins)) return undefined;
    const unsigned: Transaction = {
      version: 2,
      inputs: coins.map(inputOf),
      outputs: [{ amountSat, script }],
      locktime: 0,
    };
    const spent = coins.map((coin) => this.#outputOf(coin));
    const built = walletTransaction(signCoins(this.#secp, this.#descriptors, unsigned, coins, spent), feeSat);
    this.transactionMade(built.tx);
    return built;
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

  /** By transaction: where a coin comes from that it spends, which another one could take, or else one that it makes. */
  #unconfirmedOrigins(): readonly ScriptOrigin[] {
    const origins = new Map<string, ScriptOrigin>();
    for (const coin of this.#state.coins) if (coin.height === undefined) origins.set(toHex(coin.txid), coin);
    for (const coin of this.#state.coins)
      if (coin.spentBy && coin.spentBy.height === undefined) origins.set(toHex(coin.spentBy.txid), coin);
    return [...origins.values()];
  }

  #apply(tx: Transaction, height: number | undefined): void {
    const origins: readonly (ScriptOrigin | undefined)[] = tx.outputs.map(({ script }) =>
      this.#descriptors.originOf(script),
    );
    this.#state = afterTransaction(this.#state, tx, transactionId(tx), height, origins);
    if (origins.some((origin) => origin !== undefined)) this.expectedScripts();
  }

  #isBelieved(tx: Transaction): boolean {
    const txid = transactionId(tx);
    const coins = new Map(this.#state.coins.filter(among(tx.inputs)).map((coin) => [outpointName(coin), coin]));
    const own = tx.inputs.flatMap((input, inputIndex) => {
      const coin = coins.size === 0 ? undefined : coins.get(outpointName(input));
      return coin === undefined ? [] : { coin, inputIndex, ...this.#outputOf(coin) };
    });
    const isKnown = own.every(({ coin: { spentBy } }) => spentBy !== undefined && equalBytes(spentBy.txid, txid));
    if (own.length > 0 && isKnown) return true;
    if (sumOf(tx.outputs) > MAX_SAT || transactionWeight(tx) > MOST_RELAYED_WEIGHT) return false;
    if (own.length === tx.inputs.length && sumOf(own) < sumOf(tx.outputs)) return false;
    // Of two that are in no block the one that was seen first stays.
    if (own.some(({ coin: { spentBy } }) => spentBy !== undefined && !equalBytes(spentBy.txid, txid))) return false;
    return own.length === 0 || hasSignatures(this.#secp, tx, own);
  }

  #available(): readonly Coin[] {
    const { coins, bestHeight } = this.#state;
    const isLocked = this.#lock();
    return coins.filter((coin) => isSpendable(coin, bestHeight) && !isFound(coin) && !isLocked(coin));
  }

  #lock(): (outpoint: Outpoint) => boolean {
    return among(this.#state.locked);
  }

  /** `left` are coins that the payment leaves. */
  #build(
    planned: PlannedTransaction,
    left: readonly Coin[],
    terms: ChangeTerms,
    changeScript?: Uint8Array,
  ): UnsignedTransaction {
    const coins = planned.coins.toSorted(compareOutpoints);
    const change = reserveCoins(planned, left, terms).flatMap((amountSat, index) =>
      this.#changeOutput(amountSat, index === 0 ? changeScript : undefined),
    );
    const outputs = [...planned.outputs, ...change].toSorted(compareOutputs);
    const tx: Transaction = { version: 2, inputs: coins.map(inputOf), outputs, locktime: 0 };
    const prevouts = coins.map((coin) => this.#outputOf(coin));
    return { tx, coins, prevouts, feeSat: sumOf(prevouts) - sumOf(outputs), paidSat: sumOf(planned.outputs) };
  }

  #changeOutput(changeSat: bigint, script?: Uint8Array): TransactionOutput[] {
    return changeSat > 0n ? [{ amountSat: changeSat, script: script ?? this.newScript('change') }] : [];
  }

  #outputOf(coin: Coin): TransactionOutput {
    return { amountSat: coin.amountSat, script: this.#descriptors.script(coin) };
  }
}
