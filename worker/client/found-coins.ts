import { GlowwormError } from '../engine/primitives/errors.ts';
import { perVbyteOfKw } from '../engine/primitives/feerates.ts';
import type { FoundSweep } from '../engine/wallet/found-sweep.ts';
import { feesOf, sumOf, type UnsignedTransaction } from '../engine/wallet/wallet-transaction.ts';
import type { OnchainQuote, WalletApi } from './api.ts';
import { checkFee, type OnchainPayer } from './onchain-payment.ts';

export type SweepRequest = Parameters<WalletApi['sweepFound']>[0];

/** What `planSweep` would take now. Changes nothing. Throws `NothingToSweep`. */
export function quoteFound(payer: OnchainPayer): OnchainQuote {
  const sweeps = sweepsOf(payer);
  return {
    amountSat: sumOf(sweeps),
    feeSat: feesOf(sweeps),
    feeratePerVbyte: perVbyteOfKw(payer.onchainTerms().feeratePerKw),
    transactions: sweeps.length,
  };
}

/**
 * What takes that which was found on BIP 44 and 49 addresses to one fresh address of the wallet, a few coins a transaction; within a
 * turn. Throws `NothingToSweep`, and `FeeTooHigh` where all of it would cost more than `maxFeeSat`.
 */
export function planSweep(payer: OnchainPayer, { maxFeeSat }: SweepRequest): readonly UnsignedTransaction[] {
  const sweeps = sweepsOf(payer);
  checkFee(feesOf(sweeps), maxFeeSat);
  const { wallet } = payer;
  const script = wallet.newScript('receive');
  return sweeps.map((sweep) => wallet.payments.prepareSweep(sweep, script, payer.onchainTerms()));
}

function sweepsOf(payer: OnchainPayer): readonly FoundSweep[] {
  const sweeps = payer.wallet.foundSweeps(payer.onchainTerms().feeratePerKw);
  if (sweeps.length > 0) return sweeps;
  throw new GlowwormError(
    'NothingToSweep',
    'There are no confirmed coins on other addresses of these words, or they are worth less than the fee of taking them.',
  );
}
