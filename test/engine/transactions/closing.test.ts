import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import {
  buildClosing,
  closingFeeSat,
  closingSighash,
  closingWeight,
  type ClosingInput,
} from '../../../worker/engine/transactions/closing.ts';
import { transactionWeight, withWitness } from '../../../worker/engine/transactions/transaction.ts';
import { fundingWitness } from '../../../worker/engine/transactions/witnesses.ts';
import { commitmentCases, secrets } from './vectors.ts';

const [example] = commitmentCases;
if (!example) throw new Error('the vectors have a first case');
const p2wpkh = (byte: string): Uint8Array => fromHex(`0014${byte.repeat(20)}`);
const input: ClosingInput = {
  fundingTxid: example.input.fundingTxid,
  fundingOutputIndex: 0,
  fundingSat: 10_000n,
  holderIsOpener: true,
  holderFundingPubkey: example.input.keys.ownerFundingPubkey,
  counterpartyFundingPubkey: example.input.keys.otherFundingPubkey,
  toHolderSat: 6_000n,
  toCounterpartySat: 4_000n,
  holderScript: p2wpkh('22'),
  counterpartyScript: p2wpkh('11'),
  feeSat: 500n,
  outputs: 'both',
};
const amounts = (changes: Partial<ClosingInput>): number[] =>
  buildClosing({ ...input, ...changes }).tx.outputs.map(({ amountSat }) => Number(amountSat));

describe('the legacy closing transaction of BOLT 3', () => {
  it('takes the fee from the opener and orders by amount', () => {
    expect(amounts({})).toEqual([4_000, 5_500]);
    expect(amounts({ holderIsOpener: false })).toEqual([3_500, 6_000]);
  });

  it('orders equal amounts by script', () => {
    const { tx } = buildClosing({ ...input, toHolderSat: 4_500n });
    expect(tx.outputs.map(({ script }) => toHex(script))).toEqual([toHex(p2wpkh('11')), toHex(p2wpkh('22'))]);
  });

  it('has the output of one side where the other is left out; the fee is the same', () => {
    expect(amounts({ outputs: 'holder' })).toEqual([5_500]);
    expect(amounts({ outputs: 'counterparty' })).toEqual([4_000]);
  });

  it('refuses a fee beyond the opener', () => {
    expect(() => buildClosing({ ...input, toHolderSat: 499n })).toThrow(
      expect.objectContaining({ code: 'ClosingFeeTooHigh' }),
    );
  });

  it('has the fixed fields', () => {
    const { tx } = buildClosing(input);
    expect([tx.version, tx.locktime, tx.inputs[0]?.sequence]).toEqual([2, 0, 0xffffffff]);
  });

  it('weighs at most what was estimated, and the fee follows', () => {
    const closing = buildClosing(input);
    const hash = closingSighash(closing, input.fundingSat);
    const witness = fundingWitness(
      { pubkey: input.counterpartyFundingPubkey, signature: secp.sign(hash, secrets.remoteFunding) },
      { pubkey: input.holderFundingPubkey, signature: secp.sign(hash, secrets.localFunding) },
    );
    const scripts = [input.holderScript, input.counterpartyScript];
    const weight = transactionWeight(withWitness(closing.tx, 0, witness));
    const estimate = closingWeight(scripts);
    expect(estimate - weight).toBeGreaterThanOrEqual(0);
    expect(estimate - weight).toBeLessThanOrEqual(3);
    expect(closingFeeSat(scripts, 253)).toBe(BigInt(Math.ceil((estimate * 253) / 1000)));
  });

  it('costs what the feerate says, rounded up to the satoshi', () => {
    const scripts = [p2wpkh('11'), p2wpkh('22')];
    const weight = BigInt(closingWeight(scripts));
    expect([1_000, 50_000, 1].map((feerate) => closingFeeSat(scripts, feerate))).toEqual([weight, weight * 50n, 1n]);
  });
});
