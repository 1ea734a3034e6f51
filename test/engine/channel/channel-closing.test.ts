import { describe, expect, it } from 'vitest';
import { feeratePerKw } from '../../../worker/engine/primitives/units.ts';
import {
  isNegotiable,
  proposeClosingFee,
  receiveClosingSigned,
  type ClosingNegotiation,
} from '../../../worker/engine/channel/channel-closing.ts';
import { requestShutdown } from '../../../worker/engine/channel/channel-shutdown.ts';
import { decodeTransaction } from '../../../worker/engine/transactions/transaction.ts';
import type { MessageOf } from '../../../worker/engine/wire/message.ts';
import { closingPair, hear, OURS, THEIRS } from './closing-pair.ts';
import { exchange, openPair, passed, type Party } from './party.ts';

const answer = (party: Party, message: MessageOf<'closing_signed'>, negotiation: ClosingNegotiation = {}) =>
  receiveClosingSigned(party.env, party.state, message, negotiation);

describe('closing_signed', () => {
  it('is not taken while an HTLC is left', () => {
    const { opener, fundee } = openPair();
    opener.offer(1_000_000n);
    exchange(opener, fundee);
    opener.apply(requestShutdown(opener.state, OURS));
    opener.apply(passed(hear(opener, THEIRS)));
    expect(isNegotiable(opener.state)).toBe(false);
    const early = proposeClosingFee(opener.env, opener.state).message;
    expect(answer(fundee, early)).toMatchObject({ kind: 'violation', severity: 'warn' });
  });

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
