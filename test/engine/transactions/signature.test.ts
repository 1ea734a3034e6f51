import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, fromHex, toHex } from '../../../worker/engine/primitives/bytes.ts';
import {
  decodeDer,
  encodeDer,
  parseWitnessSignature,
  witnessSignature,
} from '../../../worker/engine/transactions/signature.ts';

const half = fc.oneof(
  fc.uint8Array({ minLength: 32, maxLength: 32 }),
  fc.uint8Array({ minLength: 1, maxLength: 31 }).map((tail) => concat(new Uint8Array(32 - tail.length), tail)),
);

describe('DER signatures', () => {
  it('read back what they wrote, sighash byte included', () => {
    fc.assert(
      fc.property(half, half, (r, s) => {
        const signature = concat(r, s);
        expect(toHex(decodeDer(encodeDer(signature)))).toBe(toHex(signature));
        const parsed = parseWitnessSignature(witnessSignature(signature, 'SINGLE|ANYONECANPAY'));
        expect([toHex(parsed.signature), parsed.sighashByte]).toEqual([toHex(signature), 0x83]);
      }),
    );
  });

  it.each([
    ['nothing', ''],
    ['a wrong total length', '3007020101020101'],
    ['a negative number', '3006020181020101'],
    ['a superfluous zero', '300702020001020101'],
    ['an empty number', '30050200020101'],
    ['another tag', '3106020101020101'],
    ['an inner tag that is not an integer', '3006030101020101'],
    ['a number of 33 bytes', `3026022101${'00'.repeat(32)}020101`],
  ])('refuse %s', (_, hex) => {
    expect(() => decodeDer(fromHex(hex))).toThrow(expect.objectContaining({ code: 'MalformedSignature' }));
  });
});
