import { equalBytes } from '../primitives/bytes.ts';
import { GlowwormError } from '../primitives/errors.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import {
  transactionId,
  transactionWeight,
  type Transaction,
  type TransactionOutput,
} from '../transactions/transaction.ts';
import { planChild } from './child-payment.ts';
import { signCoins, signingCoins } from './coin-signing.ts';
import { among, compareOutpoints, isConfirmed, type Coin, type PaidWeight } from './coin.ts';
import { reserveValueSat, splitChange, type Selection } from './coin-selection.ts';
import { isFound, type Descriptors } from './descriptors.ts';
import type { FoundSweep } from './found-sweep.ts';
import { planPayment, type PaymentTarget, type PlannedTransaction } from './payment-plan.ts';
import { planCancellation, planReplacement, type ReplacementRequest } from './replacement.ts';
import { rivalCoins } from './rival-coins.ts';
import { coinsSpentBy, hasSpentChange, type WalletState } from './wallet-state.ts';
import {
  compareOutputs,
  inputOf,
  sumOf,
  walletTransaction,
  type PaymentTerms,
  type Replaced,
  type SpendTerms,
  type UnsignedTransaction,
  type WalletPayment,
} from './wallet-transaction.ts';

/** What payments need of the wallet. */
export interface PaymentBuilderParts {
  readonly secp: Secp256k1;
  readonly descriptors: Descriptors;
  readonly state: () => WalletState;
  /** The coins that are free. */
  readonly available: () => readonly Coin[];
  /** Without a script to a fresh one, which is handed out with it; none where nothing is left. */
  readonly changeOutput: (changeSat: bigint, script?: Uint8Array) => readonly TransactionOutput[];
}

type ChangeTerms = Omit<PaymentTerms, 'against'>;

/** Payments out of the wallet's coins. What prepares one hands out the scripts of its change, and changes nothing else. */
export class PaymentBuilder {
  readonly #parts: PaymentBuilderParts;

  constructor(parts: PaymentBuilderParts) {
    this.#parts = parts;
  }

  /**
   * The transactions that make a payment, none of which needs another one; always the same for the same coins and terms. Throws
   * `AmountBelowDust`, `InsufficientFunds` and `EarlierPaymentUnsettled`.
   */
  prepare(target: PaymentTarget, terms: PaymentTerms): readonly UnsignedTransaction[] {
    const available = this.#parts.available();
    const rivals = rivalCoins(this.#parts.state(), available, terms.against);
    const planned = planPayment(available, target, terms, rivals);
    const taken = new Set(planned.flatMap(({ coins }) => coins));
    const left = available.filter((coin) => !taken.has(coin));
    return planned.map((each) => this.#build(each, left, terms));
  }

  /**
   * What takes the place of a payment that is not confirmed: the same at a higher fee. Throws `PaymentNotReplaceable` where it is
   * confirmed, or something has spent its change, and `InsufficientFunds`.
   */
  prepareReplacement(replaced: Replaced, terms: SpendTerms): UnsignedTransaction {
    const { outputs } = replaced.tx;
    const change = outputs.filter(this.#isChange);
    const paid = outputs.filter((output) => !change.includes(output));
    // A cancellation pays nobody.
    if (paid.length === 0) return this.prepareCancellation(replaced, terms);
    const confirmed = this.#parts.available().filter(isConfirmed);
    const planned = planReplacement(this.#replacing(replaced, terms), paid, confirmed);
    return this.#build(planned, [], { ...terms, reserveCoinSat: 0n }, change[0]?.script);
  }

  /** As `prepareReplacement`, and pays nobody but the wallet itself. */
  prepareCancellation(replaced: Replaced, terms: SpendTerms): UnsignedTransaction {
    const planned = planCancellation(this.#replacing(replaced, terms));
    const change = replaced.tx.outputs.find(this.#isChange);
    return this.#build(planned, [], { ...terms, reserveCoinSat: 0n }, change?.script);
  }

  readonly #isChange = ({ script }: TransactionOutput): boolean =>
    this.#parts.descriptors.originOf(script)?.branch === 'change';

  #replacing({ tx, feeSat }: Replaced, terms: SpendTerms): ReplacementRequest {
    const txid = transactionId(tx);
    if (!this.#waits(tx, txid))
      throw new GlowwormError('PaymentNotReplaceable', 'This payment is confirmed, or has been replaced already.');
    if (this.#isBuiltOn(txid))
      throw new GlowwormError('PaymentNotReplaceable', 'Something else has spent the change of this payment already.');
    const kept = coinsSpentBy(this.#parts.state(), txid);
    return { kept, replaced: { feeSat, weight: transactionWeight(tx) }, terms };
  }

  /** Whether a payment waits for a block, and nothing would go with it that was made of its change. */
  isReplaceable(tx: Transaction): boolean {
    const txid = transactionId(tx);
    return this.#waits(tx, txid) && !this.#isBuiltOn(txid);
  }

  #waits({ inputs }: Transaction, txid: Uint8Array): boolean {
    const kept = coinsSpentBy(this.#parts.state(), txid);
    return kept.length === inputs.length && kept.every(({ spentBy }) => spentBy?.height === undefined);
  }

  /** What has spent it would go with it: another payment, what pays for a close, or a funding that the peer is still to sign. */
  #isBuiltOn(txid: Uint8Array): boolean {
    const state = this.#parts.state();
    return hasSpentChange(state, txid) || state.locked.some((coin) => equalBytes(coin.txid, txid));
  }

  /**
   * Pays what a transaction that is in no block has brought to the wallet again, so that both are taken at a feerate; `txid` is in wire
   * order, `parent` what that transaction weighs and has paid. Throws `PaymentUnknown`, and as `planChild`.
   */
  prepareChild(txid: Uint8Array, parent: PaidWeight, terms: SpendTerms): UnsignedTransaction {
    const state = this.#parts.state();
    const isLocked = among(state.locked);
    const coins = state.coins.filter(
      (coin) => equalBytes(coin.txid, txid) && !isConfirmed(coin) && !coin.spentBy && !isFound(coin) && !isLocked(coin),
    );
    if (coins.length === 0)
      throw new GlowwormError('PaymentUnknown', 'No such payment waits for a block, or its coins are spent already.');
    return this.#build(planChild(coins, parent, terms.feeratePerKw), [], { ...terms, reserveCoinSat: 0n });
  }

  /** What takes one of `foundSweeps` to a script of the wallet. */
  prepareSweep({ coins, amountSat, feeSat }: FoundSweep, script: Uint8Array, terms: SpendTerms): UnsignedTransaction {
    const planned = { coins, outputs: [{ amountSat, script }], changeSat: 0n, feeSat };
    return this.#build(planned, [], { ...terms, reserveCoinSat: 0n });
  }

  sign({ tx, coins, prevouts, feeSat, paidSat }: UnsignedTransaction): WalletPayment {
    const { secp, descriptors } = this.#parts;
    return { ...walletTransaction(signCoins(secp, descriptors, tx, coins, prevouts), feeSat), paidSat };
  }

  /** As `sign`, and stops after each input. */
  *signing({ tx, coins, prevouts, feeSat, paidSat }: UnsignedTransaction): Generator<undefined, WalletPayment> {
    const { secp, descriptors } = this.#parts;
    const signed = yield* signingCoins(secp, descriptors, tx, coins, prevouts);
    return { ...walletTransaction(signed, feeSat), paidSat };
  }

  /** `left` are coins that the payment leaves. */
  #build(
    planned: PlannedTransaction,
    left: readonly Coin[],
    terms: ChangeTerms,
    changeScript?: Uint8Array,
  ): UnsignedTransaction {
    const { descriptors, changeOutput } = this.#parts;
    const coins = planned.coins.toSorted(compareOutpoints);
    const change = reserveCoins(planned, left, terms).flatMap((amountSat, index) =>
      changeOutput(amountSat, index === 0 ? changeScript : undefined),
    );
    const outputs = [...planned.outputs, ...change].toSorted(compareOutputs);
    const tx: Transaction = { version: 2, inputs: coins.map(inputOf), outputs, locktime: 0 };
    const prevouts = coins.map((coin) => ({ amountSat: coin.amountSat, script: descriptors.script(coin) }));
    return { tx, coins, prevouts, feeSat: sumOf(prevouts) - sumOf(outputs), paidSat: sumOf(planned.outputs) };
  }
}

/** The amounts of the change: as many coins for closes as the wallet lacks. */
function reserveCoins({ changeSat }: Selection, left: readonly Coin[], terms: ChangeTerms): readonly bigint[] {
  const { feeratePerKw, reserveSat, reservePerKw, reserveCoinSat } = terms;
  if (reserveCoinSat === 0n) return [changeSat];
  const there = left.filter(({ amountSat }) => amountSat >= reserveCoinSat).length;
  const spareSat = reserveValueSat([...left, { amountSat: changeSat, branch: 'change' }], reservePerKw) - reserveSat;
  const missing = reserveSat / reserveCoinSat - BigInt(there);
  return splitChange({ changeSat, spareSat }, missing, reserveCoinSat, feeratePerKw);
}
