import { beforeEach, describe, expect, it } from 'vitest';
import { ChannelSigner } from '../../../worker/engine/keys/channel-signer.ts';
import { perCommitmentSecret } from '../../../worker/engine/keys/shachain.ts';
import { sha256 } from '../../../worker/engine/primitives/hash.ts';
import { fromHex, toHex } from '../../../worker/engine/primitives/bytes.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import { offeredHtlcScript, toLocalScript } from '../../../worker/engine/transactions/channel-scripts.ts';
import type { ClosingInput } from '../../../worker/engine/transactions/closing.ts';
import { buildClosing, closingSighash } from '../../../worker/engine/transactions/closing.ts';
import {
  buildCommitment,
  commitmentSighash,
  type CommitmentFormat,
  type CommitmentInput,
} from '../../../worker/engine/transactions/commitment.ts';
import {
  htlcSighash,
  htlcTransaction,
  otherHtlcSighashType,
} from '../../../worker/engine/transactions/htlc-transaction.ts';
import { p2pkh } from '../../../worker/engine/transactions/script.ts';
import { segwitV0Sighash } from '../../../worker/engine/transactions/sighash.ts';
import { parseWitnessSignature } from '../../../worker/engine/transactions/signature.ts';
import { transactionId, type Transaction } from '../../../worker/engine/transactions/transaction.ts';

import { commitmentOf, FUNDING_SAT, secretsOf } from './channel-fixture.ts';

let alice: ChannelSigner;
let bob: ChannelSigner;

beforeEach(() => {
  alice = new ChannelSigner(secp, secretsOf(1), FUNDING_SAT);
  bob = new ChannelSigner(secp, secretsOf(2), FUNDING_SAT);
});

const signForBob = (number: number, changes: Partial<CommitmentInput> = {}): string =>
  toHex(
    alice.signCounterpartyCommitment(commitmentOf(bob, alice, number, changes), bob.perCommitmentPoint(number))
      .signature,
  );
const bobRevokes = (number: number): void =>
  alice.counterpartyRevoked(number, perCommitmentSecret(secretsOf(2).commitmentSeed, number));
const refusal = expect.objectContaining({ code: 'SignerRefused' });
const other = { feeratePerKw: 2000 };

describe.each<CommitmentFormat>(['static_remotekey', 'anchors'])('signatures of %s channels', (format) => {
  it('hold for the counterparty commitment and its HTLC transactions', () => {
    const input = commitmentOf(bob, alice, 0, { format });
    const { signature, htlcSignatures } = alice.signCounterpartyCommitment(input, bob.perCommitmentPoint(0));
    const commitment = buildCommitment(input);
    expect(secp.verify(signature, commitmentSighash(commitment, FUNDING_SAT), alice.pubkeys.fundingPubkey)).toBe(true);
    expect(htlcSignatures).toHaveLength(2);
    const txid = transactionId(commitment.tx);
    for (const [index, htlc] of commitment.htlcs.entries()) {
      const hash = htlcSighash(htlcTransaction(input, txid, htlc), htlc, otherHtlcSighashType(format));
      expect(secp.verify(htlcSignatures[index] ?? new Uint8Array(), hash, input.keys.otherHtlcPubkey)).toBe(true);
    }
  });

  it('hold for the holder commitment and its HTLC transactions', () => {
    const input = commitmentOf(alice, bob, 0, { format });
    const commitment = buildCommitment(input);
    const signature = alice.signHolderCommitment(input);
    expect(secp.verify(signature, commitmentSighash(commitment, FUNDING_SAT), alice.pubkeys.fundingPubkey)).toBe(true);
    for (const htlc of commitment.htlcs) {
      const tx = htlcTransaction(input, transactionId(commitment.tx), htlc);
      const htlcSignature = alice.claims.signHolderHtlc(input, alice.perCommitmentPoint(0), htlc.outputIndex, {
        tx,
        inputIndex: 0,
      });
      expect(secp.verify(htlcSignature, htlcSighash(tx, htlc, 'ALL'), input.keys.ownerHtlcPubkey)).toBe(true);
    }
  });
});

describe('the signer refuses', () => {
  it('another version of a counterparty commitment, but repeats the same', () => {
    const first = signForBob(0);
    expect(signForBob(0)).toBe(first);
    expect(() => signForBob(0, other)).toThrow(refusal);
  });

  it('a counterparty commitment that was revoked, even the same again', () => {
    signForBob(0);
    signForBob(1);
    bobRevokes(0);
    expect(() => signForBob(0)).toThrow(refusal);
  });

  it('a third counterparty commitment before the first is revoked, and one that skips', () => {
    expect(() => signForBob(1)).toThrow(refusal);
    signForBob(0);
    signForBob(1);
    expect(() => signForBob(2)).toThrow(refusal);
    bobRevokes(0);
    expect(signForBob(2)).toHaveLength(128);
  });

  it('a revocation out of turn or by another secret', () => {
    signForBob(0);
    expect(() => bobRevokes(0)).toThrow(refusal);
    signForBob(1);
    expect(() => bobRevokes(1)).toThrow(refusal);
    expect(() => alice.counterpartyRevoked(0, new Uint8Array(32).fill(1))).toThrow(refusal);
  });

  it('to sign a holder commitment whose secret was released', () => {
    alice.releaseCommitmentSecret(0);
    expect(() => alice.signHolderCommitment(commitmentOf(alice, bob, 0))).toThrow(refusal);
    expect(alice.signHolderCommitment(commitmentOf(alice, bob, 1))).toHaveLength(64);
  });

  it('an HTLC with keys of another commitment', () => {
    const input = commitmentOf(alice, bob, 0);
    const commitment = buildCommitment(input);
    const [htlc] = commitment.htlcs;
    if (!htlc) throw new Error('the commitment has HTLCs');
    const tx = htlcTransaction(input, transactionId(commitment.tx), htlc);
    const spending = { tx, inputIndex: 0 };
    const point = alice.perCommitmentPoint(1);
    expect(() => alice.claims.signHolderHtlc(input, point, htlc.outputIndex, spending)).toThrow(refusal);
  });

  it('an HTLC transaction that pays elsewhere', () => {
    const input = commitmentOf(alice, bob, 0);
    const commitment = buildCommitment(input);
    const [htlc] = commitment.htlcs;
    if (!htlc) throw new Error('the commitment has HTLCs');
    const tx = htlcTransaction(input, transactionId(commitment.tx), htlc);
    const elsewhere = { ...tx, outputs: tx.outputs.map((output) => ({ ...output, script: fromHex('51') })) };
    expect(() =>
      alice.claims.signHolderHtlc(input, alice.perCommitmentPoint(0), htlc.outputIndex, {
        tx: elsewhere,
        inputIndex: 0,
      }),
    ).toThrow(refusal);
    expect(() => alice.claims.signHolderHtlc(input, alice.perCommitmentPoint(0), 99, { tx, inputIndex: 0 })).toThrow(
      refusal,
    );
  });

  it.each([{ vout: 99 }, { txid: new Uint8Array(32).fill(9) }])(
    'an HTLC transaction that spends another output',
    (change) => {
      const input = commitmentOf(alice, bob, 0);
      const commitment = buildCommitment(input);
      const [htlc] = commitment.htlcs;
      if (!htlc) throw new Error('the commitment has HTLCs');
      const tx = htlcTransaction(input, transactionId(commitment.tx), htlc);
      const other = { ...tx, inputs: tx.inputs.map((spent) => ({ ...spent, ...change })) };
      expect(() =>
        alice.claims.signHolderHtlc(input, alice.perCommitmentPoint(0), htlc.outputIndex, { tx: other, inputIndex: 0 }),
      ).toThrow(refusal);
    },
  );

  it('to release the secret of a commitment signed for broadcast, or one before its turn', () => {
    expect(() => alice.releaseCommitmentSecret(1)).toThrow(refusal);
    alice.releaseCommitmentSecret(0);
    alice.signHolderCommitment(commitmentOf(alice, bob, 1));
    expect(() => alice.releaseCommitmentSecret(1)).toThrow(refusal);
    expect(toHex(alice.releaseCommitmentSecret(0))).toBe(toHex(perCommitmentSecret(secretsOf(1).commitmentSeed, 0)));
    const { state } = alice;
    alice.releaseCommitmentSecret(0);
    expect(alice.state).toBe(state);
  });

  it('another version of a signed holder commitment, and one too far ahead', () => {
    const first = alice.signHolderCommitment(commitmentOf(alice, bob, 0));
    expect(alice.signHolderCommitment(commitmentOf(alice, bob, 0))).toEqual(first);
    expect(() => alice.signHolderCommitment(commitmentOf(alice, bob, 0, other))).toThrow(refusal);
    expect(() => alice.signHolderCommitment(commitmentOf(alice, bob, 2))).toThrow(refusal);
  });

  it.each(['revocationPubkey', 'otherHtlcPubkey', 'otherPaymentPubkey', 'otherFundingPubkey'] as const)(
    'a counterparty commitment whose %s is not ours',
    (name) => {
      const { keys } = commitmentOf(bob, alice, 0);
      expect(() => signForBob(0, { keys: { ...keys, [name]: keys.delayedPubkey } })).toThrow(refusal);
    },
  );

  it.each(['delayedPubkey', 'ownerHtlcPubkey', 'ownerFundingPubkey'] as const)(
    'a holder commitment whose %s is not ours',
    (name) => {
      const { keys } = commitmentOf(alice, bob, 0);
      const input = commitmentOf(alice, bob, 0, { keys: { ...keys, [name]: keys.otherPaymentPubkey } });
      expect(() => alice.signHolderCommitment(input)).toThrow(refusal);
    },
  );

  it('another funding amount', () => {
    expect(() => signForBob(0, { fundingSat: FUNDING_SAT + 1n })).toThrow(refusal);
  });

  it('all that it would have refused before a restart', () => {
    signForBob(0);
    alice.releaseCommitmentSecret(0);
    alice.signHolderCommitment(commitmentOf(alice, bob, 1));
    alice = new ChannelSigner(secp, secretsOf(1), FUNDING_SAT, structuredClone(alice.state));
    expect(() => signForBob(0, other)).toThrow(refusal);
    expect(() => alice.releaseCommitmentSecret(1)).toThrow(refusal);
    expect(() => alice.signHolderCommitment(commitmentOf(alice, bob, 0))).toThrow(refusal);
    expect(signForBob(0)).toHaveLength(128);
  });
});

describe('spending', () => {
  const tx: Transaction = {
    version: 2,
    inputs: [{ txid: new Uint8Array(32).fill(3), vout: 2, sequence: 144, scriptSig: new Uint8Array(0), witness: [] }],
    outputs: [{ amountSat: 900n, script: fromHex(`0014${'11'.repeat(20)}`) }],
    locktime: 0,
  };
  const spending = { tx, inputIndex: 0, amountSat: 1000n };
  const holds = (
    witness: readonly Uint8Array[],
    script: Uint8Array,
    pubkey: Uint8Array,
    amountSat = 1000n,
  ): boolean => {
    const { signature } = parseWitnessSignature(witness[0] ?? new Uint8Array());
    return secp.verify(signature, segwitV0Sighash(tx, 0, script, amountSat, 'ALL'), pubkey);
  };

  it('to_local after its delay', () => {
    const { keys } = commitmentOf(alice, bob, 5);
    const script = toLocalScript(keys.revocationPubkey, 144, keys.delayedPubkey);
    const witness = alice.claims.signToLocalSweep(spending, {
      perCommitmentPoint: alice.perCommitmentPoint(5),
      toSelfDelay: 144,
      revocationPubkey: keys.revocationPubkey,
    });
    expect(witness.slice(1)).toEqual([new Uint8Array(0), script]);
    expect(holds(witness, script, keys.delayedPubkey)).toBe(true);
  });

  it('to_remote of both formats', () => {
    const { paymentBasepoint } = alice.pubkeys;
    const plain = alice.claims.signToRemoteSweep(spending, 'static_remotekey');
    expect(plain[1]).toEqual(paymentBasepoint);
    expect(holds(plain, p2pkh(paymentBasepoint), paymentBasepoint)).toBe(true);
    const anchors = alice.claims.signToRemoteSweep(spending, 'anchors');
    expect(holds(anchors, anchors[1] ?? new Uint8Array(), paymentBasepoint)).toBe(true);
  });

  it('its anchor', () => {
    const witness = alice.signHolderAnchor(spending);
    expect(holds(witness, witness[1] ?? new Uint8Array(), alice.pubkeys.fundingPubkey, 330n)).toBe(true);
  });

  it('an HTLC of the counterparty commitment', () => {
    const { keys } = commitmentOf(bob, alice, 3);
    const htlcScript = offeredHtlcScript('anchors', keys, sha256(Uint8Array.of(1)));
    const claim = { perCommitmentPoint: bob.perCommitmentPoint(3), htlcScript };
    const witness = alice.claims.signCounterpartyHtlcClaim(spending, {
      ...claim,
      preimage: new Uint8Array(32).fill(1),
    });
    expect(witness[1]).toHaveLength(32);
    expect(holds(witness, htlcScript, keys.otherHtlcPubkey)).toBe(true);
    expect(alice.claims.signCounterpartyHtlcClaim(spending, claim)[1]).toHaveLength(0);
  });

  it('everything of a revoked commitment', () => {
    const { keys } = commitmentOf(bob, alice, 3);
    const revealed = perCommitmentSecret(secretsOf(2).commitmentSeed, 3);
    const toLocal = alice.claims.signJusticeToLocal(spending, {
      perCommitmentSecret: revealed,
      toSelfDelay: 144,
      delayedPubkey: keys.delayedPubkey,
    });
    const script = toLocalScript(keys.revocationPubkey, 144, keys.delayedPubkey);
    expect(toLocal.slice(1)).toEqual([Uint8Array.of(1), script]);
    expect(holds(toLocal, script, keys.revocationPubkey)).toBe(true);
    const htlcScript = offeredHtlcScript('anchors', keys, sha256(Uint8Array.of(1)));
    const htlc = alice.claims.signJusticeHtlc(spending, { perCommitmentSecret: revealed, htlcScript });
    expect(htlc.slice(1)).toEqual([keys.revocationPubkey, htlcScript]);
    expect(holds(htlc, htlcScript, keys.revocationPubkey)).toBe(true);
  });

  it('the funding by a closing transaction, at any fee', () => {
    const input: ClosingInput = {
      fundingTxid: new Uint8Array(32).fill(9),
      fundingOutputIndex: 1,
      fundingSat: FUNDING_SAT,
      holderIsOpener: true,
      holderFundingPubkey: alice.pubkeys.fundingPubkey,
      counterpartyFundingPubkey: bob.pubkeys.fundingPubkey,
      toHolderSat: 600_000n,
      toCounterpartySat: 400_000n,
      holderScript: fromHex(`0014${'11'.repeat(20)}`),
      counterpartyScript: fromHex(`0014${'22'.repeat(20)}`),
      outputs: 'both',
      feeSat: 500n,
    };
    for (const feeSat of [500n, 700n]) {
      const hash = closingSighash(buildClosing({ ...input, feeSat }), FUNDING_SAT);
      expect(secp.verify(alice.signClosing({ ...input, feeSat }), hash, alice.pubkeys.fundingPubkey)).toBe(true);
    }
    expect(() => bob.signClosing(input)).toThrow(refusal);
    expect(() => alice.signClosing({ ...input, outputs: 'counterparty' })).toThrow(refusal);
    expect(alice.signClosing({ ...input, toHolderSat: 1_499n, outputs: 'counterparty' })).toHaveLength(64);
  });
});
