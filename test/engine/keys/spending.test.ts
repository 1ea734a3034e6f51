import bcoin from 'bcoin';
import { beforeEach, describe, expect, it } from 'vitest';
import { ChannelSigner } from '../../../worker/engine/keys/channel-signer.ts';
import { perCommitmentSecret } from '../../../worker/engine/keys/shachain.ts';
import { nobleSecp256k1 as secp } from '../../../worker/engine/primitives/secp256k1.ts';
import { toLocalScript } from '../../../worker/engine/transactions/channel-scripts.ts';
import {
  buildCommitment,
  type Commitment,
  type CommitmentFormat,
  type CommitmentHtlc,
  type CommitmentInput,
} from '../../../worker/engine/transactions/commitment.ts';
import { htlcTransaction } from '../../../worker/engine/transactions/htlc-transaction.ts';
import { p2wsh } from '../../../worker/engine/transactions/script.ts';
import {
  encodeTransaction,
  transactionId,
  withWitness,
  type Transaction,
  type TransactionOutput,
} from '../../../worker/engine/transactions/transaction.ts';
import { fundingWitness, htlcTransactionWitness, type Witness } from '../../../worker/engine/transactions/witnesses.ts';
import { commitmentOf, FUNDING_SAT, preimage, secretsOf } from './channel-fixture.ts';

interface ScriptVerifier {
  readonly TX: { fromRaw(raw: Buffer): { verifyInput(index: number, output: object): boolean } };
  readonly Output: { fromRaw(raw: Buffer): object };
}
const { TX, Output } = bcoin as unknown as ScriptVerifier;

/** Whether an independent full node accepts an input, by the rules of its standard policy. */
function accepts(tx: Transaction, inputIndex: number, { amountSat, script }: TransactionOutput): boolean {
  const output = new Uint8Array(9 + script.length);
  new DataView(output.buffer).setBigUint64(0, amountSat, true);
  output.set([script.length], 8);
  output.set(script, 9);
  return TX.fromRaw(Buffer.from(encodeTransaction(tx))).verifyInput(inputIndex, Output.fromRaw(Buffer.from(output)));
}

const SAFE_SEQUENCE = 0xffff_fffd;
const NUMBER = 3;

describe.each<CommitmentFormat>(['static_remotekey', 'anchors'])('what a full node says of %s spends', (format) => {
  let alice: ChannelSigner;
  let bob: ChannelSigner;
  let input: CommitmentInput;
  let commitment: Commitment;
  let txid: Uint8Array;
  const oneBlock = format === 'anchors' ? 1 : SAFE_SEQUENCE;

  beforeEach(() => {
    const released = { counterpartySigned: [], counterpartyRevoked: 0, holderReleased: NUMBER, holderSigned: [] };
    const signed = {
      commitmentNumber: NUMBER - 1,
      sighash: new Uint8Array(32),
      perCommitmentPoint: new Uint8Array(33),
    };
    alice = new ChannelSigner(secp, secretsOf(1), FUNDING_SAT, released);
    bob = new ChannelSigner(secp, secretsOf(2), FUNDING_SAT, { ...released, counterpartySigned: [signed] });
    input = commitmentOf(alice, bob, NUMBER, { format });
    commitment = buildCommitment(input);
    txid = transactionId(commitment.tx);
  });

  const outputAt = (index: number | undefined): TransactionOutput => {
    const output = commitment.tx.outputs[index ?? -1];
    if (!output) throw new Error('the commitment has this output');
    return output;
  };

  const htlcOf = (offered: boolean): CommitmentHtlc => {
    const found = commitment.htlcs.find(({ htlc }) => htlc.offered === offered);
    if (!found) throw new Error('the commitment has this HTLC');
    return found;
  };

  /** Whether the output of a transaction can be spent by what `sign` makes of a transaction with this sequence. */
  function spendable(
    from: Transaction,
    vout: number | undefined,
    terms: { sequence: number; locktime?: number },
    sign: (spending: { tx: Transaction; inputIndex: number; amountSat: bigint }) => Witness,
  ): boolean {
    const output = from.outputs[vout ?? -1];
    if (!output || vout === undefined) throw new Error('there is such an output');
    const { sequence, locktime = 0 } = terms;
    const tx: Transaction = {
      version: 2,
      inputs: [{ txid: transactionId(from), vout, sequence, scriptSig: new Uint8Array(0), witness: [] }],
      outputs: [{ amountSat: 1000n, script: p2wsh(new Uint8Array(0)) }],
      locktime,
    };
    return accepts(withWitness(tx, 0, sign({ tx, inputIndex: 0, amountSat: output.amountSat })), 0, output);
  }

  it('the commitment', () => {
    const { signature } = bob.signCounterpartyCommitment(input, alice.perCommitmentPoint(NUMBER));
    const witness = fundingWitness(
      { pubkey: alice.pubkeys.fundingPubkey, signature: alice.signHolderCommitment(input) },
      { pubkey: bob.pubkeys.fundingPubkey, signature },
    );
    const funding = { amountSat: FUNDING_SAT, script: p2wsh(commitment.fundingScript) };
    expect(accepts(withWitness(commitment.tx, 0, witness), 0, funding)).toBe(true);
  });

  it.each([true, false])(
    'HTLC transactions, with another input for the fee if there are anchors (offered: %s)',
    (offered) => {
      const { htlcSignatures } = bob.signCounterpartyCommitment(input, alice.perCommitmentPoint(NUMBER));
      const htlc = htlcOf(offered);
      const bare = htlcTransaction(input, txid, htlc);
      const more = bare.inputs.map((first) => ({ ...first, vout: 77 }));
      const tx = format === 'anchors' ? { ...bare, inputs: [...bare.inputs, ...more] } : bare;
      const other = htlcSignatures[commitment.htlcs.indexOf(htlc)] ?? new Uint8Array();
      const own = alice.claims.signHolderHtlc(input, alice.perCommitmentPoint(NUMBER), htlc.outputIndex, {
        tx,
        inputIndex: 0,
      });
      const known = offered ? undefined : preimage;
      const witness = htlcTransactionWitness(format, other, own, known, htlc.outputScript);
      expect(accepts(withWitness(tx, 0, witness), 0, outputAt(htlc.outputIndex))).toBe(true);
    },
  );

  it('to_local, after its delay and not before', () => {
    const { revocationPubkey } = input.keys;
    const terms = { perCommitmentPoint: alice.perCommitmentPoint(NUMBER), toSelfDelay: 144, revocationPubkey };
    const spend = (sequence: number): boolean =>
      spendable(commitment.tx, commitment.toOwnerIndex, { sequence }, (to) => alice.claims.signToLocalSweep(to, terms));
    expect([spend(144), spend(143)]).toEqual([true, false]);
  });

  it('to_remote', () => {
    const spend = (sequence: number): boolean =>
      spendable(commitment.tx, commitment.toOtherIndex, { sequence }, (to) => bob.claims.signToRemoteSweep(to, format));
    expect([spend(oneBlock), spend(0)]).toEqual([true, format === 'static_remotekey']);
  });

  it('both anchors, where there are any', () => {
    const sequence = SAFE_SEQUENCE;
    const { ownerAnchorIndex, otherAnchorIndex } = commitment;
    const spent = [
      ownerAnchorIndex !== undefined &&
        spendable(commitment.tx, ownerAnchorIndex, { sequence }, (to) => alice.signHolderAnchor(to)),
      otherAnchorIndex !== undefined &&
        spendable(commitment.tx, otherAnchorIndex, { sequence }, (to) => bob.signHolderAnchor(to)),
    ];
    expect(spent).toEqual(format === 'anchors' ? [true, true] : [false, false]);
  });

  it('the HTLCs of the counterparty: with the preimage, or after the expiry', () => {
    const perCommitmentPoint = alice.perCommitmentPoint(NUMBER);
    const [offered, received] = [htlcOf(true), htlcOf(false)];
    const claim = (htlc: CommitmentHtlc, known: Uint8Array | undefined, locktime: number): boolean =>
      spendable(commitment.tx, htlc.outputIndex, { sequence: oneBlock, locktime }, (to) =>
        bob.claims.signCounterpartyHtlcClaim(to, {
          perCommitmentPoint,
          htlcScript: htlc.outputScript,
          preimage: known,
        }),
      );
    expect(claim(offered, preimage, 0)).toBe(true);
    expect(claim(offered, new Uint8Array(32).fill(2), 0)).toBe(false);
    expect(claim(received, undefined, received.htlc.cltvExpiry)).toBe(true);
    expect(claim(received, undefined, received.htlc.cltvExpiry - 1)).toBe(false);
  });

  it('everything of a revoked commitment, at once', () => {
    const revealed = perCommitmentSecret(secretsOf(1).commitmentSeed, NUMBER);
    const sequence = SAFE_SEQUENCE;
    const toLocal = { perCommitmentSecret: revealed, toSelfDelay: 144, delayedPubkey: input.keys.delayedPubkey };
    const spend = (from: Transaction, vout: number | undefined): boolean =>
      spendable(from, vout, { sequence }, (to) => bob.claims.signJusticeToLocal(to, toLocal));
    expect(spend(commitment.tx, commitment.toOwnerIndex)).toBe(true);
    for (const htlc of commitment.htlcs) {
      const terms = { perCommitmentSecret: revealed, htlcScript: htlc.outputScript };
      const take = spendable(commitment.tx, htlc.outputIndex, { sequence }, (to) =>
        bob.claims.signJusticeHtlc(to, terms),
      );
      expect(take).toBe(true);
      expect(spend(htlcTransaction(input, txid, htlc), 0)).toBe(true);
    }
    const script = toLocalScript(input.keys.revocationPubkey, 144, input.keys.delayedPubkey);
    expect(outputAt(commitment.toOwnerIndex).script).toEqual(p2wsh(script));
  });
});
