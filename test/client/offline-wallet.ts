import { openWalletOn } from '../../worker/client/wallet.ts';
import type { ServedWallet } from '../../worker/client/endpoint.ts';
import type { WalletPlatform } from '../../worker/client/platform.ts';
import { platformTimers } from '../../worker/edges/transport/timers.ts';
import { FakePlatform } from '../edges/chain/fake-platform.ts';

/** Opens a wallet of this name that reaches nobody; its database is the one of the global scope. */
export const openOffline = (name: string, storage: WalletPlatform['storage']): Promise<ServedWallet> =>
  openWalletOn(
    { network: 'regtest', esploraUrls: ['http://esplora.test'], name },
    {
      fetch: new FakePlatform(() => 'drop').fetch,
      connectWebSocket: () => {
        throw new Error('no network');
      },
      entropy: { getSecureRandomBytes: () => crypto.getRandomValues(new Uint8Array(32)) },
      timers: platformTimers,
      storage,
      soon: (callback) => void setImmediate(callback),
    },
  );
