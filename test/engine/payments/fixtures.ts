import { bech32 } from '@scure/base';
import { fromUtf8, concat } from '../../../worker/engine/primitives/bytes.ts';
import { GlowwormError } from '../../../worker/engine/primitives/errors.ts';
import { sha256 } from '../../../worker/engine/primitives/hash.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import { decodeInvoice } from '../../../worker/engine/payments/bolt11.ts';
import {
  bytesToWords,
  tagCharacters,
  wordsToPaddedBytes,
  type Words,
} from '../../../worker/engine/payments/invoice-words.ts';
import type { Invoice } from '../../../worker/engine/payments/invoice.ts';

const SECRET = new Uint8Array(32).fill(9);

/** A tagged field as a writer of any kind puts it: the words need not be what BOLT 11 asks for. */
export const taggedField = (character: string, words: Words): Words => [
  tagCharacters.indexOf(character),
  words.length >> 5,
  words.length & 31,
  ...words,
];

/** The fields that every invoice has. */
export const requiredFields: Words = [
  ...taggedField('p', bytesToWords(new Uint8Array(32).fill(1))),
  ...taggedField('s', bytesToWords(new Uint8Array(32).fill(2))),
];

export const describedFields: Words = [...requiredFields, ...taggedField('d', bytesToWords(fromUtf8('coffee')))];

/** A validly signed invoice of what our own writer would never write. */
export function signedInvoice(prefix: string, more: Words, fields: Words = describedFields): string {
  const signed = [0, 1, 2, 3, 4, 5, 6, ...fields, ...more];
  const { signature, recovery } = secp.signRecoverable(
    sha256(concat(fromUtf8(prefix), wordsToPaddedBytes(signed))),
    SECRET,
  );
  return bech32.encode(prefix, [...signed, ...bytesToWords(Uint8Array.of(...signature, recovery))], false);
}

/** The invoice, or the code of the error; anything else that is thrown is a mistake of ours. */
export function outcome(text: string): Invoice | string {
  try {
    return decodeInvoice(secp, text);
  } catch (error) {
    if (error instanceof GlowwormError && error.code.startsWith('Invoice')) return error.code;
    throw error;
  }
}
