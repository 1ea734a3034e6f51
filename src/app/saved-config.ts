import type { NetworkName, WalletConfig } from '../../worker/client/api.ts';

const KEY = 'glowworm.config';

/** Public servers to begin with; a person may enter their own. */
export const DEFAULT_ESPLORA: Readonly<Record<NetworkName, string>> = {
  signet: 'https://mempool.space/signet/api',
  testnet: 'https://blockstream.info/testnet/api',
  testnet4: 'https://mempool.space/testnet4/api',
  mutinynet: 'https://mutinynet.com/api',
  regtest: 'http://127.0.0.1:3000',
  bitcoin: 'https://blockstream.info/api',
};

/** A wallet per network: its keys and channels mean nothing on another. */
export function configOf(network: NetworkName, esploraUrl: string): WalletConfig {
  return { network, esploraUrls: [esploraUrl.trim().replace(/\/+$/, '')], name: network };
}

/** What was chosen on an earlier visit. */
export function savedConfig(): WalletConfig | undefined {
  try {
    const { network, esploraUrl } = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Readonly<Record<string, unknown>>;
    if (!isNetwork(network) || typeof esploraUrl !== 'string') return undefined;
    return configOf(network, esploraUrl);
  } catch {
    return undefined;
  }
}

export function saveConfig(config: WalletConfig): void {
  localStorage.setItem(KEY, JSON.stringify({ network: config.network, esploraUrl: config.esploraUrls[0] ?? '' }));
}

/** Makes the next visit ask again; the wallet's data stay. */
export function forgetConfig(): void {
  localStorage.removeItem(KEY);
}

export function isNetwork(value: unknown): value is NetworkName {
  return typeof value === 'string' && Object.hasOwn(DEFAULT_ESPLORA, value);
}
