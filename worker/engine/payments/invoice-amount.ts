import { GlowwormError } from '../primitives/errors.ts';
import { MAX_MSAT } from '../primitives/units.ts';

const MSAT_PER_BTC = 100_000_000_000n;

/** How many millisatoshi one of a unit is; a pico-bitcoin is a tenth of one. */
const multipliers = { '': MSAT_PER_BTC, m: 100_000_000n, u: 100_000n, n: 100n } as const;

/**
 * The amount in the human-readable part of an invoice, such as `2500u`, in msat; exact. Throws `InvoiceAmount` for a
 * fraction of a millisatoshi, for zero and for more than there is, `InvoiceMalformed` for what is no amount.
 */
export function parseInvoiceAmount(text: string): bigint {
  const [, digits, unit = ''] = /^([1-9][0-9]{0,19})([munp]?)$/.exec(text) ?? [];
  if (digits === undefined) throw new GlowwormError('InvoiceMalformed', `${text} is not an amount in an invoice.`);
  const amount = BigInt(digits);
  if (unit === 'p' && amount % 10n !== 0n)
    throw new GlowwormError('InvoiceAmount', 'The invoice asks for a fraction of a millisatoshi.');
  const msat = unit === 'p' ? amount / 10n : amount * multipliers[unit as keyof typeof multipliers];
  if (msat > MAX_MSAT) throw new GlowwormError('InvoiceAmount', 'The invoice asks for more bitcoin than there is.');
  return msat;
}

/** The shortest form of an amount in msat. Throws `InvoiceAmount` outside 1 msat to 21 million bitcoin. */
export function formatInvoiceAmount(amountMsat: bigint): string {
  if (amountMsat <= 0n || amountMsat > MAX_MSAT)
    throw new GlowwormError('InvoiceAmount', 'An invoice asks for at least 1 msat and at most 21 million bitcoin.');
  const exact = Object.entries(multipliers).find(([, msat]) => amountMsat % msat === 0n);
  return exact === undefined ? `${amountMsat * 10n}p` : `${amountMsat / exact[1]}${exact[0]}`;
}
