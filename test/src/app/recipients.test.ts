import { describe, expect, it } from 'vitest';
import { NOBODY, outputsOf, totalSat, withAddress, wrongAddress, wrongAmount } from '../../../src/app/recipients.ts';
import { INVOICE } from '../fake-wallet.ts';

const ADA = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const BEN = 'bcrt1q94c3vs4hy6cygqtz0j5lhtpj7hy9xra3cpcc0y';

describe('a recipient', () => {
  it('is what was typed', () => {
    expect(withAddress({ address: '', amount: '7' }, 'bcrt1q')).toEqual({ address: 'bcrt1q', amount: '7' });
    expect(withAddress({ address: '', amount: '7' }, `bitcoin:${ADA}`)).toEqual({ address: ADA, amount: '7' });
  });

  it('takes both fields out of a link', () => {
    const pasted = withAddress({ address: '', amount: '7' }, `bitcoin:${ADA}?amount=0.0005`);
    expect(pasted).toEqual({ address: ADA, amount: '50000' });
  });

  it('says what is wrong with its address', () => {
    expect(wrongAddress(NOBODY)).toBeUndefined();
    expect(wrongAddress({ ...NOBODY, address: ADA })).toBeUndefined();
    expect(wrongAddress({ ...NOBODY, address: ADA.slice(0, 9) })).toMatch(/Check that all of it was copied/);
    expect(wrongAddress({ ...NOBODY, address: INVOICE })).toMatch(/This is an invoice/);
  });

  it.each([
    ['', undefined],
    ['1 000', undefined],
    ['0', 'Whole satoshi, please.'],
    ['1.5', 'Whole satoshi, please.'],
  ])('with the amount %j is told %s', (amount, wrong) => expect(wrongAmount(amount)).toBe(wrong));
});

describe('several recipients', () => {
  const both = [
    { address: ADA, amount: '1 000' },
    { address: ` ${BEN} `, amount: '2000' },
  ];

  it('are outputs once all of it is there', () => {
    expect(outputsOf(both)).toEqual([
      { address: ADA, amountSat: 1_000n },
      { address: BEN, amountSat: 2_000n },
    ]);
    expect(outputsOf([...both, NOBODY])).toBeUndefined();
    expect(outputsOf([...both, { address: ADA, amount: '0' }])).toBeUndefined();
    expect(outputsOf([...both, { address: INVOICE, amount: '5' }])).toBeUndefined();
  });

  it('have a sum before that, too', () => {
    expect(totalSat([...both, NOBODY, { address: '', amount: '3' }])).toBe(3_003n);
  });
});
