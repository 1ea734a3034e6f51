import { entropyToMnemonic, mnemonicToSeedSync, validateMnemonic } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { assert, GlowwormError } from '../primitives/errors.ts';

/** Twelve English words for 16 bytes of fresh entropy (BIP 39). */
export function mnemonicOf(entropy: Uint8Array): string {
  assert(entropy.length === 16, 'a mnemonic of twelve words holds 16 bytes');
  return entropyToMnemonic(entropy, wordlist);
}

/**
 * The words as BIP 39 wants them: lower case, one space between. Throws `MnemonicInvalid`, whose details name the
 * `reason` (`length`, `word` or `checksum`) and for a word its `position` from 1, but never the words themselves.
 */
export function checkedMnemonic(input: string): string {
  const words = input.normalize('NFKD').trim().toLowerCase().split(/\s+/u);
  if (![12, 15, 18, 21, 24].includes(words.length))
    throw new GlowwormError('MnemonicInvalid', `a recovery phrase has 12 to 24 words, not ${words.length}`, {
      reason: 'length',
    });
  const unknown = words.findIndex((word) => !wordlist.includes(word));
  if (unknown >= 0)
    throw new GlowwormError('MnemonicInvalid', `word ${unknown + 1} is not in the list of recovery words`, {
      reason: 'word',
      position: unknown + 1,
    });
  const mnemonic = words.join(' ');
  if (!validateMnemonic(mnemonic, wordlist))
    throw new GlowwormError('MnemonicInvalid', 'the words do not fit together: one is wrong or out of place', {
      reason: 'checksum',
    });
  return mnemonic;
}

/** The 64-byte seed of a mnemonic; slow on purpose. Throws `MnemonicInvalid`. */
export const mnemonicSeed = (mnemonic: string, passphrase = ''): Uint8Array =>
  mnemonicToSeedSync(checkedMnemonic(mnemonic), passphrase);
