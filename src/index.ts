import type { WalletConfig } from '../worker/client/api.ts';
import { WalletWorker } from './wallet-worker.ts';
import { walletOver, type Wallet } from './wallet.ts';

export type * from '../worker/client/api.ts';
export { GlowwormError, type ErrorDetails } from '../worker/engine/primitives/errors.ts';
export type { Wallet, WalletListener } from './wallet.ts';

export interface OpenWalletOptions extends WalletConfig {
  /** The worker to use, for hosts that have to load its script in a way of their own; it then belongs to the wallet. */
  readonly worker?: Worker;
}

/**
 * Starts the wallet's worker and opens the wallet in it.
 *
 * Rejects with a `GlowwormError`: `WalletOpenElsewhere` when another tab has it open, `WorkerDied` when the worker cannot
 * start, `ArgumentInvalid` for a wrong configuration, and what opening the storage gives.
 *
 * @example
 * const wallet = await openWallet({ network: 'signet', esploraUrls: ['https://mempool.space/signet/api'] });
 * const stop = wallet.subscribe((update) => { if (update.kind === 'snapshot') show(update.snapshot); });
 */
export async function openWallet(options: OpenWalletOptions): Promise<Wallet> {
  const { worker = new Worker(new URL('../worker/main.ts', import.meta.url), { type: 'module' }), ...config } = options;
  const link = new WalletWorker(worker);
  try {
    await link.call('open', [config]);
  } catch (error) {
    link.end();
    throw error;
  }
  return walletOver(link);
}
