import { describe, expect, it } from 'vitest';
import { bip21, readPaymentInput } from '../../../src/app/payment-input.ts';
import { INVOICE } from '../fake-wallet.ts';

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';

describe('readPaymentInput', () => {
  it.each([
    ['an invoice', INVOICE, INVOICE],
    ['an invoice in capitals', INVOICE.toUpperCase(), INVOICE.toUpperCase()],
    ['a link', ` lightning:${INVOICE}\n`, INVOICE],
    ['a link with slashes', `lightning://${INVOICE}`, INVOICE],
    ['a unified link', `bitcoin:${ADDRESS}?amount=0.01&lightning=${INVOICE}`, INVOICE],
    ['an invoice without an amount', 'lntbs1abc', 'lntbs1abc'],
  ])('recognizes %s', (_, text, invoice) => {
    expect(readPaymentInput(text)).toEqual({ kind: 'invoice', invoice });
  });

  it.each([
    ADDRESS,
    ADDRESS.toUpperCase(),
    'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0',
    '1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2',
    '2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc',
  ])('recognizes the address %s', (address) => {
    expect(readPaymentInput(address)).toEqual({ kind: 'address', address, label: '' });
  });

  it.each([
    ['0.00100000', 100_000n],
    ['20.3', 2_030_000_000n],
    ['1', 100_000_000n],
    ['0.00000001', 1n],
  ])('reads the amount %s of a link', (amount, amountSat) => {
    const text = `bitcoin:${ADDRESS}?amount=${amount}&label=Ada%20L`;
    expect(readPaymentInput(text)).toEqual({ kind: 'address', address: ADDRESS, amountSat, label: 'Ada L' });
  });

  it.each([
    ['hello', 'neither an invoice nor an address'],
    ['lno1pqps7sjqpgt', 'offer'],
    ['ada@example.com', 'Lightning addresses'],
    ['LNURL1DP68GURN', 'LNURL'],
    [`bitcoin:${ADDRESS}?amount=1e3`, 'not a number'],
    [`bitcoin:${ADDRESS}?amount=-1`, 'not a number'],
    [`bitcoin:${ADDRESS}?amount=0.123456789`, 'not a number'],
    [`bitcoin:${ADDRESS}?req-fancy=1`, 'req-fancy'],
    ['bitcoin:?amount=1', 'no address'],
    [ADDRESS.replace('bcrt1', 'Bcrt1'), 'neither'],
  ])('refuses %s', (text, reason) => {
    expect(readPaymentInput(text)).toMatchObject({ kind: 'unusable', reason: expect.stringContaining(reason) });
  });

  it('takes as much of a label as the wallet does, and no half a letter', () => {
    const labelled = readPaymentInput(`bitcoin:${ADDRESS}?label=${encodeURIComponent('a🐛'.repeat(50))}`);
    expect(labelled).toMatchObject({ kind: 'address', label: 'a🐛'.repeat(40) });
  });

  it('says nothing about nothing', () => {
    expect(readPaymentInput('  ')).toEqual({ kind: 'nothing' });
  });
});

describe('bip21', () => {
  it.each([
    [undefined, `bitcoin:${ADDRESS}`],
    [1n, `bitcoin:${ADDRESS}?amount=0.00000001`],
    [150_000_000n, `bitcoin:${ADDRESS}?amount=1.5`],
    [200_000_000n, `bitcoin:${ADDRESS}?amount=2`],
  ])('writes %s', (sat, link) => {
    expect(bip21(ADDRESS, sat)).toBe(link);
    expect(readPaymentInput(link)).toMatchObject({ address: ADDRESS, ...(sat !== undefined && { amountSat: sat }) });
  });
});
