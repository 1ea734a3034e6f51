import { describe, expect, it } from 'vitest';
import { commitmentSigned, receiveCommitmentSigned } from '../../../worker/engine/channel/channel-operation.ts';
import { nextHolderSpec } from '../../../worker/engine/channel/commitments.ts';
import { reestablishMessage } from '../../../worker/engine/channel/channel-reestablish.ts';
import { signCounterpartyCommitment } from '../../../worker/engine/channel/commitment-signatures.ts';
import type { MessageOf } from '../../../worker/engine/wire/message.ts';
import { exchange, openPair, passed, refused, type Party } from './party.ts';

/** What a peer signs that has nothing new to say. */
function emptyCommitmentSigned(from: Party, to: Party): MessageOf<'commitment_signed'> {
  const { commitments, params } = to.state;
  const number = commitments.holderCommit.number + 1;
  const perCommitmentPoint = to.signer.perCommitmentPoint(number);
  const commit = { number, spec: mirrored(nextHolderSpec(commitments)), perCommitmentPoint };
  const signatures = signCounterpartyCommitment(from.env, from.state.params, commit);
  return commitmentSigned(params.channelId, signatures) as MessageOf<'commitment_signed'>;
}

/** Our commitment as the other side knows it. */
const mirrored = (spec: ReturnType<typeof nextHolderSpec>): ReturnType<typeof nextHolderSpec> => ({
  ...spec,
  toHolderMsat: spec.toCounterpartyMsat,
  toCounterpartyMsat: spec.toHolderMsat,
  htlcs: spec.htlcs.map((htlc) => ({
    ...htlc,
    direction: htlc.direction === 'inbound' ? 'outbound' : 'inbound',
  })),
});

describe('a commitment_signed without any change', () => {
  it('is the next commitment with the same content, and revokes the one before', () => {
    const { opener, fundee } = openPair();
    const before = opener.state.commitments;
    const { steps } = passed(opener.receive(emptyCommitmentSigned(fundee, opener)));
    expect(opener.state.commitments).toEqual({
      ...before,
      holderCommit: { number: 1, spec: before.holderCommit.spec },
    });
    expect(steps).toMatchObject([{ kind: 'latestHolderCommitment', number: 1, spec: before.holderCommit.spec }]);
    const secret = opener.take('revoke_and_ack').perCommitmentSecret;
    expect(fundee.env.secp.publicKey(secret)).toEqual(opener.signer.perCommitmentPoint(0));
    expect(reestablishMessage(opener.env, opener.state, new Uint8Array(32)).nextCommitmentNumber).toBe(2n);
  });

  it('keeps the HTLCs that are in the commitment', () => {
    const { opener, fundee } = openPair();
    opener.offer(50_000_000n);
    exchange(opener, fundee);
    const { spec, number } = opener.state.commitments.holderCommit;
    expect(spec.htlcs).toHaveLength(1);
    passed(opener.receive(emptyCommitmentSigned(fundee, opener)));
    expect(opener.state.commitments.holderCommit).toEqual({ number: number + 1, spec });
  });

  it('must be signed well', () => {
    const { opener, fundee } = openPair();
    const signed = emptyCommitmentSigned(fundee, opener);
    const wrong = { ...signed, signature: signed.signature.map((byte) => byte ^ 1) };
    expect(refused(receiveCommitmentSigned(opener.env, opener.state, wrong)).severity).toBe('warn');
    expect(opener.state.commitments.holderCommit.number).toBe(0);
  });

  it.each(['holderReadySent', 'counterpartyReady'] as const)('is refused without %s', (ready) => {
    const { opener, fundee } = openPair();
    const early = { ...opener.state, [ready]: false };
    const { severity, reason } = refused(
      receiveCommitmentSigned(opener.env, early, emptyCommitmentSigned(fundee, opener)),
    );
    expect([severity, reason]).toEqual(['warn', 'commitment_signed without any change before channel_ready']);
  });
});
