import { reversed, toHex } from '../engine/primitives/bytes.ts';
import { GlowwormError } from '../engine/primitives/errors.ts';
import type { Network } from '../engine/primitives/network.ts';
import { sat } from '../engine/primitives/units.ts';
import { scriptOfAddress } from '../engine/wallet/address.ts';
import type { PaymentTarget } from '../engine/wallet/payment-plan.ts';
import type { SpendTerms, UnsignedTransaction, WalletPayment } from '../engine/wallet/wallet-transaction.ts';
import type { OnchainWallet } from '../engine/wallet/wallet.ts';
import type { OnchainQuote } from './api.ts';
import type { OnchainSend } from './wallet-records.ts';

export interface OnchainRequest {
  readonly address: string;
  readonly amountSat: bigint | 'all';
}

/** What a payment out of the on-chain wallet needs of the node. */
export interface OnchainPayer {
  readonly network: Network;
  readonly wallet: OnchainWallet;
  /** Another wallet with the same coins: what is built with it leaves the wallet as it is. */
  draftWallet(): OnchainWallet;
  onchainTerms(): SpendTerms;
  /** Stores and broadcasts; within a turn. */
  sendOnchain(send: OnchainSend): void;
}

/** What a payment would cost now. Changes nothing. Throws what `OnchainWallet.plan` throws, and `scriptOfAddress`. */
export function quoteOnchain(payer: OnchainPayer, request: OnchainRequest): OnchainQuote {
  const terms = payer.onchainTerms();
  const planned = payer.draftWallet().plan(targetOf(payer, request), terms);
  return {
    amountSat: planned.reduce((sum, { paidSat }) => sum + paidSat, 0n),
    feeSat: planned.reduce((sum, { feeSat }) => sum + feeSat, 0n),
    feeratePerVbyte: terms.feeratePerKw / SAT_PER_KW_OF_SAT_PER_VBYTE,
    transactions: planned.length,
  };
}

/**
 * The transactions of a payment. The same coins and the same feerate give the same transactions, so their fee is known before
 * the wallet changes. Throws `FeeTooHigh` where it is above `maxFeeSat`, and what `quoteOnchain` throws.
 */
export function planOnchain(
  payer: OnchainPayer,
  request: OnchainRequest & { readonly maxFeeSat?: bigint },
): readonly UnsignedTransaction[] {
  const { feeSat } = quoteOnchain(payer, request);
  if (request.maxFeeSat !== undefined && feeSat > request.maxFeeSat)
    throw new GlowwormError(
      'FeeTooHigh',
      `The network fee has risen to ${feeSat} sat, above the ${request.maxFeeSat} sat that were agreed to. Nothing was sent.`,
      { feeSat, maxFeeSat: request.maxFeeSat },
    );
  return payer.wallet.plan(targetOf(payer, request), payer.onchainTerms());
}

/** Records and broadcasts a payment's transactions, within a turn: all of them or none. Their txids as explorers print them. */
export function sendOnchain(
  payer: OnchainPayer,
  request: OnchainRequest,
  signed: readonly WalletPayment[],
  at: number,
): readonly string[] {
  const address = request.address.trim();
  return signed.map(({ tx, rawTx, txid, feeSat, paidSat }) => {
    payer.wallet.transactionMade(tx);
    const send = { txid: toHex(reversed(txid)), rawTx, address, amountSat: paidSat, feeSat, at, confirmed: false };
    payer.sendOnchain(send);
    return send.txid;
  });
}

/** A vbyte is four weight units: 1 sat per vbyte is 250 sat per 1000 weight units. */
const SAT_PER_KW_OF_SAT_PER_VBYTE = 250;

function targetOf({ network }: OnchainPayer, { address, amountSat }: OnchainRequest): PaymentTarget {
  const script = scriptOfAddress(address.trim(), network);
  return amountSat === 'all' ? { everythingTo: script } : [{ amountSat: sat(amountSat), script }];
}
