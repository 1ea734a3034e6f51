import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import funding from '../../vectors/bolt03-funding-tx.json' with { type: 'json' };
import { fromHex, reversed, toHex } from '../../../worker/engine/primitives/bytes.ts';
import { GlowwormError } from '../../../worker/engine/primitives/errors.ts';
import { fundingScript } from '../../../worker/engine/transactions/channel-scripts.ts';
import { p2wsh } from '../../../worker/engine/transactions/script.ts';
import { segwitV0Sighash, sighashMidstate } from '../../../worker/engine/transactions/sighash.ts';
import {
  decodeTransaction,
  encodeTransaction,
  transactionId,
  transactionWeight,
  type Transaction,
} from '../../../worker/engine/transactions/transaction.ts';
import { commitmentCases } from './vectors.ts';

const bytes = (size: { minLength: number; maxLength: number }): fc.Arbitrary<Uint8Array> => fc.uint8Array(size);
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const transaction: fc.Arbitrary<Transaction> = fc.record({
  version: u32,
  inputs: fc.array(
    fc.record({
      txid: bytes({ minLength: 32, maxLength: 32 }),
      vout: u32,
      sequence: u32,
      scriptSig: bytes({ minLength: 0, maxLength: 300 }),
      witness: fc.array(bytes({ minLength: 0, maxLength: 300 }), { maxLength: 4 }),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  outputs: fc.array(
    fc.record({
      amountSat: fc.bigInt({ min: 0n, max: 2_100_000_000_000_000n }),
      script: bytes({ minLength: 0, maxLength: 40 }),
    }),
    { maxLength: 4 },
  ),
  locktime: u32,
});

describe('transactions', () => {
  it('reads the funding transaction of BOLT 3, Appendix B', () => {
    const tx = decodeTransaction(fromHex(funding.funding_tx_hex));
    const script = fundingScript(fromHex(funding.remote_funding_pubkey), fromHex(funding.local_funding_pubkey));
    expect(toHex(reversed(transactionId(tx)))).toBe(funding.funding_txid);
    expect(toHex(script)).toBe(funding.funding_witness_script);
    expect(toHex(tx.outputs[funding.funding_output_index]?.script ?? new Uint8Array())).toBe(toHex(p2wsh(script)));
    expect(tx.outputs.map(({ amountSat }) => Number(amountSat))).toEqual([
      funding.funding_satoshis,
      funding.change_satoshis,
    ]);
    expect(toHex(encodeTransaction(tx))).toBe(funding.funding_tx_hex);
    expect(transactionWeight(tx)).toBe((funding.funding_tx_hex.length / 2) * 4);
  });

  it.each(commitmentCases)('reads and writes back $name', ({ expected }) => {
    expect(toHex(encodeTransaction(decodeTransaction(fromHex(expected.tx))))).toBe(expected.tx);
  });

  it('decodes what it encodes', () => {
    fc.assert(fc.property(transaction, (tx) => void expect(decodeTransaction(encodeTransaction(tx))).toEqual(tx)));
  });

  it('answers any bytes with a transaction that encodes to them, or with MalformedTransaction', () => {
    const valid = transaction.map(encodeTransaction);
    const mutated = fc.tuple(valid, fc.nat(), fc.nat(255)).map(([tx, at, byte]) => tx.with(at % tx.length, byte));
    fc.assert(
      fc.property(fc.oneof(bytes({ minLength: 0, maxLength: 200 }), mutated), (input) => {
        try {
          expect(toHex(encodeTransaction(decodeTransaction(input)))).toBe(toHex(input));
        } catch (error) {
          if (!(error instanceof GlowwormError)) throw error;
          expect(error.code).toBe('MalformedTransaction');
        }
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['no bytes', ''],
    ['a byte too many', `${funding.funding_tx_hex}00`],
    ['a byte too few', funding.funding_tx_hex.slice(0, -2)],
    ['more inputs than bytes', `02000000feffffffff${funding.funding_tx_hex.slice(10)}`],
    ['a count that is not in its shortest form', funding.funding_tx_hex.replace(/^0200000001/, '02000000fd0100')],
  ])('refuses %s', (_, hex) => {
    expect(() => decodeTransaction(fromHex(hex))).toThrow(expect.objectContaining({ code: 'MalformedTransaction' }));
  });
});

describe('the version 0 sighash', () => {
  /** The two-input P2WPKH example of BIP 143. */
  const tx = decodeTransaction(
    fromHex(
      '0100000002fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f0000000000eeffffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff02202cb206000000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac11000000',
    ),
  );
  const scriptCode = fromHex('76a9141d0f172a0ecb48aee1be1f2687d2963ae33f71a188ac');

  it('is that of BIP 143, with and without a midstate from before', () => {
    const expected = 'c37af31116d1b27caf68aae9e3ac82f1477929014d5b917657d0eb49478cb670';
    expect(toHex(segwitV0Sighash(tx, 1, scriptCode, 600_000_000n, 'ALL'))).toBe(expected);
    expect(toHex(segwitV0Sighash(tx, 1, scriptCode, 600_000_000n, 'ALL', sighashMidstate(tx)))).toBe(expected);
  });

  it('with SINGLE|ANYONECANPAY depends on nothing but its input and output', () => {
    const hash = (changed: Transaction): string =>
      toHex(segwitV0Sighash(changed, 0, scriptCode, 1n, 'SINGLE|ANYONECANPAY'));
    const [firstInput, firstOutput] = [tx.inputs.slice(0, 1), tx.outputs.slice(0, 1)];
    expect(hash({ ...tx, inputs: firstInput, outputs: firstOutput })).toBe(hash(tx));
    expect(hash({ ...tx, outputs: tx.outputs.toReversed() })).not.toBe(hash(tx));
  });

  it('needs an input', () => {
    expect(() => segwitV0Sighash(tx, 2, scriptCode, 1n, 'ALL')).toThrow('no input 2');
  });
});
