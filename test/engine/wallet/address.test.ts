import { describe, expect, it } from 'vitest';
import type { Network } from '../../../worker/engine/primitives/network.ts';
import { mnemonicSeed } from '../../../worker/engine/keys/mnemonic.ts';
import { toHex } from '../../../worker/engine/primitives/bytes.ts';
import { addressOfScript, scripthash, scriptOfAddress } from '../../../worker/engine/wallet/address.ts';
import { Descriptors, type Branch } from '../../../worker/engine/wallet/descriptors.ts';

const seed = mnemonicSeed('abandon '.repeat(11) + 'about');

describe('addresses of BIP 84 and BIP 86, and those of BIP 44 and BIP 49', () => {
  const descriptors = new Descriptors(seed, 'bitcoin');

  it.each<[Branch, number, string]>([
    ['receive', 0, 'bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu'],
    ['receive', 1, 'bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g'],
    ['change', 0, 'bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el'],
    ['taproot', 0, 'bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr'],
    ['taproot', 1, 'bc1p4qhjn9zdvkux4e44uhx8tc55attvtyu358kutcqkudyccelu0was9fqzwh'],
    ['taprootChange', 0, 'bc1p3qkhfews2uk44qtvauqyr2ttdsw7svhkl9nkm9s9c3x4ax5h60wqwruhk7'],
    ['legacy', 0, '1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabA'],
    ['nested', 0, '37VucYSaXLCAsxYyAPfbSi9eh4iEcbShgf'],
  ])('%s %i', (branch, index, address) => {
    const script = descriptors.script({ branch, index });
    expect(addressOfScript(script, 'bitcoin')).toBe(address);
    expect(toHex(scriptOfAddress(address, 'bitcoin'))).toBe(toHex(script));
    expect(descriptors.originOf(script)).toEqual({ branch, index });
  });

  it('knows only scripts that it has made', () => {
    const script = new Descriptors(seed, 'bitcoin').script({ branch: 'receive', index: 5 });
    expect(new Descriptors(seed, 'bitcoin').originOf(script)).toBeUndefined();
  });
});

describe('addresses', () => {
  it.each<[string, Network, string]>([
    ['1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2', 'bitcoin', '76a91477bff20c60e522dfaa3350c39b030a5d004e839a88ac'],
    ['3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy', 'bitcoin', 'a914b472a266d0bd89c13706a4132ccfb16f7c3b9fcb87'],
    ['BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4', 'bitcoin', '0014751e76e8199196d454941c45d1b3a323f1433bd6'],
    ['tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx', 'signet', '0014751e76e8199196d454941c45d1b3a323f1433bd6'],
    ['bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080', 'regtest', '0014751e76e8199196d454941c45d1b3a323f1433bd6'],
    [
      'tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7',
      'testnet',
      '00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262',
    ],
  ])('%s of %s', (address, network, script) => {
    expect(toHex(scriptOfAddress(address, network))).toBe(script);
  });

  it.each<[string, Network]>([
    ['bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4', 'signet'],
    ['tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx', 'regtest'],
    ['bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080', 'bitcoin'],
    ['1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2', 'testnet'],
  ])('%s is not of %s', (address, network) => {
    expect(() => scriptOfAddress(address, network)).toThrow(expect.objectContaining({ code: 'AddressWrongNetwork' }));
  });

  it.each([
    ['a wrong checksum', 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5'],
    ['mixed case', 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8F3T4'],
    ['version 0 with the checksum of later versions', 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh'],
    ['a witness version without meaning', 'bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs'],
    ['nothing', ''],
    ['an invoice', 'lnbc1pvjluezpp5qqqsyqcyq5rqwzqf'],
  ])('refuse %s', (_, address) => {
    expect(() => scriptOfAddress(address, 'bitcoin')).toThrow(expect.objectContaining({ code: 'AddressInvalid' }));
  });

  it('have no form for a bare script', () => {
    expect(addressOfScript(Uint8Array.of(0x6a), 'bitcoin')).toBeUndefined();
  });

  it('are asked for by the hash of their script', () => {
    expect(scripthash(new Uint8Array(0))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });
});
