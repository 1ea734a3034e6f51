import { utf8ToBytes } from '@noble/hashes/utils.js';
import { utf8 } from '@scure/base';
import { assert, GlowwormError } from '../primitives/errors.ts';
import { MAX_CLTV_EXPIRY_DELTA } from '../primitives/lock-times.ts';
import type { Codec } from '../wire/codec.ts';
import { decode, encode } from '../wire/codec.ts';
import { trimFeatures } from '../wire/features.ts';
import { codecOf } from '../wire/schema-codec.ts';
import type { FallbackAddress, InvoiceDescription, InvoiceFields, RouteHintHop } from './invoice.ts';
import { DEFAULT_EXPIRY_SECONDS, DEFAULT_MIN_FINAL_CLTV_EXPIRY_DELTA, MAX_EXPIRY_SECONDS } from './invoice.ts';
import type { TaggedField, Words } from './invoice-words.ts';
import { bytesToWords, numberToWords, tagCharacters, wordsToBytes, wordsToNumber } from './invoice-words.ts';

/** What the tagged fields say; a required one may be missing, and `payeeNodeId` is there when the invoice names it. */
export type ParsedFields = Partial<Omit<InvoiceFields, 'network' | 'amountMsat' | 'timestamp'>> & {
  readonly payeeNodeId?: Uint8Array;
  readonly fallbackAddresses: readonly FallbackAddress[];
  readonly routeHints: readonly (readonly RouteHintHop[])[];
  readonly ignoredFields: readonly TaggedField[];
};

/** Reads tagged fields; of a field that may be there once, the first counts. Throws `InvoiceMalformed`, `InvoiceLockTime`. */
export function parseFields(words: Words): ParsedFields {
  let parsed: ParsedFields = { fallbackAddresses: [], routeHints: [], ignoredFields: [] };
  for (let start = 0; start < words.length;) {
    const [tag, high, low] = words.slice(start, start + 3);
    if (tag === undefined || high === undefined || low === undefined) throw malformed('a field is cut short');
    const end = start + 3 + high * 32 + low;
    if (end > words.length) throw malformed('a field is longer than the invoice');
    const field = { tag, words: words.slice(start + 3, end) };
    const read = readField(field);
    // BOLT 11: both would say two things about what is paid for.
    if (read?.description !== undefined && (parsed.description ?? read.description).kind !== read.description.kind)
      throw malformed('it has both a description and the hash of one');
    parsed = read === undefined ? { ...parsed, ignoredFields: [...parsed.ignoredFields, field] } : merged(parsed, read);
    start = end;
  }
  return parsed;
}

/** The tagged fields of an invoice in words; `namePayee` adds the payee's node id. Throws `DescriptionTooLong`. */
export function formatFields(fields: InvoiceFields, namePayee?: Uint8Array): Words {
  const { description, expirySeconds, minFinalCltvExpiryDelta, paymentMetadata } = fields;
  return [
    ...tagged('s', bytesToWords(fixed(fields.paymentSecret, 32))),
    ...tagged('p', bytesToWords(fixed(fields.paymentHash, 32))),
    ...(description === undefined ? [] : formatDescription(description)),
    ...(expirySeconds === DEFAULT_EXPIRY_SECONDS ? [] : tagged('x', numberToWords(expirySeconds))),
    ...(minFinalCltvExpiryDelta === DEFAULT_MIN_FINAL_CLTV_EXPIRY_DELTA
      ? []
      : tagged('c', numberToWords(minFinalCltvExpiryDelta))),
    ...fields.fallbackAddresses.flatMap(({ version, program }) => tagged('f', [version, ...bytesToWords(program)])),
    ...fields.routeHints.flatMap((hops) => tagged('r', bytesToWords(encode(routeHint, hops)))),
    ...(paymentMetadata === undefined ? [] : tagged('m', bytesToWords(paymentMetadata))),
    ...(namePayee === undefined ? [] : tagged('n', bytesToWords(fixed(namePayee, 33)))),
    ...formatFeatures(fields.features),
  ];
}

/** `InvoiceMalformed` with what is wrong. */
export const malformed = (what: string): GlowwormError =>
  new GlowwormError('InvoiceMalformed', `This is not a valid invoice: ${what}.`);

const MOST_DESCRIPTION_BYTES = 639;
const HASH_WORDS = 52;
const NODE_ID_WORDS = 53;
const P2PKH = 17;
const P2SH = 18;

const routeHint: Codec<readonly RouteHintHop[]> = codecOf({
  kind: 'rest',
  of: {
    kind: 'struct',
    fields: {
      nodeId: 'point',
      shortChannelId: 'shortChannelId',
      feeBaseMsat: 'u32',
      feeProportionalMillionths: 'u32',
      cltvExpiryDelta: 'u16',
    },
  },
});

type Read = Omit<ParsedFields, 'ignoredFields'>;

/** `undefined` for what a reader skips: unknown types, and lengths and versions that a known one can't have. */
function readField({ tag, words }: TaggedField): Partial<Read> | undefined {
  switch (tagCharacters[tag]) {
    case 'p':
      return words.length === HASH_WORDS ? { paymentHash: readBytes(words) } : undefined;
    case 's':
      return words.length === HASH_WORDS ? { paymentSecret: readBytes(words) } : undefined;
    case 'h':
      return words.length === HASH_WORDS ? { description: { kind: 'hash', hash: readBytes(words) } } : undefined;
    case 'n':
      return words.length === NODE_ID_WORDS ? { payeeNodeId: readBytes(words) } : undefined;
    case 'd':
      return { description: { kind: 'text', text: readText(readBytes(words)) } };
    case 'x':
      return { expirySeconds: Math.min(wordsToNumber(words), MAX_EXPIRY_SECONDS) };
    case 'c':
      return { minFinalCltvExpiryDelta: readCltvDelta(words) };
    case 'f':
      return readFallback(words);
    case 'r':
      return { routeHints: [readRouteHint(readBytes(words))] };
    case '9':
      return { features: readFeatures(words) };
    case 'm':
      return { paymentMetadata: readBytes(words) };
    default:
      return undefined;
  }
}

function readBytes(words: Words): Uint8Array {
  const bytes = wordsToBytes(words);
  if (bytes === undefined) throw malformed('a field does not end where its bytes do');
  return bytes;
}

/** Nobody forwards an HTLC that is locked for longer, and `cltv_expiry` is a u32 whose upper part are times. */
function readCltvDelta(words: Words): number {
  const blocks = wordsToNumber(words);
  if (blocks > MAX_CLTV_EXPIRY_DELTA)
    throw new GlowwormError(
      'InvoiceLockTime',
      `The recipient asks for a lock of more than ${MAX_CLTV_EXPIRY_DELTA} blocks: no node would forward that. Ask for another invoice.`,
      { blocks, mostBlocks: MAX_CLTV_EXPIRY_DELTA },
    );
  return blocks;
}

const merged = (parsed: ParsedFields, read: Partial<Read>): ParsedFields => ({
  ...read,
  ...parsed,
  fallbackAddresses: [...parsed.fallbackAddresses, ...(read.fallbackAddresses ?? [])],
  routeHints: [...parsed.routeHints, ...(read.routeHints ?? [])],
});

function readText(bytes: Uint8Array): string {
  try {
    return utf8.encode(bytes);
  } catch {
    throw malformed('the description is not UTF-8');
  }
}

function readFallback([version, ...rest]: Words): Partial<Read> | undefined {
  if (version === undefined || version > P2SH) return undefined;
  const program = readBytes(rest);
  const { length } = program;
  const hash = version === P2PKH || version === P2SH;
  const fits = hash ? length === 20 : version === 0 ? length === 20 || length === 32 : length >= 2 && length <= 40;
  return fits ? { fallbackAddresses: [{ version, program }] } : undefined;
}

function readRouteHint(bytes: Uint8Array): readonly RouteHintHop[] {
  try {
    return decode(routeHint, bytes);
  } catch {
    throw malformed('a route hint is damaged');
  }
}

/** Feature bits fill words from the right, so the padding is in front. */
function readFeatures(words: Words): Uint8Array {
  const padding = (8 - ((words.length * 5) % 8)) % 8;
  const bits = [...Array<string>(padding).fill('0'), ...words.map((word) => word.toString(2).padStart(5, '0'))];
  const bytes = bits.join('').match(/.{8}/g) ?? [];
  return trimFeatures(Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 2)));
}

function formatFeatures(features: Uint8Array): Words {
  const bits = [...features].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const significant = bits.replace(/^0+/, '');
  if (significant === '') return [];
  const padded = significant.padStart(Math.ceil(significant.length / 5) * 5, '0');
  return tagged(
    '9',
    (padded.match(/.{5}/g) ?? []).map((word) => Number.parseInt(word, 2)),
  );
}

function formatDescription(description: InvoiceDescription): Words {
  if (description.kind === 'hash') return tagged('h', bytesToWords(fixed(description.hash, 32)));
  const bytes = utf8ToBytes(description.text);
  if (bytes.length > MOST_DESCRIPTION_BYTES)
    throw new GlowwormError('DescriptionTooLong', 'The description of an invoice has at most 639 bytes.', {
      bytes: bytes.length,
    });
  return tagged('d', bytesToWords(bytes));
}

function tagged(character: string, words: Words): Words {
  assert(words.length < 1024, 'tagged field fits its length');
  return [tagCharacters.indexOf(character), words.length >> 5, words.length & 31, ...words];
}

function fixed(bytes: Uint8Array, length: number): Uint8Array {
  assert(bytes.length === length, `${length} bytes`);
  return bytes;
}
