import { decodeInvoice } from '../engine/payments/bolt11.ts';
import { expiresAt, invoiceNetwork, type Invoice } from '../engine/payments/invoice.ts';
import { equalBytes, toHex } from '../engine/primitives/bytes.ts';
import { GlowwormError } from '../engine/primitives/errors.ts';
import { nobleSecp256k1 } from '../engine/primitives/secp256k1.ts';
import { msat, type Msat } from '../engine/primitives/units.ts';
import type { InvoiceSummary, NetworkName } from './api.ts';

/** An invoice with its text, as it is kept with a payment. */
export interface ReadInvoice {
  readonly decoded: Invoice;
  readonly text: string;
}

/**
 * Reads an invoice or a `lightning:` link, also one that a mail has broken into lines. Throws `InvoiceOtherNetwork` and what
 * `decodeInvoice` throws.
 */
export function readInvoice(given: string, network: NetworkName): ReadInvoice {
  const text = given.replace(/\s+/g, '').replace(/^lightning:(\/\/)?/i, '');
  const decoded = decodeInvoice(nobleSecp256k1, text);
  if (decoded.network !== invoiceNetwork(network))
    throw new GlowwormError(
      'InvoiceOtherNetwork',
      `The invoice is for ${decoded.network}, but this wallet is on ${network}.`,
      { invoiceNetwork: decoded.network },
    );
  return { decoded, text: text.toLowerCase() };
}

/**
 * The amount to pay on an invoice, as far as that can be said without the channels. `now` is in milliseconds since 1970.
 * Throws `InvoiceExpired`, `PaymentToSelf`, `AmountMissing`, `AmountMismatch`.
 */
export function amountToPay(
  invoice: Invoice,
  chosenMsat: bigint | undefined,
  payer: { readonly nodeId: Uint8Array; readonly now: number },
): Msat {
  if (payer.now > expiresAt(invoice))
    throw new GlowwormError('InvoiceExpired', 'The invoice has expired. Ask the recipient for a new one.');
  if (equalBytes(invoice.payeeNodeId, payer.nodeId))
    throw new GlowwormError('PaymentToSelf', 'This invoice is your own.');
  const amountMsat = invoice.amountMsat ?? chosenMsat;
  if (amountMsat === undefined || amountMsat === 0n)
    throw new GlowwormError('AmountMissing', 'The invoice leaves the amount to you: say how much to send.');
  if (chosenMsat !== undefined && chosenMsat !== amountMsat)
    throw new GlowwormError('AmountMismatch', 'The invoice is for another amount.');
  return msat(amountMsat);
}

export function summaryOf(invoice: Invoice, now: number): InvoiceSummary {
  const { paymentHash, payeeNodeId, amountMsat, description } = invoice;
  const expiry = expiresAt(invoice);
  return {
    paymentHash: toHex(paymentHash),
    payeeNodeId: toHex(payeeNodeId),
    ...(amountMsat === undefined ? {} : { amountMsat }),
    description: description?.kind === 'text' ? description.text : '',
    expiresAt: expiry,
    expired: now > expiry,
  };
}
