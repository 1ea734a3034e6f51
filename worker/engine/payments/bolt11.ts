import { bech32 } from '@scure/base';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { concat } from '../primitives/bytes.ts';
import { assert, GlowwormError } from '../primitives/errors.ts';
import { sha256 } from '../primitives/hash.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import { unknownEvenBits } from '../wire/features.ts';
import type { Invoice, InvoiceFields, InvoiceNetwork } from './invoice.ts';
import {
  DEFAULT_EXPIRY_SECONDS,
  DEFAULT_MIN_FINAL_CLTV_EXPIRY_DELTA,
  invoiceFeatures,
  invoicePrefixes,
} from './invoice.ts';
import { formatInvoiceAmount, parseInvoiceAmount } from './invoice-amount.ts';
import type { ParsedFields } from './invoice-fields.ts';
import { formatFields, malformed, parseFields } from './invoice-fields.ts';
import type { Words } from './invoice-words.ts';
import {
  bytesToWords,
  numberToWords,
  tagCharacters,
  wordsToBytes,
  wordsToNumber,
  wordsToPaddedBytes,
} from './invoice-words.ts';

/** Signs a 32-byte hash with the node's key. */
export type InvoiceSigner = (hash: Uint8Array) => { readonly signature: Uint8Array; readonly recovery: number };

/**
 * Reads an invoice, in lower or upper case, and checks its signature (BOLT 11). Throws a `GlowwormError`:
 * `InvoiceMalformed`, `InvoiceChecksum` (mistyped), `InvoiceAmount`, `InvoiceMissingField` (`details.field`),
 * `InvoiceSignature`, `InvoiceLockTime`, `InvoiceUnknownFeature` (`details.bit`). Whether it has expired is for whoever has a
 * clock.
 */
export function decodeInvoice(secp: Secp256k1, text: string): Invoice {
  const { prefix, words } = readBech32(text);
  const { network, amount } = readPrefix(prefix);
  const amountMsat = NO_AMOUNT.test(amount) ? undefined : parseInvoiceAmount(amount);
  const signed = words.slice(0, -SIGNATURE_WORDS);
  const { payeeNodeId: named, ...fields } = parseFields(signed.slice(TIMESTAMP_WORDS));
  const { paymentHash, paymentSecret, description, features = new Uint8Array(0) } = fields;
  if (paymentHash === undefined) throw missing('payment_hash');
  if (paymentSecret === undefined) throw missing('payment_secret');
  if (description === undefined) throw missing('description');
  const [bit] = unknownEvenBits(features, invoiceFeatures);
  if (bit !== undefined)
    throw new GlowwormError('InvoiceUnknownFeature', `The invoice demands feature ${bit}, which we lack.`, { bit });
  checkHints(secp, fields);
  return {
    ...fields,
    network,
    ...(amountMsat === undefined ? {} : { amountMsat }),
    timestamp: wordsToNumber(words.slice(0, TIMESTAMP_WORDS)),
    paymentHash,
    paymentSecret,
    features,
    expirySeconds: fields.expirySeconds ?? DEFAULT_EXPIRY_SECONDS,
    minFinalCltvExpiryDelta: fields.minFinalCltvExpiryDelta ?? DEFAULT_MIN_FINAL_CLTV_EXPIRY_DELTA,
    ...checkSignature(secp, signingHash(prefix, signed), words.slice(-SIGNATURE_WORDS), named),
  };
}

/** An invoice that was stored with a payment; `undefined` where an earlier version took what this one refuses. */
export function storedInvoice(secp: Secp256k1, text: string): Invoice | undefined {
  try {
    return decodeInvoice(secp, text);
  } catch (error) {
    if (error instanceof GlowwormError) return undefined;
    throw error;
  }
}

/**
 * Writes and signs an invoice. Throws `InvoiceAmount`, `DescriptionTooLong`, or `InvariantBroken` for fields of a wrong
 * length. `namePayee` puts the node id in, which a payer otherwise recovers from the signature.
 */
export function encodeInvoice(sign: InvoiceSigner, fields: InvoiceFields, namePayee?: Uint8Array): string {
  const amount = fields.amountMsat === undefined ? '' : formatInvoiceAmount(fields.amountMsat);
  const prefix = `ln${invoicePrefixes[fields.network]}${amount}`;
  const timestamp = numberToWords(fields.timestamp);
  assert(timestamp.length <= TIMESTAMP_WORDS, 'timestamp of 35 bits');
  const padding = Array<number>(TIMESTAMP_WORDS - timestamp.length).fill(0);
  const signed = [...padding, ...timestamp, ...formatFields(fields, namePayee)];
  const { signature, recovery } = sign(signingHash(prefix, signed));
  assert(signature.length === 64 && recovery >= 0 && recovery <= 3, 'recoverable signature');
  return bech32.encode(prefix, [...signed, ...bytesToWords(Uint8Array.of(...signature, recovery))], false);
}

const TIMESTAMP_WORDS = 7;
const SIGNATURE_WORDS = 104;
const CHECKSUM_CHARACTERS = 6;
const UNRECOVERABLE = 4;
/** The payer chooses: also where a wallet writes that it asks for nothing. */
const NO_AMOUNT = /^(0[munp]?)?$/;

/** What the largest QR code holds, as in LDK: a bound on the hints and fields that a pasted text can have. */
const MOST_CHARACTERS = 7089;

function readBech32(text: string): { readonly prefix: string; readonly words: Words } {
  const lower = text.toLowerCase();
  if (text.length > MOST_CHARACTERS) throw malformed('it is too long');
  if (!/^[\x21-\x7e]*$/.test(text) || (text !== lower && text !== text.toUpperCase()))
    throw malformed('it has characters that an invoice can’t have');
  const separator = lower.lastIndexOf('1');
  if (separator < 1 || !lower.startsWith('ln')) throw malformed('it does not start like one');
  const data = lower.slice(separator + 1);
  if ([...data].some((character) => !tagCharacters.includes(character))) throw malformed('it has a wrong character');
  if (data.length < TIMESTAMP_WORDS + SIGNATURE_WORDS + CHECKSUM_CHARACTERS) throw malformed('it is too short');
  const decoded = bech32.decodeUnsafe(lower, false);
  if (decoded === undefined)
    throw new GlowwormError('InvoiceChecksum', 'The invoice was changed or mistyped: its checksum is wrong.');
  return decoded;
}

function readPrefix(prefix: string): { readonly network: InvoiceNetwork; readonly amount: string } {
  // The longest prefix first: bcrt begins with bc, and tbs with tb.
  const networks = (Object.keys(invoicePrefixes) as InvoiceNetwork[]).sort(
    (a, b) => invoicePrefixes[b].length - invoicePrefixes[a].length,
  );
  const network = networks.find((name) => prefix.startsWith(`ln${invoicePrefixes[name]}`));
  if (network === undefined) throw malformed('it is for a chain that we do not know');
  return { network, amount: prefix.slice(2 + invoicePrefixes[network].length) };
}

function checkHints(secp: Secp256k1, { routeHints }: ParsedFields | Omit<ParsedFields, 'payeeNodeId'>): void {
  if (routeHints.flat().some(({ nodeId }) => !secp.isPoint(nodeId))) throw malformed('a route hint has no node');
}

/** With a node id in the invoice the signature is verified, low S included; without, the key is recovered from it. */
function checkSignature(
  secp: Secp256k1,
  hash: Uint8Array,
  words: Words,
  named: Uint8Array | undefined,
): Pick<Invoice, 'payeeNodeId' | 'signature' | 'recovery'> {
  // 104 words are 65 bytes without padding.
  const bytes = wordsToBytes(words) ?? new Uint8Array(0);
  const signature = bytes.slice(0, 64);
  const recovery = bytes[64] ?? UNRECOVERABLE;
  if (named !== undefined && !secp.verify(signature, hash, named)) throw badSignature();
  const payeeNodeId = named ?? (recovery <= 3 ? secp.recover(signature, recovery, hash) : undefined);
  if (payeeNodeId === undefined) throw badSignature();
  return { payeeNodeId, signature, recovery };
}

const signingHash = (prefix: string, words: Words): Uint8Array =>
  sha256(concat(utf8ToBytes(prefix), wordsToPaddedBytes(words)));

const badSignature = (): GlowwormError =>
  new GlowwormError('InvoiceSignature', 'The invoice is not signed by the one whom it is from.');

const missing = (field: string): GlowwormError =>
  new GlowwormError('InvoiceMissingField', `The invoice has no ${field} and can’t be paid.`, { field });
