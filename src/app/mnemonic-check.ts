/** What is known about words while somebody types them; `hint` is a sentence for the person. */
export interface MnemonicCheck {
  readonly kind: 'partial' | 'wrong' | 'complete';
  readonly words: readonly string[];
  readonly hint: string;
}

/** The English list of BIP 39 and its checksum. */
export interface MnemonicList {
  readonly words: readonly string[];
  readonly validate: (mnemonic: string) => boolean;
}

const WORD_COUNT = 12;

/** Checks every word but the one that is being typed, and the checksum once all are there. */
export function checkMnemonic(typed: string, list: MnemonicList): MnemonicCheck {
  const words = typed
    .normalize('NFKD')
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const isTyping = !/\s$/.test(typed);
  const known = new Set(list.words);
  for (const [index, word] of words.entries()) {
    const isLast = index === words.length - 1;
    const begun = isLast && isTyping && list.words.some((candidate) => candidate.startsWith(word));
    if (!known.has(word) && !begun) return wrong(words, `Word ${index + 1}, “${word}”, is not in the list.`);
  }
  if (words.length > WORD_COUNT) return wrong(words, `These are ${words.length} words; a wallet has ${WORD_COUNT}.`);
  const last = words.at(-1);
  if (words.length < WORD_COUNT || (last !== undefined && !known.has(last))) {
    return { kind: 'partial', words, hint: `${words.length} of ${WORD_COUNT} words` };
  }
  if (!list.validate(words.join(' '))) {
    return wrong(words, 'The words do not fit together: one of them is another word of the list, or two are swapped.');
  }
  return { kind: 'complete', words, hint: 'The words fit together.' };
}

function wrong(words: readonly string[], hint: string): MnemonicCheck {
  return { kind: 'wrong', words, hint };
}
