import { GlowwormError } from '../engine/primitives/errors.ts';
import { perKwOfVbyte, perVbyteOfKw } from '../engine/primitives/feerates.ts';
import type { Network } from '../engine/primitives/network.ts';
import { sat } from '../engine/primitives/units.ts';
import { addressOfScript, scriptOfAddress } from '../engine/wallet/address.ts';
import type { PaymentTarget } from '../engine/wallet/payment-plan.ts';
import type { TransactionOutput } from '../engine/transactions/transaction.ts';
import { explorerTxid } from '../engine/transactions/txid.ts';
import {
  feesOf,
  sumOf,
  type PaymentTerms,
  type UnsignedTransaction,
  type WalletPayment,
} from '../engine/wallet/wallet-transaction.ts';
import type { OnchainWallet } from '../engine/wallet/wallet.ts';
import type { OnchainOutput, OnchainQuote, WalletApi } from './api.ts';
import type { OnchainSend } from './onchain-send.ts';

export type OnchainRequest = Parameters<WalletApi['sendOnchain']>[0];

/** What a payment out of the on-chain wallet needs of the node. */
export interface OnchainPayer {
  readonly network: Network;
  readonly wallet: OnchainWallet;
  /** Another wallet with the same coins: what is built with it leaves the wallet as it is. */
  draftWallet(): OnchainWallet;
  onchainTerms(): PaymentTerms;
  /** A payment by its txid as explorers print it. */
  onchainSend(txid: string): OnchainSend | undefined;
  /** As `sendOnchain`, in place of a payment with that txid. */
  replaceOnchain(txid: string, by: OnchainSend): void;
  /** Stores and broadcasts; within a turn. */
  sendOnchain(send: OnchainSend): void;
}

/** What a payment would cost now. Changes nothing. Throws what `PaymentBuilder.prepare` throws, and `scriptOfAddress`. */
export function quoteOnchain(payer: OnchainPayer, request: OnchainRequest): OnchainQuote {
  const terms = termsOf(payer, request);
  const planned = payer.draftWallet().payments.prepare(targetOf(payer, request), terms);
  return {
    amountSat: planned.reduce((sum, { paidSat }) => sum + paidSat, 0n),
    feeSat: feesOf(planned),
    feeratePerVbyte: perVbyteOfKw(terms.feeratePerKw),
    transactions: planned.length,
  };
}

/**
 * The transactions of a payment, within a turn. The same coins and the same feerate give the same transactions, so their fee is what
 * was quoted. Throws `FeeTooHigh` where it is above `maxFeeSat`, and what `quoteOnchain` throws.
 */
export function planOnchain(payer: OnchainPayer, request: OnchainRequest): readonly UnsignedTransaction[] {
  const { wallet } = payer;
  const before = wallet.state;
  const planned = wallet.payments.prepare(targetOf(payer, request), termsOf(payer, request));
  try {
    checkFee(feesOf(planned), request.maxFeeSat);
    return planned;
  } catch (error) {
    // The scripts of its change are as fresh as they were.
    wallet.rollBack(before);
    throw error;
  }
}

/** Throws `FeeTooHigh` where a fee is above what was agreed to. */
export function checkFee(feeSat: bigint, maxFeeSat: bigint | undefined): void {
  if (maxFeeSat === undefined || feeSat <= maxFeeSat) return;
  throw new GlowwormError(
    'FeeTooHigh',
    `The network fee has risen to ${feeSat} sat, above the ${maxFeeSat} sat that were agreed to. Nothing was sent.`,
    { feeSat, maxFeeSat },
  );
}

/** Records and broadcasts a payment's transactions, within a turn: all of them or none. Their txids as explorers print them. */
export function sendOnchain(
  payer: OnchainPayer,
  request: OnchainRequest,
  signed: readonly WalletPayment[],
  at: number,
): readonly string[] {
  const address = recipientsOf(request)
    .map((each) => each.address.trim())
    .join(', ');
  const { label } = request;
  const isElsewhere = ({ script }: TransactionOutput): boolean => !payer.wallet.owns(script);
  return signed.map(({ tx, rawTx, txid, feeSat }) => {
    payer.wallet.transactionMade(tx);
    const amountSat = sumOf(tx.outputs.filter(isElsewhere));
    const send: OnchainSend = {
      txid: explorerTxid(txid),
      rawTx,
      address,
      amountSat,
      feeSat,
      at,
      fate: { kind: 'waiting' },
    };
    payer.sendOnchain(label === undefined || label === '' ? send : { ...send, label });
    return send.txid;
  });
}

/** Records and broadcasts what pays nobody but this wallet, within a turn. Its txid as explorers print it. */
export function sendToSelf(payer: OnchainPayer, { tx, rawTx, txid, feeSat }: WalletPayment, at: number): string {
  payer.wallet.transactionMade(tx);
  const address = addressOfScript(tx.outputs[0]?.script ?? new Uint8Array(0), payer.network) ?? '';
  const fate = { kind: 'waiting' } as const;
  const send = { txid: explorerTxid(txid), rawTx, address, amountSat: 0n, feeSat, at, fate };
  payer.sendOnchain(send);
  return send.txid;
}

/** With the feerate that was chosen; what is kept for closes counts at that of the market all the same. */
export function termsOf(
  payer: Pick<OnchainPayer, 'onchainTerms'>,
  { feeratePerVbyte }: { readonly feeratePerVbyte?: number },
): PaymentTerms {
  const terms = payer.onchainTerms();
  if (feeratePerVbyte === undefined) return terms;
  return { ...terms, feeratePerKw: perKwOfVbyte(feeratePerVbyte) };
}

const recipientsOf = (request: OnchainRequest): readonly { readonly address: string }[] =>
  'outputs' in request ? request.outputs : [request];

function targetOf({ network }: OnchainPayer, request: OnchainRequest): PaymentTarget {
  const output = ({ address, amountSat }: OnchainOutput): TransactionOutput => ({
    amountSat: sat(amountSat),
    script: scriptOfAddress(address.trim(), network),
  });
  if ('outputs' in request) return request.outputs.map(output);
  const { address, amountSat } = request;
  if (amountSat === 'all') return { everythingTo: scriptOfAddress(address.trim(), network) };
  return [output({ address, amountSat })];
}
