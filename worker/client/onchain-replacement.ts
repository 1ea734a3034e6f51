import { GlowwormError } from '../engine/primitives/errors.ts';
import { perVbyteOfKw } from '../engine/primitives/feerates.ts';
import { decodeTransaction } from '../engine/transactions/transaction.ts';
import { explorerTxid, wireTxid } from '../engine/transactions/txid.ts';
import { addressOfScript } from '../engine/wallet/address.ts';
import { weightOf } from '../engine/wallet/coin-selection.ts';
import { baseWeightOf } from '../engine/wallet/payment-plan.ts';
import type { UnsignedTransaction, WalletPayment } from '../engine/wallet/wallet-transaction.ts';
import type { OnchainWallet } from '../engine/wallet/wallet.ts';
import type { ReplacementQuote, WalletApi } from './api.ts';
import { checkFee, termsOf, type OnchainPayer } from './onchain-payment.ts';
import type { Fate, OnchainSend } from './onchain-send.ts';

export type ReplacementRequest = Parameters<WalletApi['bumpOnchain']>[0];

/** What becomes of the payment: the same at a higher fee, or none. */
export type ReplacementKind = 'replace' | 'cancel';

/** What it costs once the payment is replaced, instead of what it costs now. Changes nothing; throws as `planReplacing`. */
export function quoteReplacing(
  payer: OnchainPayer,
  kind: ReplacementKind,
  request: ReplacementRequest,
): ReplacementQuote {
  const { tx, coins, feeSat } = plan(payer, payer.draftWallet(), kind, request);
  const perKw = Math.floor((Number(feeSat) * 1000) / weightOf(baseWeightOf(tx.outputs), coins));
  return { feeSat, feeratePerVbyte: perVbyteOfKw(perKw) };
}

/** Throws `PaymentUnknown`, `PaymentNotReplaceable`, `InsufficientFunds` and `FeeTooHigh`. */
export function planReplacing(
  payer: OnchainPayer,
  kind: ReplacementKind,
  request: ReplacementRequest,
): readonly UnsignedTransaction[] {
  checkFee(quoteReplacing(payer, kind, request).feeSat, request.maxFeeSat);
  return [plan(payer, payer.wallet, kind, request)];
}

/** Whether nothing has happened to the payment since, nor to its change, nor to the coins that come in beside its own. */
export function isReplaceable(
  payer: OnchainPayer,
  request: ReplacementRequest,
  coins: UnsignedTransaction['coins'],
): boolean {
  const send = payer.onchainSend(request.txid);
  if (send === undefined || send.fate.kind === 'replaced') return false;
  const added = coins.filter(({ spentBy }) => spentBy === undefined);
  return payer.wallet.payments.isReplaceable(decodeTransaction(send.rawTx)) && payer.wallet.areThere(added);
}

/** Records and broadcasts it in place of the payment, within a turn. Its txid as explorers print it. */
export function sendReplacement(
  payer: OnchainPayer,
  kind: ReplacementKind,
  request: ReplacementRequest,
  { tx, rawTx, txid, feeSat }: WalletPayment,
  at: number,
): string {
  payer.wallet.transactionDropped(wireTxid(request.txid));
  payer.wallet.transactionMade(tx);
  const nobody = {
    address: addressOfScript(tx.outputs[0]?.script ?? new Uint8Array(0), payer.network) ?? '',
    amountSat: 0n,
  };
  // What servers have said of the one says nothing of the other.
  const { accepted: _, ...replaced } = sendOf(payer, request);
  const send: OnchainSend = {
    ...replaced,
    ...(kind === 'cancel' ? nobody : {}),
    txid: explorerTxid(txid),
    rawTx,
    feeSat,
    at,
    fate: { kind: 'waiting' },
  };
  payer.replaceOnchain(request.txid, send);
  return send.txid;
}

function plan(
  payer: OnchainPayer,
  wallet: OnchainWallet,
  kind: ReplacementKind,
  request: ReplacementRequest,
): UnsignedTransaction {
  const { rawTx, feeSat } = sendOf(payer, request);
  const replaced = { tx: decodeTransaction(rawTx), feeSat };
  const terms = termsOf(payer, request);
  return kind === 'replace'
    ? wallet.payments.prepareReplacement(replaced, terms)
    : wallet.payments.prepareCancellation(replaced, terms);
}

function sendOf(payer: OnchainPayer, { txid }: ReplacementRequest): OnchainSend {
  const send = payer.onchainSend(txid);
  if (send === undefined) throw new GlowwormError('PaymentUnknown', 'This wallet has made no such payment.', { txid });
  const problem = NOT_REPLACEABLE[send.fate.kind];
  if (problem !== undefined) throw new GlowwormError('PaymentNotReplaceable', problem, { txid });
  return send;
}

/** What is in a block the wallet itself refuses, which knows the block. */
const NOT_REPLACEABLE: Partial<Record<Fate['kind'], string>> = {
  replaced: 'Another payment has taken its place already.',
  refused: 'It was not sent: there is nothing to replace.',
  displaced: 'It cannot arrive any more: there is nothing to replace.',
};
