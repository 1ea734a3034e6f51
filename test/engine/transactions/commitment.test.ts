import { describe, expect, it } from 'vitest';
import legacy from '../../vectors/bolt03-commitment-legacy.json' with { type: 'json' };
import { fromHex, toHex } from '../../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import {
  commitmentNumberOf,
  obscureCommitmentNumber,
  obscuringFactor,
} from '../../../worker/engine/transactions/commitment-number.ts';
import { buildCommitment, commitmentSighash } from '../../../worker/engine/transactions/commitment.ts';
import {
  htlcSighash,
  htlcTransaction,
  otherHtlcSighashType,
} from '../../../worker/engine/transactions/htlc-transaction.ts';
import { encodeDer } from '../../../worker/engine/transactions/signature.ts';
import { encodeTransaction, transactionId, withWitness } from '../../../worker/engine/transactions/transaction.ts';
import { fundingWitness, htlcTransactionWitness } from '../../../worker/engine/transactions/witnesses.ts';
import { commitmentCases, secrets } from './vectors.ts';

describe('commitment transactions of BOLT 3, Appendices C and F', () => {
  it.each(commitmentCases)('$name', ({ input, expected }) => {
    const commitment = buildCommitment(input);
    const sighash = commitmentSighash(commitment, input.fundingSat);
    const remote = secp.sign(sighash, secrets.remoteFunding);
    const witness = fundingWitness(
      { pubkey: input.keys.ownerFundingPubkey, signature: secp.sign(sighash, secrets.localFunding) },
      { pubkey: input.keys.otherFundingPubkey, signature: remote },
    );
    expect(toHex(encodeDer(remote))).toBe(expected.remoteSignature);
    expect(toHex(encodeTransaction(withWitness(commitment.tx, 0, witness)))).toBe(expected.tx);
  });

  it.each(commitmentCases)('$name: its HTLC transactions', ({ input, expected }) => {
    const commitment = buildCommitment(input);
    const txid = transactionId(commitment.tx);
    const made = commitment.htlcs.map((htlc) => {
      const tx = htlcTransaction(input, txid, htlc);
      const remote = secp.sign(htlcSighash(tx, htlc, otherHtlcSighashType(input.format)), secrets.remoteHtlc);
      const local = secp.sign(htlcSighash(tx, htlc, 'ALL'), secrets.localHtlc);
      const preimage = htlc.htlc.offered ? undefined : htlc.htlc.preimage;
      const witness = htlcTransactionWitness(input.format, remote, local, preimage, htlc.outputScript);
      return { tx: toHex(encodeTransaction(withWitness(tx, 0, witness))), remoteSignature: toHex(encodeDer(remote)) };
    });
    expect(made).toEqual(expected.htlcs);
  });

  it('names the outputs and lists what it trimmed', () => {
    const [, , seven] = commitmentCases.filter(({ input }) => input.format === 'anchors');
    const six = commitmentCases.find(({ name }) => name.includes('anchors: commitment tx with six outputs'));
    const all = seven && buildCommitment(seven.input);
    expect([all?.ownerAnchorIndex, all?.otherAnchorIndex].toSorted()).toEqual([0, 1]);
    expect([all?.toOtherIndex, all?.toOwnerIndex]).toEqual([7, 8]);
    expect(six && buildCommitment(six.input).trimmed.map(({ id }) => id)).toEqual([0]);
  });

  it('gives no output to a side with nothing, and no anchor without a stake', () => {
    const [example] = commitmentCases.filter(({ name }) => name.includes('single anchor'));
    const commitment = example && buildCommitment(example.input);
    expect(commitment?.tx.outputs).toHaveLength(2);
    expect(commitment?.toOtherIndex).toBeUndefined();
    expect(commitment?.otherAnchorIndex).toBeUndefined();
  });
});

describe('the obscured commitment number', () => {
  const { keys, obscuring_factor } = legacy.parameters;
  const factor = Number.parseInt(obscuring_factor, 16);

  it('has the factor of both payment basepoints, the opener first', () => {
    const computed = obscuringFactor(fromHex(keys.local_payment_basepoint), fromHex(keys.remote_payment_basepoint));
    expect(computed).toBe(factor);
  });

  it.each([0, 1, 42, 2 ** 24 - 1, 2 ** 24, 2 ** 47 + 12345, 2 ** 48 - 1])('is read back: %i', (number) => {
    const { locktime, sequence } = obscureCommitmentNumber(number, factor);
    const [example] = commitmentCases;
    const inputs = (example ? buildCommitment(example.input).tx.inputs : []).map((input) => ({ ...input, sequence }));
    expect(commitmentNumberOf({ version: 2, inputs, outputs: [], locktime }, factor)).toBe(number);
  });

  it('is not found in a closing transaction', () => {
    const [example] = commitmentCases;
    const tx = example && buildCommitment(example.input).tx;
    expect(tx && commitmentNumberOf({ ...tx, locktime: 0 }, factor)).toBeUndefined();
  });

  it('refuses a number beyond 48 bits', () => {
    expect(() => obscureCommitmentNumber(2 ** 48, factor)).toThrow('not a commitment number');
  });
});
