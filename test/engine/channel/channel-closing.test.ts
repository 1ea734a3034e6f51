import { describe, expect, it } from 'vitest';
import { feeratePerKw } from '../../../worker/engine/primitives/units.ts';
import {
  isNegotiable,
  proposeClosingFee,
  receiveClosingSigned,
  receiveShutdown,
  requestShutdown,
  type ClosingNegotiation,
} from '../../../worker/engine/channel/channel-closing.ts';
import { decodeTransaction } from '../../../worker/engine/transactions/transaction.ts';
import type { MessageOf } from '../../../worker/engine/wire/message.ts';
import { exchange, openPair, passed, refused, type Party, type PairTerms } from './party.ts';

const [OURS, THEIRS] = [1, 2].map((fill) => Uint8Array.of(0, 20, ...new Uint8Array(20).fill(fill))) as [
  Uint8Array,
  Uint8Array,
];
const FEATURES = { anySegwit: false, simpleClose: false };

const shutdownOf = (party: Party, scriptpubkey: Uint8Array): MessageOf<'shutdown'> => ({
  kind: 'shutdown',
  channelId: party.state.params.channelId,
  scriptpubkey,
  tlvs: {},
});

const hear = (party: Party, script: Uint8Array, own = OURS) =>
  receiveShutdown(party.state, shutdownOf(party, script), FEATURES, own);

/** Both have said `shutdown`, and nothing is left in the channel. */
function closingPair(terms?: PairTerms) {
  const { opener, fundee } = openPair(terms);
  opener.apply(requestShutdown(opener.state, OURS));
  fundee.apply(passed(receiveShutdown(fundee.state, opener.take('shutdown'), FEATURES, THEIRS)));
  opener.apply(passed(receiveShutdown(opener.state, fundee.take('shutdown'), FEATURES, OURS)));
  return { opener, fundee };
}

const answer = (party: Party, message: MessageOf<'closing_signed'>, negotiation: ClosingNegotiation = {}) =>
  receiveClosingSigned(party.env, party.state, message, negotiation);

describe('shutdown', () => {
  it('is answered at once where nothing is unsigned', () => {
    const { opener, fundee } = closingPair();
    expect([isNegotiable(opener.state), isNegotiable(fundee.state)]).toEqual([true, true]);
  });

  it('waits for our updates to be signed', () => {
    const { opener } = openPair();
    opener.offer(1_000_000n);
    opener.outbox.length = 0;
    opener.apply(requestShutdown(opener.state, OURS));
    expect(opener.outbox).toEqual([]);
    expect(opener.state.shutdown).toMatchObject({ kind: 'holder', sent: false });
  });

  it('is asked for once', () => {
    const { opener } = openPair();
    opener.apply(requestShutdown(opener.state, OURS));
    const first = opener.state;
    opener.apply(requestShutdown(opener.state, THEIRS));
    expect(opener.state).toBe(first);
  });

  it('takes no new HTLC while old ones are settled', () => {
    const { opener, fundee } = openPair();
    opener.offer(1_000_000n);
    exchange(opener, fundee);
    opener.apply(requestShutdown(opener.state, OURS));
    opener.apply(passed(hear(opener, THEIRS)));
    expect(isNegotiable(opener.state)).toBe(false);
    const early = proposeClosingFee(opener.env, opener.state).message;
    expect(answer(fundee, early)).toMatchObject({ kind: 'violation', severity: 'warn' });
  });

  it('goes to the script that was promised in the beginning', () => {
    const { opener } = openPair();
    const { params } = opener.state;
    const pinned = { ...params.counterparty, upfrontShutdownScript: THEIRS };
    opener.state = { ...opener.state, params: { ...params, counterparty: pinned } };
    expect(refused(hear(opener, OURS)).reason).toMatch(/upfront_shutdown_script/);
    const own = { ...params.holder, upfrontShutdownScript: OURS };
    opener.state = { ...opener.state, params: { ...params, holder: own, counterparty: pinned } };
    opener.apply(passed(hear(opener, THEIRS, THEIRS)));
    expect(opener.take('shutdown').scriptpubkey).toEqual(OURS);
  });

  it.each([
    ['a script of no standard', Uint8Array.of(0x51), /non-standard/],
    ['taproot without the feature', Uint8Array.of(0x51, 32, ...new Uint8Array(32)), /non-standard/],
  ])('is refused with %s', (_name, script, reason) => {
    expect(refused(hear(openPair().opener, script)).reason).toMatch(reason);
  });

  it('may name a later segwit version with option_shutdown_anysegwit', () => {
    const { opener } = openPair();
    const taproot = Uint8Array.of(0x51, 32, ...new Uint8Array(32));
    const features = { anySegwit: true, simpleClose: false };
    expect(passed(receiveShutdown(opener.state, shutdownOf(opener, taproot), features, OURS)).state.shutdown.kind).toBe(
      'both',
    );
  });

  it('does not change its script, and may be repeated', () => {
    const { opener } = closingPair();
    expect(passed(hear(opener, THEIRS)).state).toBe(opener.state);
    expect(refused(hear(opener, OURS)).reason).toMatch(/another script than before/);
  });

  it('does not come while an update_add_htlc is unsigned', () => {
    const { opener, fundee } = openPair();
    opener.offer(1_000_000n);
    passed(fundee.receive(opener.take('update_add_htlc')));
    expect(refused(hear(fundee, OURS)).reason).toMatch(/unsigned/);
  });
});

describe('closing_signed', () => {
  it('ends with the fee of the opener: one offer, one answer, one transaction', () => {
    const { opener, fundee } = closingPair();
    const { message, feeSat } = proposeClosingFee(opener.env, opener.state);
    const theirs = answer(fundee, message);
    if (theirs.kind !== 'transition') throw new Error(theirs.kind);
    const reply = theirs.messages[0] as MessageOf<'closing_signed'>;
    const ours = answer(opener, reply, { lastSentFeeSat: feeSat });
    if (ours.kind !== 'transition') throw new Error(ours.kind);
    const [first, second] = [ours, theirs].map(({ facts }) => facts[0]);
    expect(first).toEqual(second);
    if (first?.kind !== 'closingAgreed') throw new Error('no transaction');
    const paid = decodeTransaction(first.transaction).outputs.map(({ amountSat }) => amountSat);
    expect(paid.toSorted()).toEqual([400_000n, 600_000n - feeSat].toSorted());
  });

  it('is refused before both have said shutdown', () => {
    const { opener, fundee } = openPair();
    const { message } = proposeClosingFee(opener.env, closingPair().opener.state);
    expect(answer(fundee, message)).toMatchObject({
      kind: 'violation',
      reason: expect.stringMatching(/quiet/) as string,
    });
  });

  it('is refused with a signature that is not valid', () => {
    const { opener, fundee } = closingPair();
    const { message } = proposeClosingFee(opener.env, opener.state);
    const wrong = { ...message, signature: new Uint8Array(64) };
    expect(answer(fundee, wrong)).toMatchObject({ kind: 'violation', severity: 'warn' });
    expect(answer(fundee, { ...message, feeSatoshis: message.feeSatoshis + 1n })).toMatchObject({ kind: 'violation' });
  });

  it('is refused with a fee above what the opener has', () => {
    const { opener, fundee } = closingPair();
    const { message } = proposeClosingFee(opener.env, opener.state);
    expect(answer(fundee, { ...message, feeSatoshis: 600_001n })).toMatchObject({
      kind: 'violation',
      severity: 'warn',
    });
  });

  /** The fundee offers first what the opener would never pay. */
  const tooMuch = (withRange: boolean) => {
    const { opener, fundee } = closingPair();
    fundee.feerates = { ...fundee.feerates, closing: feeratePerKw(20_000) };
    const { message } = proposeClosingFee(fundee.env, fundee.state);
    const offer: MessageOf<'closing_signed'> = withRange ? message : { ...message, tlvs: {} };
    return { outcome: answer(opener, offer), opener, offered: message.feeSatoshis };
  };

  it('is answered within both ranges', () => {
    const { outcome, opener } = tooMuch(true);
    if (outcome.kind !== 'counterOffer') throw new Error(outcome.kind);
    const range = proposeClosingFee(opener.env, opener.state).message.tlvs.feeRange;
    expect(outcome.feeSat).toBeGreaterThanOrEqual(range?.minFeeSatoshis ?? 0n);
    expect(outcome.feeSat).toBeLessThanOrEqual(range?.maxFeeSatoshis ?? 0n);
  });

  it('comes closer where the peer names no range', () => {
    const { outcome, opener, offered } = tooMuch(false);
    if (outcome.kind !== 'counterOffer') throw new Error(outcome.kind);
    const { feeSat } = proposeClosingFee(opener.env, opener.state);
    expect(outcome.feeSat).toBeGreaterThan(feeSat);
    expect(outcome.feeSat).toBeLessThan(offered);
  });

  it('is refused where the ranges do not overlap', () => {
    const { opener, fundee } = closingPair();
    fundee.feerates = { ...fundee.feerates, closing: feeratePerKw(20_000) };
    const { message } = proposeClosingFee(fundee.env, fundee.state);
    const fee = message.feeSatoshis;
    const offer = { ...message, tlvs: { feeRange: { minFeeSatoshis: fee, maxFeeSatoshis: fee } } };
    expect(answer(opener, offer)).toMatchObject({
      kind: 'violation',
      reason: expect.stringMatching(/overlap/) as string,
    });
  });
});
