import { validateMnemonic } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { describe, expect, it } from 'vitest';
import { checkMnemonic, type MnemonicCheck } from '../../../src/app/mnemonic-check.ts';
import { WORDS } from '../fake-wallet.ts';

function check(typed: string): MnemonicCheck {
  return checkMnemonic(typed, { words: wordlist, validate: (mnemonic) => validateMnemonic(mnemonic, wordlist) });
}

describe('checkMnemonic', () => {
  it.each(['', 'le', 'legal', 'legal win', 'legal winner '])('lets somebody type %j', (typed) => {
    expect(check(typed).kind).toBe('partial');
  });

  it('counts', () => {
    expect(check('legal winner thank ').hint).toBe('3 of 12 words');
  });

  it.each([
    ['legl', 1],
    ['legal winer thank', 2],
    ['legal wint ', 2],
  ])('finds the wrong word in %j', (typed, number) => {
    expect(check(typed)).toMatchObject({ kind: 'wrong', hint: expect.stringContaining(`Word ${number}`) });
  });

  it('finds swapped words', () => {
    const [first = '', second = '', ...rest] = WORDS.split(' ');
    expect(check([second, first, ...rest].join(' '))).toMatchObject({ kind: 'wrong' });
  });

  it('finds words too many', () => {
    expect(check(`${WORDS} legal`)).toMatchObject({ kind: 'wrong', hint: expect.stringContaining('13 words') });
  });

  it('waits for the end of the last word', () => {
    expect(check(WORDS.slice(0, -2)).kind).toBe('partial');
  });

  it.each([WORDS, `  ${WORDS.toUpperCase()}  `, WORDS.replaceAll(' ', '\n')])('accepts %j', (typed) => {
    expect(check(typed)).toMatchObject({ kind: 'complete', words: WORDS.split(' ') });
  });
});
