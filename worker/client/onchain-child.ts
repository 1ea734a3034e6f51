import { perVbyteOfKw } from '../engine/primitives/feerates.ts';
import { wireTxid } from '../engine/transactions/txid.ts';
import type { PaidWeight } from '../engine/wallet/coin.ts';
import type { UnsignedTransaction } from '../engine/wallet/wallet-transaction.ts';
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

const plan = (
  payer: OnchainPayer,
  wallet: OnchainWallet,
  request: ReplacementRequest,
  parent: PaidWeight,
): UnsignedTransaction => wallet.payments.prepareChild(wireTxid(request.txid), parent, termsOf(payer, request));
