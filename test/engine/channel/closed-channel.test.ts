import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isNegotiated,
  receiveWhenClosed,
  type NegotiatedChannel,
} from '../../../worker/engine/channel/closed-channel.ts';
import { reestablishMessage } from '../../../worker/engine/channel/channel-reestablish.ts';
import { decodeTransaction } from '../../../worker/engine/transactions/transaction.ts';
import type { Message } from '../../../worker/engine/wire/message.ts';
import { closed, closingPair, FEATURES, OURS, propose, receive, shutdownOf, signedBy, THEIRS } from './closing-pair.ts';
import { passed, refused, type Party } from './party.ts';

function negotiated(state: unknown): NegotiatedChannel {
  const candidate = state as NegotiatedChannel;
  if (!isNegotiated(candidate)) throw new Error('nothing is kept');
  return candidate;
}

/** The fundee has agreed to 674 sat, and the opener did not hear of it. */
function agreedPair() {
  const { opener, fundee } = closingPair();
  const { state } = closed(receive(fundee, propose(opener)));
  return { opener, fundee, state: negotiated(state) };
}

const hears = (party: Party, state: NegotiatedChannel, message: Message) =>
  receiveWhenClosed(party.env, state, message, { features: FEATURES, shutdownScript: THEIRS });

/** After `channel_reestablish` on a new connection. */
function again(party: Party, peer: Party, state: NegotiatedChannel) {
  const outcome = hears(party, state, reestablishMessage(peer.env, peer.state, new Uint8Array(32)));
  if (outcome === undefined) throw new Error('no answer');
  const { state: next, messages } = passed(outcome);
  return { state: negotiated(next), messages };
}

const feeOf = ({ reason, params }: NegotiatedChannel): bigint => {
  if (reason.kind !== 'cooperative') throw new Error(reason.kind);
  const { outputs } = decodeTransaction(reason.transaction);
  return outputs.reduce((left, { amountSat }) => left - amountSat, params.fundingSat as bigint);
};

describe('a channel that is closed by agreement', () => {
  it('answers channel_reestablish with its own and with what is repeated on every new connection', () => {
    const { opener, fundee, state } = agreedPair();
    expect(again(fundee, opener, state).messages).toMatchObject([
      { kind: 'channel_reestablish', nextCommitmentNumber: 1n, nextRevocationNumber: 0n },
      { kind: 'channel_ready' },
      { kind: 'shutdown', scriptpubkey: THEIRS },
    ]);
  });

  it('also proposes the agreed fee as the opener', () => {
    const { opener, fundee } = closingPair();
    propose(opener);
    const { state } = closed(receive(opener, signedBy(fundee, { feeSat: 900n })));
    const { messages } = again(opener, fundee, negotiated(state));
    expect(messages.slice(-2)).toMatchObject([{ kind: 'shutdown' }, { kind: 'closing_signed', feeSatoshis: 900n }]);
  });

  it('signs the repeated fee again, and then nothing more on that connection', () => {
    const { opener, fundee, state } = agreedPair();
    const { state: before } = again(fundee, opener, state);
    const outcome = hears(fundee, before, signedBy(opener, { feeSat: 674n }));
    if (outcome === undefined) throw new Error('no answer');
    const { state: after, messages, facts, steps } = passed(outcome);
    expect(messages).toMatchObject([{ kind: 'closing_signed', feeSatoshis: 674n }]);
    expect(facts).toMatchObject([{ kind: 'closingRepeated' }]);
    expect(steps).toEqual([]);
    expect(after.reason).toEqual(state.reason);
    for (const feeSat of [674n, 700n, 1n])
      expect(hears(fundee, negotiated(after), signedBy(opener, { feeSat }))).toBeUndefined();
  });

  it.each([
    [700n, 700n],
    [200n, 674n],
  ])('signs another fee of %d sat, and keeps the transaction with the higher fee: %d', (feeSat, kept) => {
    const { opener, fundee, state } = agreedPair();
    const { state: before } = again(fundee, opener, state);
    const outcome = hears(fundee, before, signedBy(opener, { feeSat }));
    if (outcome === undefined) throw new Error('no answer');
    const { state: after, messages } = passed(outcome);
    expect(messages).toMatchObject([{ kind: 'closing_signed', feeSatoshis: feeSat }]);
    expect(feeOf(negotiated(after))).toBe(kept);
    expect(again(fundee, opener, negotiated(after)).state.negotiated.shutdown.terms.agreedSat).toBe(kept);
  });

  it('does not change its script', () => {
    const { opener, fundee, state } = agreedPair();
    const heard = (script: Uint8Array) => hears(fundee, state, shutdownOf(opener, script));
    const wrong = heard(THEIRS);
    const right = heard(OURS);
    if (wrong === undefined || right === undefined) throw new Error('no answer');
    expect(refused(wrong)).toMatchObject({ severity: 'warn' });
    expect(passed(right).state.reason).toEqual(state.reason);
  });

  it('tells a peer that claims another state that it is closed', () => {
    const { opener, fundee, state } = agreedPair();
    const message = reestablishMessage(opener.env, opener.state, new Uint8Array(32));
    for (const change of [{ nextCommitmentNumber: 9n }, { nextRevocationNumber: 9n }, { nextCommitmentNumber: 0n }]) {
      const outcome = hears(fundee, state, { ...message, ...change });
      if (outcome === undefined) throw new Error('no answer');
      expect(passed(outcome)).toMatchObject({ state, steps: [], messages: [{ kind: 'error' }] });
    }
  });

  it('stays closed and never lowers its fee, whatever is said', () => {
    const say = fc.tuple(
      fc.constantFrom('again', 'shutdown', 'sign', 'garbage'),
      fc.bigInt({ min: 0n, max: 599_999n }),
    );
    fc.assert(
      fc.property(fc.array(say, { maxLength: 20 }), (said) => {
        const { opener, fundee, state: first } = agreedPair();
        let state = first;
        for (const [what, feeSat] of said) {
          const signed = signedBy(opener, { feeSat });
          const message: Message =
            what === 'again'
              ? reestablishMessage(opener.env, opener.state, new Uint8Array(32))
              : what === 'shutdown'
                ? shutdownOf(opener, OURS)
                : what === 'sign'
                  ? signed
                  : { ...signed, signature: new Uint8Array(64) };
          const outcome = hears(fundee, state, message);
          if (outcome?.kind !== 'transition') continue;
          expect(outcome.steps).toEqual([]);
          const before = feeOf(state);
          state = negotiated(outcome.state);
          expect(feeOf(state)).toBeGreaterThanOrEqual(before);
        }
        expect(state.kind).toBe('closed');
      }),
      { numRuns: 100 },
    );
  });
});
