import { describe, expect, it } from 'vitest';
import type { OpenChannel } from '../../../worker/engine/channel/channel-state.ts';
import {
  afterDisconnection,
  lostStateMessage,
  receiveReestablish,
  reestablishMessage,
} from '../../../worker/engine/channel/channel-reestablish.ts';
import { availableToSendMsat } from '../../../worker/engine/channel/channel-limits.ts';
import { offerHtlc, proposeFee, removeHtlc } from '../../../worker/engine/channel/channel-operation.ts';
import { requestQuiescence } from '../../../worker/engine/channel/channel-quiescence.ts';
import { sha256 } from '../../../worker/engine/primitives/hash.ts';
import { feeratePerKw, msat, sat } from '../../../worker/engine/primitives/units.ts';
import { perCommitmentSecret, retrieveSecret, shachainIndex } from '../../../worker/engine/keys/shachain.ts';
import type { MessageOf } from '../../../worker/engine/wire/message.ts';
import { NEW_TERMS } from '../../../worker/engine/channel/channel-shutdown.ts';
import { exchange, openPair, passed, refused, type Party } from './party.ts';

function hello(party: Party): MessageOf<'channel_reestablish'> {
  const { number } = party.state.commitments.counterpartyCommit;
  const last = number === 0 ? undefined : retrieveSecret(party.env.counterpartySecrets, shachainIndex(number - 1));
  return reestablishMessage(party.env, party.state, last ?? new Uint8Array(32));
}

/** Both lose the connection and what was under way, and greet each other on a new one. Answers what was dropped. */
function reconnect(a: Party, b: Party) {
  for (const party of [a, b]) {
    party.outbox.length = 0;
    party.state = afterDisconnection(party.state);
  }
  const [fromA, fromB] = [hello(a), hello(b)];
  const answers = [
    passed(receiveReestablish(a.env, a.state, fromB)),
    passed(receiveReestablish(b.env, b.state, fromA)),
  ] as const;
  a.apply(answers[0]);
  b.apply(answers[1]);
  return answers.flatMap(({ facts }) => facts).filter((fact) => fact.kind === 'htlcDropped');
}

const range = (from: number, to: number): bigint[] => Array.from({ length: to - from }, (_, i) => BigInt(from + i));

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
    opener.state = { ...opener.state, shutdown: { kind: 'holder', holderScript, sent: true, terms: NEW_TERMS } };
    reconnect(opener, fundee);
    expect(kinds(opener)).toEqual(['shutdown']);
  });

  it('forgets an unsigned update_fee of ours: it may have become too much', () => {
    const { opener, fundee } = used();
    opener.apply(proposeFee(opener.env, opener.state, feeratePerKw(2000)));
    reconnect(opener, fundee);
    expect([kinds(opener), opener.state.commitments.holderChanges.proposed]).toEqual([[], []]);
  });

  it('forgets an unsigned lower update_fee of ours: the peer may have dropped the connection over it', () => {
    const { opener, fundee } = used();
    opener.apply(proposeFee(opener.env, opener.state, feeratePerKw(300)));
    opener.offer(3_000_000n);
    reconnect(opener, fundee);
    expect(kinds(opener)).toEqual(['update_add_htlc']);
    exchange(opener, fundee);
    expect(fundee.state.commitments.holderCommit.spec).toMatchObject({ feeratePerKw: 1000 });
  });

  it.each([
    ['with it', undefined, ['update_fee', 'update_add_htlc'], 0],
    ['without it, so not at all, where the peer has refused it', 300, [], 1],
  ])('repeats an HTLC that needs a lower feerate %s', (_how, refusedFeerate, said, droppedCount) => {
    const { opener, fundee } = openPair({ fundingSat: sat(50_000n), pushMsat: 20_000_000n });
    opener.apply(proposeFee(opener.env, opener.state, feeratePerKw(300)));
    expect(opener.offer(availableToSendMsat(opener.state.params, opener.state.commitments))).toBeUndefined();
    opener.refusedFeerate = refusedFeerate === undefined ? undefined : feeratePerKw(refusedFeerate);
    const dropped = reconnect(opener, fundee);
    expect(dropped).toHaveLength(droppedCount);
    expect(kinds(opener).filter((kind) => kind !== 'channel_ready')).toEqual(said);
    exchange(opener, fundee);
    expect(fundee.state.commitments.holderCommit.spec.htlcs).toHaveLength(1 - droppedCount);
  });

  it.each(['signed', 'unsigned'] as const)(
    'repeats the feerate that took the place of another before HTLCs that need it, %s',
    (when) => {
      const { opener, fundee } = openPair({ fundingSat: sat(50_000n), pushMsat: 20_000_000n });
      opener.apply(proposeFee(opener.env, opener.state, feeratePerKw(300)));
      expect(opener.offer(availableToSendMsat(opener.state.params, opener.state.commitments))).toBeUndefined();
      opener.apply(proposeFee(opener.env, opener.state, feeratePerKw(290)));
      if (when === 'signed') opener.sign();
      expect(reconnect(opener, fundee)).toEqual([]);
      expect(kinds(opener).filter((kind) => kind.startsWith('update_'))).toEqual(['update_fee', 'update_add_htlc']);
      exchange(opener, fundee);
      expect(fundee.state.commitments.holderCommit.spec).toMatchObject({ feeratePerKw: 290, htlcs: [{ id: 0n }] });
    },
  );

  it.each(['signed', 'unsigned'] as const)('repeats a fulfil before the HTLC that its money pays for, %s', (when) => {
    const { opener, fundee } = openPair({ fundingSat: sat(100_000n), pushMsat: 20_000_000n });
    const preimage = new Uint8Array(32).fill(7);
    const terms = { paymentHash: sha256(preimage), cltvExpiry: 300, onion: new Uint8Array(1366) };
    const offered = offerHtlc(opener.env, opener.state, { ...terms, amountMsat: msat(50_000_000n) });
    if ('code' in offered) throw new Error(offered.code);
    opener.apply(offered.transition);
    exchange(opener, fundee);
    fundee.apply(removeHtlc(fundee.state, { kind: 'fulfill', htlcId: 0n, preimage }));
    expect(fundee.offer(40_000_000n)).toBeUndefined();
    if (when === 'signed') fundee.sign();
    expect(reconnect(opener, fundee)).toEqual([]);
    const updates = kinds(fundee).filter((kind) => kind.startsWith('update_'));
    expect(updates).toEqual(['update_fulfill_htlc', 'update_add_htlc']);
    exchange(opener, fundee);
    expect(opener.state.commitments.holderCommit.spec.htlcs.map(({ amountMsat }) => amountMsat)).toEqual([40_000_000n]);
  });

  it('says what was held while the channel was quiescent, which it is no longer', () => {
    const { opener, fundee } = used();
    opener.apply(requestQuiescence(opener.state));
    exchange(opener, fundee);
    opener.offer(3_000_000n);
    fundee.apply(removeHtlc(fundee.state, { kind: 'fail', htlcId: 0n, reason: new Uint8Array(292) }));
    reconnect(opener, fundee);
    expect([kinds(opener), kinds(fundee)]).toEqual([['update_add_htlc'], ['update_fail_htlc']]);
    exchange(opener, fundee);
    expect(fundee.state.commitments.holderCommit.spec.htlcs.map(({ id }) => id)).toEqual([1n, 2n]);
    expect([opener, fundee].map(({ state }) => state.quiescence.kind)).toEqual(['none', 'none']);
  });

  it('does not repeat an HTLC that has expired meanwhile', () => {
    const { opener, fundee } = used();
    opener.offer(3_000_000n, 3, 205);
    opener.blockHeight = 205;
    expect(reconnect(opener, fundee)).toHaveLength(1);
    expect(kinds(opener)).toEqual([]);
  });

  it('takes HTLCs back that a higher feerate has no room for', () => {
    const { opener, fundee } = openPair({ fundingSat: sat(50_000n), pushMsat: 20_000_000n });
    for (let slot = 0; slot < 9; slot++) expect(fundee.offer(1_056_999n)).toBeUndefined();
    opener.apply(proposeFee(opener.env, opener.state, feeratePerKw(24_000)));
    opener.sign();
    for (const message of opener.outbox.splice(0)) passed(fundee.receive(message));
    passed(opener.receive(fundee.take('revoke_and_ack')));
    const dropped = reconnect(opener, fundee);
    expect(fundee.state.commitments.nextHolderHtlcId).toBe(BigInt(9 - dropped.length));
    expect(dropped.map(({ htlc }) => htlc.id)).toEqual(range(9 - dropped.length, 9));
    expect(dropped.length).toBeGreaterThan(0);
    exchange(opener, fundee);
    expect(opener.state.commitments.holderCommit.spec).toMatchObject({ feeratePerKw: 24_000 });
    expect(opener.state.commitments.holderCommit.spec.htlcs).toHaveLength(9 - dropped.length);
  });

  it('accepts HTLCs that were offered before a higher feerate was known', () => {
    const { opener, fundee } = openPair({ fundingSat: sat(50_000n), pushMsat: 20_000_000n });
    for (let slot = 0; slot < 9; slot++) expect(fundee.offer(1_056_999n)).toBeUndefined();
    opener.apply(proposeFee(opener.env, opener.state, feeratePerKw(24_000)));
    opener.sign();
    exchange(opener, fundee);
    expect(opener.state.commitments.holderCommit.spec).toMatchObject({ feeratePerKw: 24_000 });
    expect(opener.state.commitments.holderCommit.spec.htlcs).toHaveLength(9);
  });

  it('takes HTLCs back that those of the other side have left no room for', () => {
    const { opener, fundee } = openPair({ fundingSat: sat(100_000n), pushMsat: 40_000_000n });
    opener.offer(5_000_000n);
    opener.sign();
    const most = availableToSendMsat(opener.state.params, opener.state.commitments);
    expect(opener.offer(most)).toBeUndefined();
    for (let slot = 0; slot < 8; slot++) expect(fundee.offer(2_000_000n)).toBeUndefined();
    fundee.sign();
    for (const message of fundee.outbox.splice(0)) passed(opener.receive(message));
    const dropped = reconnect(opener, fundee);
    expect(dropped.map(({ htlc }) => htlc.amountMsat)).toEqual([most]);
    expect(opener.outbox.filter(({ kind }) => kind === 'update_add_htlc')).toHaveLength(1);
    exchange(opener, fundee);
    expect(opener.offer(1_000_000n)).toBeUndefined();
    exchange(opener, fundee);
    const htlcs = fundee.state.commitments.holderCommit.spec.htlcs.filter(({ direction }) => direction === 'inbound');
    expect(htlcs.map(({ id, amountMsat }) => [id, amountMsat])).toEqual([
      [0n, 5_000_000n],
      [1n, 1_000_000n],
    ]);
  });

  it('forgets what the peer had not signed', () => {
    const { opener, fundee } = used();
    const before: OpenChannel = fundee.state;
    opener.offer(3_000_000n);
    passed(fundee.receive(opener.take('update_add_htlc')));
    expect(afterDisconnection(fundee.state)).toEqual(before);
  });
});

describe('channel_reestablish -- we have lost state', () => {
  it('asks for the close with 0 for both numbers, and claims no secret', () => {
    const { opener, fundee } = used();
    const { channelId } = opener.state.params;
    const message = lostStateMessage(opener.env, channelId);
    expect(message).toMatchObject({ channelId, nextCommitmentNumber: 0n, nextRevocationNumber: 0n });
    expect(message.yourLastPerCommitmentSecret).toEqual(new Uint8Array(32));
    expect(refused(receiveReestablish(fundee.env, fundee.state, message)).severity).toBe('forgotten');
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

  it('fails the channel when the peer claims a commitment that we never signed: that proves nothing (S2)', () => {
    const { opener, fundee } = used();
    const nextCommitmentNumber = hello(fundee).nextCommitmentNumber + 1n;
    expect(refused(answerTo(opener, { nextCommitmentNumber }, fundee)).severity).toBe('fail');
  });

  it('fails the channel when the numbers agree and the secret is not the last one', () => {
    const { opener, fundee } = used();
    for (const yourLastPerCommitmentSecret of [
      new Uint8Array(32),
      new Uint8Array(32).fill(255),
      hello(opener).yourLastPerCommitmentSecret,
    ])
      expect(refused(answerTo(opener, { yourLastPerCommitmentSecret }, fundee)).severity).toBe('fail');
  });

  it.each([2n ** 48n, 2n ** 48n + 1n, 2n ** 53n, 2n ** 64n - 1n])('takes %d for a lie in either number', (number) => {
    const { opener, fundee } = used();
    expect(refused(answerTo(opener, { nextRevocationNumber: number }, fundee)).severity).toBe('fail');
    expect(refused(answerTo(opener, { nextCommitmentNumber: number }, fundee)).severity).toBe('fail');
  });

  it('closes the channel of a peer that has lost a commitment, a revocation or all of it, without blame', () => {
    const { opener, fundee } = used();
    const { nextCommitmentNumber, nextRevocationNumber } = hello(fundee);
    for (const change of [
      { nextCommitmentNumber: nextCommitmentNumber - 1n },
      { nextRevocationNumber: nextRevocationNumber - 2n },
      { nextCommitmentNumber: 0n },
      { nextCommitmentNumber: 0n, nextRevocationNumber: 0n, yourLastPerCommitmentSecret: new Uint8Array(32).fill(1) },
    ])
      expect(refused(answerTo(opener, change, fundee)).severity).toBe('forgotten');
  });
});
