import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatInvoiceAmount, parseInvoiceAmount } from '../../../worker/engine/payments/invoice-amount.ts';

describe('amounts', () => {
  it.each([
    ['1', 100_000_000_000n],
    ['1m', 100_000_000n],
    ['2500u', 250_000_000n],
    ['1n', 100n],
    ['10p', 1n],
    ['9678785340p', 967_878_534n],
    ['21000000', 2_100_000_000_000_000_000n],
  ])('%s', (text, msat) => {
    expect(parseInvoiceAmount(text)).toBe(msat);
    expect(formatInvoiceAmount(msat)).toBe(text);
  });

  it.each(['0', '01', '1x', 'm', '1mm', '-1', '1.5', '1 m', '', '999999999999999999999'])('"%s" is none', (text) => {
    expect(() => parseInvoiceAmount(text)).toThrow('is not an amount');
  });

  it('have no fractions of a millisatoshi and end at 21 million', () => {
    expect(() => parseInvoiceAmount('15p')).toThrow('fraction of a millisatoshi');
    expect(() => parseInvoiceAmount('21000001')).toThrow('more bitcoin than there is');
    expect(() => formatInvoiceAmount(0n)).toThrow('at least 1 msat');
  });

  it('come back exactly', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 2_100_000_000_000_000_000n }), (msat) => {
        expect(parseInvoiceAmount(formatInvoiceAmount(msat))).toBe(msat);
      }),
    );
  });
});
