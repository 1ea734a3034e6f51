import type { OnchainSent } from '../../worker/client/api.ts';
import type { OnchainPayer } from '../../worker/client/onchain-payment.ts';
import { OnchainPayments } from '../../worker/client/onchain-payments.ts';
import { SentPayments } from '../../worker/client/sent-payments.ts';
import type { OnchainSend } from '../../worker/client/onchain-send.ts';
import type { RejectReason } from '../../worker/edges/chain/broadcaster.ts';
import { mnemonicSeed } from '../../worker/engine/keys/mnemonic.ts';
import { nobleSecp256k1 as secp } from '../../worker/engine/primitives/secp256k1.ts';
import { wireTxid } from '../../worker/engine/transactions/txid.ts';
import { Descriptors, type ScriptOrigin } from '../../worker/engine/wallet/descriptors.ts';
import type { PaymentTerms } from '../../worker/engine/wallet/wallet-transaction.ts';
import { OnchainWallet } from '../../worker/engine/wallet/wallet.ts';
import { paymentTerms } from '../engine/wallet/paid.ts';

/** When everything happens. */
export const AT = 1_700_000_000_000;
export const ELSEWHERE = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
export const descriptors: Descriptors = new Descriptors(mnemonicSeed('abandon '.repeat(11) + 'about'), 'regtest');

/** A wallet with coins, whose payments are collected instead of broadcast. */
export class FakePayer implements OnchainPayer {
  readonly network = 'regtest';
  readonly wallet: OnchainWallet = new OnchainWallet(secp, descriptors);
  /** What left, in order. */
  readonly sends: OnchainSend[] = [];
  readonly sent: SentPayments = new SentPayments([], {
    undo: () => undefined,
    record: () => undefined,
    log: () => undefined,
  });
  readonly payments: OnchainPayments = new OnchainPayments({
    payer: this,
    turn: (work) => work(),
    durably: async (work) => work(),
    soon: (callback) => this.betweenTurns(callback),
    changed: () => undefined,
    now: () => AT,
  });
  /** What happens while a payment is signed. */
  betweenTurns: (goOn: () => void) => void = (goOn) => goOn();
  feeratePerKw = 1_000;
  reserveSat = 0n;
  #coins = 0;

  constructor(...amounts: readonly bigint[]) {
    this.wallet.bestBlockUpdated(1_000);
    for (const amountSat of amounts) this.receive(amountSat);
  }

  receive(amountSat: bigint): void {
    this.#confirm(this.wallet.newScript('receive'), amountSat);
  }

  /** Something has come to another wallet of the same words. */
  find(origin: ScriptOrigin, amountSat: bigint): void {
    this.#confirm(descriptors.script(origin), amountSat);
  }

  #confirm(script: Uint8Array, amountSat: bigint): void {
    const input = { txid: new Uint8Array(32).fill(++this.#coins), vout: 0, sequence: 0, witness: [] };
    const inputs = [{ ...input, scriptSig: new Uint8Array(0) }];
    this.wallet.transactionConfirmed({ version: 2, inputs, outputs: [{ amountSat, script }], locktime: 0 }, 990);
  }

  pay(request: Parameters<OnchainPayments['pay']>[0]): Promise<OnchainSent> {
    return this.payments.pay(request);
  }

  /** No server would have a payment. */
  takeBack(txid: string, reason: RejectReason): void {
    this.sent.takeBack(txid, reason);
    this.wallet.transactionDropped(wireTxid(txid));
  }

  draftWallet(): OnchainWallet {
    return new OnchainWallet(secp, descriptors, this.wallet.state);
  }

  onchainTerms(): PaymentTerms {
    return paymentTerms({
      feeratePerKw: this.feeratePerKw,
      reserveSat: this.reserveSat,
      against: this.sent.unsettled((script) => this.wallet.owns(script)),
    });
  }

  sendOnchain(send: OnchainSend): void {
    this.sends.push(send);
    this.sent.save(send);
  }

  onchainSend(txid: string): OnchainSend | undefined {
    return this.sent.get(txid);
  }

  replaceOnchain(txid: string, by: OnchainSend): void {
    this.sends.push(by);
    this.sent.replace(txid, by);
  }
}
