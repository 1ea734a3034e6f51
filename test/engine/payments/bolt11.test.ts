import { bech32 } from '@scure/base';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import { decodeInvoice, encodeInvoice, storedInvoice } from '../../../worker/engine/payments/bolt11.ts';
import { bytesToWords, tagCharacters } from '../../../worker/engine/payments/invoice-words.ts';
import {
  MAX_EXPIRY_SECONDS,
  type Invoice,
  type InvoiceDescription,
  type InvoiceFields,
} from '../../../worker/engine/payments/invoice.ts';
import { featureBits, featuresFromBits } from '../../../worker/engine/wire/features.ts';
import { parseShortChannelId } from '../../../worker/engine/wire/short-channel-id.ts';
import vectors from '../../vectors/bolt11.json' with { type: 'json' };
import { pseudoRandomBytes } from '../wire/arbitrary.ts';
import { outcome, requiredFields, signedInvoice, taggedField } from './fixtures.ts';

type Vector = (typeof vectors.valid)[number];

const secret = fromHex(vectors.signingSecret);
const sign = (hash: Uint8Array) => secp.signRecoverable(hash, secret);

function fieldsOf(vector: Vector): InvoiceFields {
  const { amountMsat, description, descriptionHash, paymentMetadata } = vector;
  const about: InvoiceDescription =
    descriptionHash === undefined
      ? { kind: 'text', text: description ?? '' }
      : { kind: 'hash', hash: fromHex(descriptionHash) };
  return {
    network: vector.network as InvoiceFields['network'],
    ...(amountMsat === undefined ? {} : { amountMsat: BigInt(amountMsat) }),
    timestamp: vector.timestamp,
    paymentHash: fromHex(vector.paymentHash),
    paymentSecret: fromHex(vector.paymentSecret),
    description: about,
    expirySeconds: vector.expirySeconds,
    minFinalCltvExpiryDelta: vector.minFinalCltvExpiryDelta,
    fallbackAddresses: vector.fallbackAddresses.map(({ version, program }) => ({ version, program: fromHex(program) })),
    routeHints: vector.routeHints.map((hops) =>
      hops.map((hop) => ({
        ...hop,
        nodeId: fromHex(hop.nodeId),
        shortChannelId: parseShortChannelId(hop.shortChannelId),
      })),
    ),
    features: featuresFromBits(vector.featureBits),
    ...(paymentMetadata === undefined ? {} : { paymentMetadata: fromHex(paymentMetadata) }),
  };
}

describe('BOLT 11 examples', () => {
  it.each(vectors.valid)('$name is read', (vector) => {
    const { ignoredFields, payeeNodeId, signature, recovery, ...fields } = decodeInvoice(secp, vector.invoice);
    expect(fields).toEqual(fieldsOf(vector));
    expect(ignoredFields.map(({ tag }) => tagCharacters[tag]).join('')).toBe(vector.ignoredFields);
    expect(toHex(payeeNodeId)).toBe(vector.payeeNodeId);
    expect(toHex(signature)).toBe(vector.signature);
    expect(recovery).toBe(vector.recovery);
  });

  it.each(vectors.valid.filter(({ canonicalOrder }) => canonicalOrder))('$name is written', (vector) => {
    expect(encodeInvoice(sign, fieldsOf(vector))).toBe(vector.invoice);
  });

  it.each(vectors.valid)('$name is read after being written', (vector) => {
    const {
      ignoredFields,
      payeeNodeId,
      signature: _,
      recovery: __,
      ...fields
    } = decodeInvoice(secp, encodeInvoice(sign, fieldsOf(vector)));
    expect(fields).toEqual(fieldsOf(vector));
    expect(ignoredFields).toEqual([]);
    expect(payeeNodeId).toEqual(secp.publicKey(secret));
  });

  it.each(vectors.invalid)('$name is refused', ({ invoice, code }) => {
    expect(outcome(invoice)).toBe(code);
  });
});

describe('an invoice', () => {
  const [donation] = vectors.valid;
  const fields = fieldsOf(donation as Vector);

  it('may name its payee, whose signature is then verified', () => {
    const named = encodeInvoice(sign, fields, secp.publicKey(secret));
    expect(decodeInvoice(secp, named).payeeNodeId).toEqual(secp.publicKey(secret));
    const other = encodeInvoice(sign, fields, secp.publicKey(pseudoRandomBytes(1, 32)));
    expect(outcome(other)).toBe('InvoiceSignature');
  });

  it('of every chain has its prefix', () => {
    const prefixes = { bitcoin: 'lnbc1', testnet: 'lntb1', signet: 'lntbs1', regtest: 'lnbcrt1' } as const;
    for (const network of ['bitcoin', 'testnet', 'signet', 'regtest'] as const) {
      const text = encodeInvoice(sign, { ...fields, network });
      expect(text.startsWith(prefixes[network])).toBe(true);
      expect(decodeInvoice(secp, text).network).toBe(network);
    }
    const withAmount = encodeInvoice(sign, { ...fields, network: 'regtest', amountMsat: 5_000n });
    expect(decodeInvoice(secp, withAmount)).toMatchObject({ network: 'regtest', amountMsat: 5_000n });
  });

  it.each([
    ['', 'InvoiceMalformed'],
    ['1', 'InvoiceMalformed'],
    ['ln1', 'InvoiceMalformed'],
    ['lnbc1', 'InvoiceMalformed'],
    ['bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4', 'InvoiceMalformed'],
    [`lnbc1${'q'.repeat(20_000)}`, 'InvoiceMalformed'],
    [`lnbc1${'q'.repeat(200)}`, 'InvoiceChecksum'],
    [`lnbc1${'q'.repeat(199)}\u212a`, 'InvoiceMalformed'],
  ])('is not "%s"', (text, code) => {
    expect(outcome(text)).toBe(code);
  });

  it('for an unknown chain is refused', () => {
    const { words } = bech32.decode(encodeInvoice(sign, fields) as `${string}1${string}`, false);
    expect(outcome(bech32.encode('lnxy', words, false))).toBe('InvoiceMalformed');
  });

  it('needs no understanding of odd features, but of even ones', () => {
    const withBits = (bits: readonly number[]) => encodeInvoice(sign, { ...fields, features: featuresFromBits(bits) });
    expect(featureBits((outcome(withBits([8, 14, 263])) as Invoice).features)).toEqual([8, 14, 263]);
    expect(outcome(withBits([8, 14, 262]))).toBe('InvoiceUnknownFeature');
    expect(outcome(withBits([9, 15, 22]))).toBe('InvoiceUnknownFeature');
    expect(outcome(withBits([8, 14, 24]))).toBe('InvoiceUnknownFeature');
    expect(outcome(withBits([8, 14, 36]))).toBe('InvoiceUnknownFeature');
  });

  it('has a description of at most 639 bytes', () => {
    const about = (text: string) => encodeInvoice(sign, { ...fields, description: { kind: 'text', text } });
    expect(decodeInvoice(secp, about('a'.repeat(639))).description).toEqual({ kind: 'text', text: 'a'.repeat(639) });
    expect(() => about('é'.repeat(320))).toThrow('at most 639 bytes');
  });

  it('that expires late or never reads as such', () => {
    const late = { ...fields, expirySeconds: Number.MAX_SAFE_INTEGER, minFinalCltvExpiryDelta: 0 };
    expect(decodeInvoice(secp, encodeInvoice(sign, late))).toMatchObject({
      expirySeconds: MAX_EXPIRY_SECONDS,
      minFinalCltvExpiryDelta: 0,
    });
  });

  it('asks for a lock that the network takes, or is refused', () => {
    const asking = (blocks: number) => outcome(encodeInvoice(sign, { ...fields, minFinalCltvExpiryDelta: blocks }));
    expect(asking(2016)).toMatchObject({ minFinalCltvExpiryDelta: 2016 });
    for (const blocks of [2017, 50_000, 65_536, 499_000_000, 500_000_000, 4_294_967_295, Number.MAX_SAFE_INTEGER])
      expect(asking(blocks)).toBe('InvoiceLockTime');
    expect(outcome(signedInvoice('lnbc', taggedField('c', [3, 31, 31, 31, 31, 31, 31])))).toBe('InvoiceLockTime');
    expect(outcome(signedInvoice('lnbc', taggedField('c', Array<number>(1023).fill(31))))).toBe('InvoiceLockTime');
  });

  it.each([
    ['a payment hash', 'p', 52],
    ['a payment secret', 's', 52],
    ['the hash of a description', 'h', 52],
    ['a node id', 'n', 53],
    ['a description', 'd', 7],
    ['metadata', 'm', 7],
    ['a fallback address', 'f', 53],
    ['a route hint', 'r', 82],
  ])('with bits behind %s is refused', (_name, tag, length) => {
    const words = [...Array<number>(length - 1).fill(0), 1];
    expect(outcome(signedInvoice('lnbc', taggedField(tag, words)))).toBe('InvoiceMalformed');
  });

  it('with a whole word behind its bytes is refused', () => {
    expect(outcome(signedInvoice('lnbc', taggedField('m', [...bytesToWords(new Uint8Array(5)), 0])))).toBe(
      'InvoiceMalformed',
    );
  });

  it('says what is paid for, in one way', () => {
    const hashed = taggedField('h', bytesToWords(new Uint8Array(32)));
    expect(outcome(signedInvoice('lnbc', [], requiredFields))).toBe('InvoiceMissingField');
    expect(outcome(signedInvoice('lnbc', hashed, requiredFields))).toMatchObject({ description: { kind: 'hash' } });
    expect(outcome(signedInvoice('lnbc', hashed))).toBe('InvoiceMalformed');
    const twice = outcome(signedInvoice('lnbc', taggedField('d', [])));
    expect(twice).toMatchObject({ description: { kind: 'text', text: 'coffee' } });
  });

  it.each(['lnbc', 'lnbc0p', 'lnbc0', 'lnbc0m'])('for %s leaves the amount to the payer', (prefix) => {
    expect(outcome(signedInvoice(prefix, []))).not.toHaveProperty('amountMsat');
  });

  it.each([
    ['lnbc00p', 'InvoiceMalformed'],
    ['lnbc01m', 'InvoiceMalformed'],
    ['lnbc2500000001p', 'InvoiceAmount'],
    ['lnbc21000001', 'InvoiceAmount'],
    ['lnbc99999999999999999999', 'InvoiceAmount'],
    ['lnbc999999999999999999999', 'InvoiceMalformed'],
  ])('for %s is refused', (prefix, code) => {
    expect(outcome(signedInvoice(prefix, []))).toBe(code);
  });

  it('is no longer than a QR code', () => {
    const padded = (characters: number): string => {
      const free = characters - signedInvoice('lnbc', []).length;
      const [count, rest] = [Math.floor(free / 1026), free % 1026];
      const fields = Array.from({ length: count }, () => taggedField('2', Array<number>(1023).fill(0)));
      return signedInvoice('lnbc', [...fields.flat(), ...taggedField('2', Array<number>(rest - 3).fill(0))]);
    };
    expect(padded(7089)).toHaveLength(7089);
    expect(outcome(padded(7089))).toMatchObject({ description: { kind: 'text', text: 'coffee' } });
    expect(outcome(padded(7090))).toBe('InvoiceMalformed');
  });

  it('that was stored before it was refused is nothing', () => {
    const asking = (blocks: number) => encodeInvoice(sign, { ...fields, minFinalCltvExpiryDelta: blocks });
    expect(storedInvoice(secp, asking(2016))?.minFinalCltvExpiryDelta).toBe(2016);
    expect(storedInvoice(secp, asking(50_000))).toBeUndefined();
  });
});
