import { explorerTxid } from '../engine/transactions/txid.ts';
import { GlowwormError } from '../engine/primitives/errors.ts';
import { perVbyteOfKw } from '../engine/primitives/feerates.ts';
import { scriptOfAddress } from '../engine/wallet/address.ts';
import { feesOf, sumOf } from '../engine/wallet/wallet-transaction.ts';
import type { OnchainQuote } from './api.ts';
import { checkFee, type OnchainPayer } from './onchain-payment.ts';

/** What a sweep needs of the node: each transaction is signed in a turn of its own. */
export interface FoundSweeper extends Pick<OnchainPayer, 'network' | 'wallet' | 'onchainTerms' | 'sendOnchain'> {
  /** Runs a turn, and resolves when its outcome is durable. */
  durably<T>(work: () => T): Promise<T>;
}

/** What `sweepFound` would do now. Changes nothing. Throws `NothingToSweep`. */
export function quoteFound(sweeper: Pick<FoundSweeper, 'wallet' | 'onchainTerms'>): OnchainQuote {
  const { feeratePerKw } = sweeper.onchainTerms();
  const sweeps = sweeper.wallet.foundSweeps(feeratePerKw);
  if (sweeps.length === 0)
    throw new GlowwormError(
      'NothingToSweep',
      'There are no confirmed coins on other addresses of these words, or they are worth less than the fee of taking them.',
    );
  return {
    amountSat: sumOf(sweeps),
    feeSat: feesOf(sweeps),
    feeratePerVbyte: perVbyteOfKw(feeratePerKw),
    transactions: sweeps.length,
  };
}

/**
 * Takes what was found on BIP 44 and 49 addresses to one fresh address of the wallet, a few coins a transaction. Rejects with
 * `NothingToSweep`, and with `FeeTooHigh` where all of it would cost more than `maxFeeSat`; then nothing was sent.
 */
export async function sweepFound(
  sweeper: FoundSweeper,
  maxFeeSat: bigint | undefined,
  now: () => number,
): Promise<{ readonly txids: readonly string[]; readonly feeSat: bigint }> {
  const { feeSat } = quoteFound(sweeper);
  checkFee(feeSat, maxFeeSat);
  // What comes meanwhile waits for the next time: it was in no quote.
  const { feeratePerKw } = sweeper.onchainTerms();
  const { length: count } = sweeper.wallet.foundSweeps(feeratePerKw);
  const address = await sweeper.durably(() => sweeper.wallet.newAddress());
  const script = scriptOfAddress(address, sweeper.network);
  const sent: { readonly txid: string; readonly feeSat: bigint }[] = [];
  while (sent.length < count) {
    const next = await sweeper.durably(() => {
      const built = sweeper.wallet.sweepFound(script, feeratePerKw);
      if (built === undefined) return undefined;
      const txid = explorerTxid(built.txid);
      const { rawTx, tx } = built;
      const send = { txid, rawTx, address, amountSat: sumOf(tx.outputs), feeSat: built.feeSat };
      sweeper.sendOnchain({ ...send, at: now(), confirmed: false });
      return send;
    });
    if (next === undefined) break;
    sent.push(next);
  }
  return { txids: sent.map(({ txid }) => txid), feeSat: feesOf(sent) };
}
