import { equalBytes, reversed, toHex } from '../engine/primitives/bytes.ts';
import { GlowwormError } from '../engine/primitives/errors.ts';
import type { Network } from '../engine/primitives/network.ts';
import { sat } from '../engine/primitives/units.ts';
import { scriptOfAddress } from '../engine/wallet/address.ts';
import { sumOf, type SpendTerms } from '../engine/wallet/wallet-transaction.ts';
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

/** What a payment would cost now. Changes nothing. Throws what `OnchainWallet.send` throws. */
export function quoteOnchain(payer: OnchainPayer, request: OnchainRequest): OnchainQuote {
  const { address, amountSat } = normal(request);
  const terms = payer.onchainTerms();
  const { tx, feeSat } = payer.draftWallet().send(address, amountSat, terms);
  const script = scriptOfAddress(address, payer.network);
  const paid = tx.outputs.filter((output) => equalBytes(output.script, script));
  return {
    amountSat: amountSat === 'all' ? sumOf(paid) : amountSat,
    feeSat,
    feeratePerVbyte: terms.feeratePerKw / SAT_PER_KW_OF_SAT_PER_VBYTE,
  };
}

/**
 * Makes the payment, within a turn. The same coins and the same feerate give the same transaction, so its fee is known before
 * the wallet's coins count as spent. Throws `FeeTooHigh` where it is above `maxFeeSat`, and what `quoteOnchain` throws.
 */
export function payOnchain(
  payer: OnchainPayer,
  request: OnchainRequest & { readonly maxFeeSat?: bigint },
  at: number,
): { readonly txid: string; readonly feeSat: bigint } {
  const quote = quoteOnchain(payer, request);
  if (request.maxFeeSat !== undefined && quote.feeSat > request.maxFeeSat)
    throw new GlowwormError(
      'FeeTooHigh',
      `The network fee has risen to ${quote.feeSat} sat, above the ${request.maxFeeSat} sat that were agreed to. Nothing was sent.`,
      { feeSat: quote.feeSat, maxFeeSat: request.maxFeeSat },
    );
  const { address, amountSat } = normal(request);
  const sent = payer.wallet.send(address, amountSat, payer.onchainTerms());
  const txid = toHex(reversed(sent.txid));
  const { rawTx, feeSat } = sent;
  payer.sendOnchain({ txid, rawTx, address, amountSat: quote.amountSat, feeSat, at, confirmed: false });
  return { txid, feeSat };
}

/** A vbyte is four weight units: 1 sat per vbyte is 250 sat per 1000 weight units. */
const SAT_PER_KW_OF_SAT_PER_VBYTE = 250;

const normal = ({ address, amountSat }: OnchainRequest): OnchainRequest => ({
  address: address.trim(),
  amountSat: amountSat === 'all' ? amountSat : sat(amountSat),
});
