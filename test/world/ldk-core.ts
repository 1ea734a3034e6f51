import type { CoinWallet } from './coin-wallet.ts';
import { LdkObjects, type LdkOptions, type StoredNode } from './ldk-objects.ts';
import { type LdkBytes, LdkStore } from './ldk-store.ts';
import { walletSource } from './ldk-wallet.ts';
import type { ldk } from './ldk.ts';

export interface LdkCoreOptions extends Omit<LdkOptions, 'persist' | 'stored'> {
  readonly stored: LdkBytes;
  readonly wallet: CoinWallet;
}

/** The objects of one LDK node of the world, with its disk and its coins. */
export class LdkCore extends LdkObjects {
  readonly store: LdkStore;
  readonly bumper: ldk.BumpTransactionEventHandler;

  constructor(options: LdkCoreOptions) {
    const store = new LdkStore(options.stored, options.onError);
    super({ ...options, stored: nodeOf(options.stored), persist: store.persist });
    this.store = store;
    this.bumper = this.bumperWith(walletSource(options.wallet, options.onError));
  }
}

function nodeOf({ manager, monitors }: LdkBytes): StoredNode | undefined {
  if (manager === undefined) return undefined;
  return { manager, monitors: [...monitors.values()].map((whole) => ({ whole, updates: [] })) };
}
