import { Address, NETWORK, OutScript, TEST_NETWORK } from '@scure/btc-signer';
import type { Network } from '../primitives/network.ts';
import { toHex } from '../primitives/bytes.ts';
import { GlowwormError } from '../primitives/errors.ts';
import { sha256 } from '../primitives/hash.ts';

type AddressFormat = typeof NETWORK;

const FORMATS: Readonly<Record<Network, AddressFormat>> = {
  bitcoin: NETWORK,
  testnet: TEST_NETWORK,
  // These have testnet's prefixes: their addresses can't be told apart.
  testnet4: TEST_NETWORK,
  signet: TEST_NETWORK,
  mutinynet: TEST_NETWORK,
  regtest: { ...TEST_NETWORK, bech32: 'bcrt' },
};

/**
 * The output script of an address. Throws `AddressWrongNetwork` for one of another network, and `AddressInvalid` for
 * anything else that is not an address, which includes witness versions that nobody can spend from yet.
 */
export function scriptOfAddress(address: string, network: Network): Uint8Array {
  const script = decode(address, network);
  if (script) return script;
  const other = (['bitcoin', 'testnet', 'regtest'] as const).find((candidate) => decode(address, candidate));
  if (!other) throw new GlowwormError('AddressInvalid', 'This is not a bitcoin address.');
  throw new GlowwormError('AddressWrongNetwork', `This is an address of ${other}, but the wallet is on ${network}.`, {
    addressNetwork: other,
    network,
  });
}

/** The address of an output script; `undefined` for a script that has none. */
export function addressOfScript(script: Uint8Array, network: Network): string | undefined {
  try {
    return Address(FORMATS[network]).encode(OutScript.decode(script));
  } catch {
    return undefined;
  }
}

/** How Esplora names a script: SHA256 of it, in hex. */
export const scripthash = (script: Uint8Array): string => toHex(sha256(script));

function decode(address: string, network: Network): Uint8Array | undefined {
  try {
    return OutScript.encode(Address(FORMATS[network]).decode(address.trim()));
  } catch {
    return undefined;
  }
}
