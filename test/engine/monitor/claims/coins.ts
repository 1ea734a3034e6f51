import type { ClaimParts, CoinSelectionSource } from '../../../../worker/engine/monitor/claims/claim-transaction.ts';
import { toHex } from '../../../../worker/engine/primitives/bytes.ts';
import { GlowwormError } from '../../../../worker/engine/primitives/errors.ts';
import { transactionId, type Transaction } from '../../../../worker/engine/transactions/transaction.ts';
import type { Coin } from '../../../../worker/engine/wallet/coin.ts';
import type { Lent } from '../../../../worker/engine/wallet/wallet-state.ts';
import {
  walletTransaction,
  type BumpRequest,
  type WalletTransaction,
} from '../../../../worker/engine/wallet/wallet-transaction.ts';
import { keysManager, signer } from './closed.ts';

const COIN: Coin = {
  txid: new Uint8Array(32).fill(9),
  vout: 0,
  amountSat: 100_000n,
  branch: 'receive',
  index: 0,
  height: 1,
  coinbase: false,
  own: false,
  trusted: false,
};

/** A wallet with one coin for whatever it is asked to pay for, within limits, which keeps what it was told. */
export class Coins implements CoinSelectionSource {
  readonly told: string[] = [];
  readonly asked: BumpRequest[] = [];
  readonly lent: Lent[] = [];
  readonly replaced: (string | undefined)[] = [];
  readonly confirmed = new Set<string>();
  /** Transactions whose coins were spent elsewhere. */
  readonly gone = new Set<string>();
  mostClaims = 1_000;
  mostPerKw = 1_000_000;
  /** Of the feerate, times the claims that pay it. */
  mostInAll = Infinity;
  costSat = 100n;
  availableSat = 100_000n;
  readonly #spent = new Set<string>();
  #changeSat = 50_000n;

  get parts(): ClaimParts {
    return { signer: signer.claims, coins: this, destinationScript: keysManager.destinationScript() };
  }

  nameOf(each: { readonly tx: Transaction } | undefined): string {
    return each === undefined ? 'none' : toHex(transactionId(each.tx)).slice(0, 8);
  }

  bump(request: BumpRequest): WalletTransaction {
    const { tx, feeratePerKw, mostSat, replaces } = request;
    this.asked.push(request);
    const isTooMuch = feeratePerKw > this.mostPerKw || tx.inputs.length * feeratePerKw > this.mostInAll;
    if (tx.inputs.length > this.mostClaims || isTooMuch || this.costSat > mostSat)
      throw new GlowwormError('InsufficientFunds', 'there are no coins');
    this.replaced.push(replaces && this.nameOf(replaces));
    const coin = { txid: COIN.txid, vout: COIN.vout, sequence: 0, scriptSig: new Uint8Array(0), witness: [] };
    const change = { amountSat: this.#changeSat--, script: new Uint8Array(22) };
    return walletTransaction({ ...tx, inputs: [...tx.inputs, coin], outputs: [...tx.outputs, change] }, this.costSat);
  }

  valueSat(): bigint {
    return this.availableSat;
  }

  coinsSpentBy(txid: Uint8Array): readonly Coin[] {
    const name = toHex(txid).slice(0, 8);
    return this.#spent.has(name) && !this.gone.has(name) ? [COIN] : [];
  }

  isConfirmed(txid: Uint8Array): boolean {
    return this.confirmed.has(toHex(txid).slice(0, 8));
  }

  transactionMade(tx: Transaction): void {
    this.told.push(`seen ${this.nameOf({ tx })}`);
    this.#spent.add(this.nameOf({ tx }));
  }

  transactionDropped(txid: Uint8Array): void {
    const name = toHex(txid).slice(0, 8);
    this.told.push(`dropped ${name}`);
    this.#spent.delete(name);
  }

  lend(lent: Lent): void {
    this.lent.push(lent);
  }
}
