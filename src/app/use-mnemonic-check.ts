import { useEffect, useMemo, useState } from 'preact/hooks';
import { checkMnemonic, type MnemonicCheck, type MnemonicList } from './mnemonic-check.ts';

/** The check of what is typed; the word list is only loaded by those who restore. */
export function useMnemonicCheck(typed: string): MnemonicCheck {
  const [list, setList] = useState<MnemonicList>();
  useEffect(() => {
    void loadList().then(setList);
  }, []);
  return useMemo(
    () =>
      list === undefined ? { kind: 'partial', words: [], hint: 'Loading the word list…' } : checkMnemonic(typed, list),
    [typed, list],
  );
}

async function loadList(): Promise<MnemonicList> {
  const [{ validateMnemonic }, { wordlist }] = await Promise.all([
    import('@scure/bip39'),
    import('@scure/bip39/wordlists/english.js'),
  ]);
  return { words: wordlist, validate: (mnemonic) => validateMnemonic(mnemonic, wordlist) };
}
