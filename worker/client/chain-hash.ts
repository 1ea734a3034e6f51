import { fromHex } from '../engine/primitives/bytes.ts';
import type { NetworkName } from './api.ts';

/** Core makes the first block of every signet the same, whatever its challenge; only the magic of its messages differs (BIP 325). */
const SIGNET = 'f61eee3b63a380a477a063af32b2bbc97c9ff9f01f2c4225e973988108000000';

const GENESIS: Readonly<Record<NetworkName, string>> = {
  bitcoin: '6fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000',
  testnet: '43497fd7f826957108f4a30fd9cec3aeba79972084e90ead01ea330900000000',
  testnet4: '43f08bdab050e35b567c864b91f47f50ae725ae2de53bcfbbaf284da00000000',
  signet: SIGNET,
  mutinynet: SIGNET,
  regtest: '06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f',
};

/** The hash of a chain's genesis block, 32 bytes in wire order: BOLT 0's `chain_hash`. */
export const chainHashOf = (network: NetworkName): Uint8Array => fromHex(GENESIS[network]);
