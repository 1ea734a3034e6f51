import { bech32 } from '@scure/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex } from '../../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import { decodeInvoice, encodeInvoice } from '../../../worker/engine/payments/bolt11.ts';
import { numberToWords, tagCharacters, wordsToBytes } from '../../../worker/engine/payments/invoice-words.ts';
import {
  MAX_EXPIRY_SECONDS,
  type InvoiceDescription,
  type InvoiceFields,
} from '../../../worker/engine/payments/invoice.ts';
import { MAX_CLTV_EXPIRY_DELTA } from '../../../worker/engine/primitives/lock-times.ts';
import { featureSet, featuresFromBits } from '../../../worker/engine/wire/features.ts';
import vectors from '../../vectors/bolt11.json' with { type: 'json' };
import { bytesOf, pseudoRandomBytes } from '../wire/arbitrary.ts';
import { CORRUPTIONS, FUZZ_RUNS, corruptions } from '../wire/fuzz.ts';
import { outcome, signedInvoice, taggedField } from './fixtures.ts';

const secret = fromHex(vectors.signingSecret);
const sign = (hash: Uint8Array) => secp.signRecoverable(hash, secret);

describe('any invoice', () => {
  const hints = fc.array(
    fc.array(
      fc.record({
        nodeId: fc.constantFrom(secp.publicKey(secret), secp.publicKey(pseudoRandomBytes(2, 32))),
        shortChannelId: fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
        feeBaseMsat: fc.nat({ max: 0xffff_ffff }),
        feeProportionalMillionths: fc.nat({ max: 0xffff_ffff }),
        cltvExpiryDelta: fc.nat({ max: 0xffff }),
      }),
      { maxLength: 3 },
    ),
    { maxLength: 3 },
  );
  const description: fc.Arbitrary<InvoiceDescription> = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 60 }).map((text) => ({ kind: 'text', text }) as const),
    bytesOf(32).map((hash) => ({ kind: 'hash', hash }) as const),
  );
  const anyFields: fc.Arbitrary<InvoiceFields> = fc.record(
    {
      network: fc.constantFrom('bitcoin' as const, 'testnet' as const, 'signet' as const, 'regtest' as const),
      amountMsat: fc.bigInt({ min: 1n, max: 10n ** 15n }),
      timestamp: fc.nat({ max: 0x7fff_ffff }),
      paymentHash: bytesOf(32),
      paymentSecret: bytesOf(32),
      description,
      expirySeconds: fc.nat(),
      minFinalCltvExpiryDelta: fc.nat({ max: MAX_CLTV_EXPIRY_DELTA }),
      fallbackAddresses: fc.array(
        fc.constantFrom(
          { version: 0, program: new Uint8Array(20).fill(1) },
          { version: 1, program: new Uint8Array(32).fill(2) },
          { version: 17, program: new Uint8Array(20).fill(3) },
          { version: 18, program: new Uint8Array(20).fill(4) },
        ),
        { maxLength: 2 },
      ),
      routeHints: hints,
      features: fc.constantFrom(
        featureSet({ var_onion_optin: 'compulsory', payment_secret: 'compulsory' }),
        featureSet({ payment_secret: 'compulsory', basic_mpp: 'optional', option_payment_metadata: 'compulsory' }),
        featuresFromBits([]),
      ),
      paymentMetadata: bytesOf(40),
    },
    {
      requiredKeys: [
        'network',
        'timestamp',
        'paymentHash',
        'paymentSecret',
        'description',
        'expirySeconds',
        'minFinalCltvExpiryDelta',
        'fallbackAddresses',
        'routeHints',
        'features',
      ],
    },
  );

  it('comes back as it was written', () => {
    fc.assert(
      fc.property(anyFields, (fields) => {
        const invoice = decodeInvoice(secp, encodeInvoice(sign, fields));
        expect(invoice).toMatchObject(fields);
        expect(invoice.payeeNodeId).toEqual(secp.publicKey(secret));
      }),
      { numRuns: Math.ceil(FUZZ_RUNS / 1000) },
    );
  });

  it('never has a mistyped character go unnoticed', () => {
    fc.assert(
      fc.property(fc.constantFrom(...vectors.valid), fc.nat(), fc.nat({ max: 30 }), ({ invoice }, at, by) => {
        const lower = invoice.toLowerCase();
        const data = lower.lastIndexOf('1') + 1;
        const index = data + (at % (lower.length - data));
        const character = tagCharacters[(tagCharacters.indexOf(lower[index] ?? '') + 1 + by) % 32] ?? '';
        const mistyped = lower.slice(0, index) + character + lower.slice(index + 1);
        expect(outcome(mistyped)).toBe('InvoiceChecksum');
      }),
      { numRuns: Math.ceil(FUZZ_RUNS / 100) },
    );
  });

  it('damaged under a right checksum is a value or a GlowwormError', () => {
    const words = vectors.valid.map(({ invoice }) =>
      bech32.decode(invoice.toLowerCase() as `${string}1${string}`, false),
    );
    fc.assert(
      fc.property(fc.constantFrom(...words), fc.constantFrom(...words), fc.nat(), (one, other, seed) => {
        for (const changed of corruptions(Uint8Array.from(one.words), Uint8Array.from(other.words), seed)) {
          outcome(
            bech32.encode(
              one.prefix,
              [...changed].map((word) => word & 31),
              false,
            ),
          );
        }
      }),
      { numRuns: Math.ceil(FUZZ_RUNS / CORRUPTIONS / 50) },
    );
  });

  it('of random characters is refused', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (text) => {
        expect(typeof outcome(text)).toBe('string');
        expect(typeof outcome(`lnbc1${text}`)).toBe('string');
      }),
      { numRuns: Math.ceil(FUZZ_RUNS / 20) },
    );
  });

  it('keeps whole bytes of its words, and has nothing but zeros behind them', () => {
    expect(wordsToBytes([31, 28])).toEqual(Uint8Array.of(255));
    expect(wordsToBytes([31, 31])).toBeUndefined();
    expect(wordsToBytes([31, 29])).toBeUndefined();
    expect(wordsToBytes([])).toEqual(new Uint8Array(0));
    expect(wordsToBytes([0])).toBeUndefined();
  });

  it('with numbers that nobody can mean is read within its bounds or refused with a reason', () => {
    const extreme = fc.oneof(
      fc.constantFrom(0, 1, 2016, 2017, 65_535, 499_999_999, 500_000_000, 0xffff_ffff, 2 ** 35 - 1, 2 ** 35),
      fc.nat(),
      fc.maxSafeNat(),
    );
    const number = extreme.map((value) => ({ value, words: numberToWords(value) }));
    const numbers = fc.record({ expiry: number, delta: number, amount: fc.bigInt({ min: 0n, max: 10n ** 21n }) });
    fc.assert(
      fc.property(numbers, fc.constantFrom('', 'm', 'u', 'n', 'p'), ({ expiry, delta, amount }, unit) => {
        const prefix = amount === 0n ? 'lnbc' : `lnbc${amount}${unit}`;
        const read = outcome(
          signedInvoice(prefix, [...taggedField('x', expiry.words), ...taggedField('c', delta.words)]),
        );
        if (typeof read === 'string') {
          expect(['InvoiceAmount', 'InvoiceLockTime', 'InvoiceMalformed']).toContain(read);
          return;
        }
        expect(read.minFinalCltvExpiryDelta).toBe(delta.value);
        expect(read.minFinalCltvExpiryDelta).toBeLessThanOrEqual(MAX_CLTV_EXPIRY_DELTA);
        expect(read.amountMsat ?? 0n).toBeLessThanOrEqual(21_000_000n * 10n ** 11n);
        expect(read.expirySeconds).toBe(Math.min(expiry.value, MAX_EXPIRY_SECONDS));
        expect(Number.isNaN(new Date((read.timestamp + read.expirySeconds) * 1000).getTime())).toBe(false);
      }),
      { numRuns: Math.ceil(FUZZ_RUNS / 200) },
    );
  });
});
