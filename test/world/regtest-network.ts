import { Address, OutScript } from '@scure/btc-signer';

/** Address prefixes of regtest, in the form that `@scure/btc-signer` takes. */
export const REGTEST = { bech32: 'bcrt', pubKeyHash: 0x6f, scriptHash: 0xc4, wif: 0xef } as const;

/** The scriptPubKey that `address` stands for; throws when it is no regtest address. */
export function scriptOfAddress(address: string): Uint8Array {
  return OutScript.encode(Address(REGTEST).decode(address));
}

/** The address of a scriptPubKey, if it has one. */
export function addressOfScript(script: Uint8Array): string | undefined {
  try {
    return Address(REGTEST).encode(OutScript.decode(script));
  } catch {
    return undefined;
  }
}
