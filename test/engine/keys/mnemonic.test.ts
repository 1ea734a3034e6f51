import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../worker/engine/primitives/bytes.ts';
import { checkedMnemonic, mnemonicOf, mnemonicSeed } from '../../../worker/engine/keys/mnemonic.ts';

/** From the reference vectors of BIP 39. */
const vector = {
  entropy: '7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f',
  mnemonic: 'legal winner thank year wave sausage worth useful legal winner thank yellow',
  seed: '2e8905819b8723fe2c1d161860e5ee1830318dbf49a83bd451cfb8440c28bd6fa457fe1296106559a3c80937a1c1069be3a3a5bd381ee6260e8d9739fce1f607',
};

describe('mnemonics', () => {
  it('are those of BIP 39', () => {
    expect(mnemonicOf(fromHex(vector.entropy))).toBe(vector.mnemonic);
    expect(toHex(mnemonicSeed(vector.mnemonic, 'TREZOR'))).toBe(vector.seed);
  });

  it('are forgiven their spacing and capitals', () => {
    expect(checkedMnemonic(`  ${vector.mnemonic.toUpperCase().replaceAll(' ', '\n ')} `)).toBe(vector.mnemonic);
  });

  it.each([
    ['a word too few', vector.mnemonic.replace(' yellow', ''), { reason: 'length' }],
    ['nothing', '', { reason: 'length' }],
    ['an unknown word', vector.mnemonic.replace('year', 'yeer'), { reason: 'word', position: 4 }],
    ['two words exchanged', vector.mnemonic.replace('legal winner', 'winner legal'), { reason: 'checksum' }],
  ])('with %s say what is wrong', (_, mnemonic, details) => {
    expect(() => mnemonicSeed(mnemonic)).toThrow(expect.objectContaining({ code: 'MnemonicInvalid', details }));
  });
});
