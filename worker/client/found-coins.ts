import { GlowwormError } from '../engine/primitives/errors.ts';
import { perVbyteOfKw } from '../engine/primitives/feerates.ts';
import { explorerTxid } from '../engine/transactions/txid.ts';
import { scriptOfAddress } from '../engine/wallet/address.ts';
import type { FoundSweep } from '../engine/wallet/found-sweep.ts';
import { feesOf, sumOf } from '../engine/wallet/wallet-transaction.ts';
import type { OnchainQuote } from './api.ts';
import { checkFee, type OnchainPayer } from './onchain-payment.ts';
import type { OnchainSend } from './onchain-send.ts';

/** What a sweep needs of the node: each transaction is signed in a turn of its own. */
export type FoundSweeper = Pick<OnchainPayer, 'network' | 'wallet' | 'onchainTerms' | 'sendOnchain'>;

export interface Turns {
  /** Runs a turn, and resolves when its outcome is durable. */
  durably<T>(work: () => T): Promise<T>;
}

/** What `sweepFound` would do now. Changes nothing. Throws `NothingToSweep`. */
export function quoteFound(sweeper: Pick<FoundSweeper, 'wallet' | 'onchainTerms'>): OnchainQuote {
  const { feeratePerKw } = sweeper.onchainTerms();
  const sweeps = sweepsOf(sweeper);
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
  turns: Turns,
  maxFeeSat: bigint | undefined,
  now: () => number,
): Promise<{ readonly txids: readonly string[]; readonly feeSat: bigint }> {
  // What comes while they are sent waits for the next time: its fee was not agreed to.
  const sweeps = sweepsOf(sweeper);
  checkFee(feesOf(sweeps), maxFeeSat);
  const address = await turns.durably(() => sweeper.wallet.newAddress());
  const sent: OnchainSend[] = [];
  for (const sweep of sweeps)
    sent.push(...(await turns.durably(() => sendSweep(sweeper, sweep, { address, at: now() }))));
  return { txids: sent.map(({ txid }) => txid), feeSat: feesOf(sent) };
}

function sweepsOf(sweeper: Pick<FoundSweeper, 'wallet' | 'onchainTerms'>): readonly FoundSweep[] {
  const sweeps = sweeper.wallet.foundSweeps(sweeper.onchainTerms().feeratePerKw);
  if (sweeps.length > 0) return sweeps;
  throw new GlowwormError(
    'NothingToSweep',
    'There are no confirmed coins on other addresses of these words, or they are worth less than the fee of taking them.',
  );
}

/** Nothing where a coin of it is gone; within a turn. */
function sendSweep(
  sweeper: FoundSweeper,
  sweep: FoundSweep,
  { address, at }: Pick<OnchainSend, 'address' | 'at'>,
): readonly OnchainSend[] {
  const { wallet, network } = sweeper;
  const built = wallet.sweepFound(scriptOfAddress(address, network), sweep);
  if (built === undefined) return [];
  const { txid, rawTx, feeSat } = built;
  const fate = { kind: 'waiting' } as const;
  const send = { txid: explorerTxid(txid), rawTx, address, amountSat: 0n, feeSat, at, fate };
  sweeper.sendOnchain(send);
  return [send];
}
