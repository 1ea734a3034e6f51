import { exposeWallet } from './client/endpoint.ts';
import { openLocked } from './client/endpoint-lock.ts';
import { openWallet } from './client/wallet.ts';

exposeWallet(self, {
  open: (config) => openLocked(config, navigator.locks, (checked) => openWallet(checked, globalThis)),
  onInternalError: (thrown) => console.error(thrown),
});
