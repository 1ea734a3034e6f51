import { describe, expect, it } from 'vitest';
import type { OpenChannel } from '../../../worker/engine/channel/channel-state.ts';
import {
  afterDisconnection,
  receiveReestablish,
  reestablishMessage,
} from '../../../worker/engine/channel/channel-reestablish.ts';
import { proposeFee } from '../../../worker/engine/channel/channel-operation.ts';
import { feeratePerKw, sat } from '../../../worker/engine/primitives/units.ts';
import { perCommitmentSecret } from '../../../worker/engine/keys/shachain.ts';
import type { MessageOf } from '../../../worker/engine/wire/message.ts';
import { exchange, openPair, passed, refused, type Party } from './party.ts';

const hello = (party: Party): MessageOf<'channel_reestablish'> =>
  reestablishMessage(party.env, party.state, new Uint8Array(32));

/** Both lose the connection and what was under way, and greet each other on a new one. */
function reconnect(a: Party, b: Party): void {
  for (const party of [a, b]) {
    party.outbox.length = 0;
    party.state = afterDisconnection(party.state);
  }
  const [fromA, fromB] = [hello(a), hello(b)];
  a.apply(passed(receiveReestablish(a.env, a.state, fromB)));
  b.apply(passed(receiveReestablish(b.env, b.state, fromA)));
}

const kinds = (party: Party): string[] => party.outbox.map(({ kind }) => kind);

/** A channel after two payments' worth of commitments. */
function used() {
  const { opener, fundee } = openPair();
  opener.offer(1_000_000n);
  exchange(opener, fundee);
  opener.offer(2_000_000n);
  exchange(opener, fundee);
  return { opener, fundee };
}

const answerTo = (party: Party, change: Partial<MessageOf<'channel_reestablish'>>, from: Party) =>
  receiveReestablish(party.env, party.state, { ...hello(from), ...change });

describe('channel_reestablish -- nothing was lost', () => {
  it('says nothing after commitments were exchanged', () => {
    const { opener, fundee } = used();
    reconnect(opener, fundee);
    expect([kinds(opener), kinds(fundee)]).toEqual([[], []]);
  });

  it('repeats channel_ready while no commitment was', () => {
    const { opener, fundee } = openPair();
    reconnect(opener, fundee);
    expect([kinds(opener), kinds(fundee)]).toEqual([['channel_ready'], ['channel_ready']]);
  });
});

describe('channel_reestablish -- something was lost', () => {
  it('repeats an update that was not signed', () => {
    const { opener, fundee } = used();
    opener.offer(3_000_000n);
    reconnect(opener, fundee);
    expect(kinds(opener)).toEqual(['update_add_htlc']);
    exchange(opener, fundee);
    expect(fundee.state.commitments.holderCommit.spec.htlcs).toHaveLength(3);
  });

  it('repeats updates and the signature, bit by bit', () => {
    const { opener, fundee } = used();
    opener.offer(3_000_000n);
    opener.sign();
    const first = [...opener.outbox];
    reconnect(opener, fundee);
    expect(opener.outbox).toEqual(first);
    exchange(opener, fundee);
  });

  it('repeats revoke_and_ack', () => {
    const { opener, fundee } = used();
    opener.offer(3_000_000n);
    opener.sign();
    for (const message of opener.outbox.splice(0)) passed(fundee.receive(message));
    reconnect(opener, fundee);
    expect([kinds(opener), kinds(fundee)]).toEqual([[], ['revoke_and_ack']]);
    exchange(opener, fundee);
  });

  it('repeats revoke_and_ack before the signature that followed it', () => {
    const { opener, fundee } = used();
    opener.offer(3_000_000n);
    opener.sign();
    for (const message of opener.outbox.splice(0)) passed(fundee.receive(message));
    fundee.sign();
    const first = [...fundee.outbox];
    reconnect(opener, fundee);
    expect(kinds(fundee)).toEqual(['revoke_and_ack', 'commitment_signed']);
    expect(fundee.outbox).toEqual(first);
    exchange(opener, fundee);
  });

  it('repeats the signature before the revoke_and_ack that followed it', () => {
    const { opener, fundee } = used();
    opener.offer(3_000_000n, 3);
    fundee.offer(4_000_000n, 4);
    opener.sign();
    fundee.sign();
    const lost = [...fundee.outbox];
    for (const message of opener.outbox.splice(0)) passed(fundee.receive(message));
    expect(lost.map(({ kind }) => kind)).toEqual(['update_add_htlc', 'commitment_signed']);
    reconnect(opener, fundee);
    expect(kinds(fundee)).toEqual(['update_add_htlc', 'commitment_signed', 'revoke_and_ack']);
    exchange(opener, fundee);
    expect(opener.state.commitments.holderCommit.spec.htlcs).toHaveLength(4);
  });

  it('repeats shutdown', () => {
    const { opener, fundee } = used();
    const holderScript = new Uint8Array(22);
    opener.state = { ...opener.state, shutdown: { kind: 'holder', holderScript, sent: true } };
    reconnect(opener, fundee);
    expect(kinds(opener)).toEqual(['shutdown']);
  });

  it('forgets an unsigned update_fee of ours: it may have become too much', () => {
    const { opener, fundee } = used();
    opener.apply(proposeFee(opener.state, feeratePerKw(2000)));
    reconnect(opener, fundee);
    expect([kinds(opener), opener.state.commitments.holderChanges.proposed]).toEqual([[], []]);
  });

  it('takes repeated HTLCs that were offered before a higher feerate was known', () => {
    const { opener, fundee } = openPair({ fundingSat: sat(50_000n), pushMsat: 20_000_000n });
    for (let slot = 0; slot < 9; slot++) expect(fundee.offer(1_056_999n)).toBeUndefined();
    opener.apply(proposeFee(opener.state, feeratePerKw(24_000)));
    opener.sign();
    for (const message of opener.outbox.splice(0)) passed(fundee.receive(message));
    passed(opener.receive(fundee.take('revoke_and_ack')));
    reconnect(opener, fundee);
    exchange(opener, fundee);
    expect(opener.state.commitments.holderCommit.spec).toMatchObject({ feeratePerKw: 24_000 });
    expect(opener.state.commitments.holderCommit.spec.htlcs).toHaveLength(9);
  });

  it('forgets what the peer had not signed', () => {
    const { opener, fundee } = used();
    const before: OpenChannel = fundee.state;
    opener.offer(3_000_000n);
    passed(fundee.receive(opener.take('update_add_htlc')));
    expect(afterDisconnection(fundee.state)).toEqual(before);
  });
});

describe('channel_reestablish -- somebody has lost state', () => {
  it('never broadcasts when the peer proves that we are the one', () => {
    const { opener, fundee } = used();
    const number = opener.state.commitments.holderCommit.number;
    const yourLastPerCommitmentSecret = opener.signer.releaseCommitmentSecret(number);
    const proof = { nextRevocationNumber: BigInt(number + 1), yourLastPerCommitmentSecret };
    expect(refused(answerTo(opener, proof, fundee)).severity).toBe('stale');
  });

  it('fails the channel when the peer claims revocations that it cannot prove', () => {
    const { opener, fundee } = used();
    const number = opener.state.commitments.holderCommit.number;
    const yourLastPerCommitmentSecret = perCommitmentSecret(new Uint8Array(32), 1);
    const claim = { nextRevocationNumber: BigInt(number + 1), yourLastPerCommitmentSecret };
    expect(refused(answerTo(opener, claim, fundee)).severity).toBe('fail');
    expect(
      refused(answerTo(opener, { ...claim, yourLastPerCommitmentSecret: new Uint8Array(32) }, fundee)).severity,
    ).toBe('fail');
  });

  it('never broadcasts when the peer has a commitment that we do not remember signing', () => {
    const { opener, fundee } = used();
    const nextCommitmentNumber = hello(fundee).nextCommitmentNumber + 1n;
    expect(refused(answerTo(opener, { nextCommitmentNumber }, fundee)).severity).toBe('stale');
  });

  it('fails the channel of a peer that lost a commitment or a revocation', () => {
    const { opener, fundee } = used();
    const { nextCommitmentNumber, nextRevocationNumber } = hello(fundee);
    for (const change of [
      { nextCommitmentNumber: nextCommitmentNumber - 1n },
      { nextRevocationNumber: nextRevocationNumber - 2n },
      { nextCommitmentNumber: 0n },
    ])
      expect(refused(answerTo(opener, change, fundee)).severity).toBe('fail');
  });
});
