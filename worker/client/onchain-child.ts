import { perVbyteOfKw } from '../engine/primitives/feerates.ts';
import { explorerTxid, wireTxid } from '../engine/transactions/txid.ts';
import { addressOfScript } from '../engine/wallet/address.ts';
import type { PaidWeight } from '../engine/wallet/coin.ts';
import type { UnsignedTransaction, WalletPayment } from '../engine/wallet/wallet-transaction.ts';
import type { OnchainWallet } from '../engine/wallet/wallet.ts';
import type { ReplacementQuote } from './api.ts';
import { checkFee, termsOf, type OnchainPayer } from './onchain-payment.ts';
import type { ReplacementRequest } from './onchain-replacement.ts';

/** What hurrying a payment from others costs. Changes nothing; throws as `planChild`. `parent` is what it has paid itself. */
export function quoteChild(payer: OnchainPayer, request: ReplacementRequest, parent: PaidWeight): ReplacementQuote {
  const { feeSat } = plan(payer, payer.draftWallet(), request, parent);
  return { feeSat, feeratePerVbyte: perVbyteOfKw(termsOf(payer, request).feeratePerKw) };
}

/** Throws `PaymentUnknown`, `PaymentNotReplaceable`, `InsufficientFunds` and `FeeTooHigh`. */
export function planChild(
  payer: OnchainPayer,
  request: ReplacementRequest,
  parent: PaidWeight,
): readonly UnsignedTransaction[] {
  checkFee(quoteChild(payer, request, parent).feeSat, request.maxFeeSat);
  return [plan(payer, payer.wallet, request, parent)];
}

/** Records and broadcasts it, within a turn: a payment of the wallet to itself. Its txid as explorers print it. */
export function sendChild(payer: OnchainPayer, { tx, rawTx, txid, feeSat }: WalletPayment, at: number): string {
  payer.wallet.transactionMade(tx);
  const address = addressOfScript(tx.outputs[0]?.script ?? new Uint8Array(0), payer.network) ?? '';
  const fate = { kind: 'waiting' } as const;
  const send = { txid: explorerTxid(txid), rawTx, address, amountSat: 0n, feeSat, at, fate };
  payer.sendOnchain(send);
  return send.txid;
}

const plan = (
  payer: OnchainPayer,
  wallet: OnchainWallet,
  request: ReplacementRequest,
  parent: PaidWeight,
): UnsignedTransaction => wallet.payments.prepareChild(wireTxid(request.txid), parent, termsOf(payer, request));
