import { GlowwormError } from '../../../worker/engine/primitives/errors.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import { decodeInvoice } from '../../../worker/engine/payments/bolt11.ts';
import type { Invoice } from '../../../worker/engine/payments/invoice.ts';

/** The invoice, or the code of the error; anything else that is thrown is a mistake of ours. */
export function outcome(text: string): Invoice | string {
  try {
    return decodeInvoice(secp, text);
  } catch (error) {
    if (error instanceof GlowwormError && error.code.startsWith('Invoice')) return error.code;
    throw error;
  }
}
