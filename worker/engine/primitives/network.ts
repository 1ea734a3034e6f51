/** The chains that a wallet can live on; `testnet` is the third. */
export type Network = 'bitcoin' | 'testnet' | 'testnet4' | 'signet' | 'mutinynet' | 'regtest';

/** The coin type of BIP 44 paths: 1 stands for every test network. */
export const coinType = (network: Network): number => (network === 'bitcoin' ? 0 : 1);
