import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { feeratePerKw } from '../../../worker/engine/primitives/units.ts';
import { proposeClosing, receiveClosingWarning } from '../../../worker/engine/channel/channel-closing.ts';
import { decodeOpenChannel, encodeOpenChannel } from '../../../worker/engine/channel/channel-records.ts';
import { receiveReestablish, reestablishMessage } from '../../../worker/engine/channel/channel-reestablish.ts';
import { requestShutdown } from '../../../worker/engine/channel/channel-shutdown.ts';
import { closingFeeRange, quoteClosing } from '../../../worker/engine/channel/closing-fees.ts';
import type { MessageOf } from '../../../worker/engine/wire/message.ts';
import { closed, closing, closingPair, OURS, propose, receive, signedBy, type Signing } from './closing-pair.ts';
import { openPair, passed, refused, type Party } from './party.ts';

const wire = (minFeeSatoshis: bigint, maxFeeSatoshis: bigint) => ({ minFeeSatoshis, maxFeeSatoshis });

const rangeOf = (message: MessageOf<'closing_signed'>): readonly [bigint, bigint] => {
  const { feeRange } = message.tlvs;
  if (feeRange === undefined) throw new Error('no range');
  return [feeRange.minFeeSatoshis, feeRange.maxFeeSatoshis];
};

/** The connection is renewed: `party` hears what `peer` says first on the next one. */
function reconnect(party: Party, peer: Party): void {
  const message = reestablishMessage(peer.env, peer.state, new Uint8Array(32));
  party.apply(passed(receiveReestablish(party.env, party.state, message)));
  party.outbox.splice(0, party.outbox.length, ...party.outbox.filter(({ kind }) => kind === 'closing_signed'));
}

/** What a restart makes of a party's channel. */
function restart(party: Party): void {
  const { params, funding } = party.state;
  const parts = { params, onionOf: () => new Uint8Array(0), fundingTransaction: funding.transaction };
  party.state = decodeOpenChannel(encodeOpenChannel(party.state, party.signer.state), parts).channel;
}

const refusalOf = (outcome: ReturnType<typeof receive>): string | undefined => {
  const [fact] = passed(outcome).facts;
  return fact?.kind === 'closingRefused' ? fact.reason : undefined;
};

describe('the fees that an opener signs', () => {
  it('begin at its estimate, and end at twice that', () => {
    const { opener } = closingPair();
    const message = propose(opener);
    const [low, high] = rangeOf(message);
    expect(low).toBe(169n);
    expect(message.feeSatoshis).toBe(674n);
    expect(high).toBe(1_348n);
  });

  it('are those of its range where the peer names another within it', () => {
    const { opener, fundee } = closingPair();
    const [, high] = rangeOf(propose(opener));
    const { answer } = closed(receive(opener, signedBy(fundee, { feeSat: high, range: wire(500n, 400_000n) })));
    expect(answer?.feeSatoshis).toBe(high);
  });

  it('come closer to a peer without a range, up to their limit, and end there', () => {
    const { opener, fundee } = closingPair();
    const first = propose(opener);
    const sent = [first.feeSatoshis];
    for (let theirs = 598_000n; ; theirs--) {
      const outcome = receive(opener, signedBy(fundee, { feeSat: theirs }));
      const reason = refusalOf(outcome);
      if (reason !== undefined) {
        expect(reason).toMatch(/outside what we accept/);
        break;
      }
      sent.push(opener.take('closing_signed').feeSatoshis);
    }
    expect(sent.at(-1)).toBe(rangeOf(first)[1]);
    expect(sent).toEqual(sent.toSorted((a, b) => Number(a - b)));
    expect(new Set(sent).size).toBe(sent.length);
  });

  it('are not answered where the peer repeats a fee that is not between the last two', () => {
    const { opener, fundee } = closingPair();
    propose(opener);
    passed(receive(opener, signedBy(fundee, { feeSat: 598_000n })));
    expect(refusalOf(receive(opener, signedBy(fundee, { feeSat: 598_000n })))).toMatch(/strictly between/);
  });

  it('fail the channel where the peer signs one outside the range that both named', () => {
    const { opener, fundee } = closingPair();
    propose(opener);
    const outcome = receive(opener, signedBy(fundee, { feeSat: 5_000n, range: wire(1_000n, 9_000n) }));
    expect(refused(outcome)).toMatchObject({ severity: 'fail' });
  });

  it('rise on the next connection to what a peer without overlap asks for', () => {
    const { opener, fundee } = closingPair();
    propose(opener);
    const outcome = receive(opener, signedBy(fundee, { feeSat: 2_022n, range: wire(2_022n, 400_000n) }));
    expect(refusalOf(outcome)).toMatch(/do not overlap/);
    restart(opener);
    reconnect(opener, fundee);
    const again = propose(opener);
    expect(again.feeSatoshis).toBe(674n);
    expect(rangeOf(again)[1]).toBe(2_022n);
    closed(receive(opener, signedBy(fundee, { feeSat: 2_022n, range: wire(2_022n, 400_000n) })));
  });

  it('rise at once when the peer only warns, and not above what is accepted', () => {
    const { opener } = closingPair({ acceptedSat: 5_000n });
    const highest = [rangeOf(propose(opener))[1]];
    for (let warnings = 0; warnings < 5; warnings++) {
      opener.apply(passed(receiveClosingWarning(opener.env, opener.state)));
      if (opener.outbox.length > 0) highest.push(rangeOf(opener.take('closing_signed'))[1]);
    }
    expect(highest).toEqual([1_348n, 2_696n, 5_000n]);
  });

  it('do not rise over a warning before there was an offer', () => {
    const { opener } = closingPair();
    expect(passed(receiveClosingWarning(opener.env, opener.state)).state).toBe(opener.state);
  });

  it('are never above what the owner accepted', () => {
    const { opener } = closingPair({ acceptedSat: 500n });
    const message = propose(opener);
    expect([message.feeSatoshis, rangeOf(message)[1]]).toEqual([500n, 500n]);
  });

  it('are those that the owner accepts later, from the next connection on', () => {
    const { opener, fundee } = closingPair({ acceptedSat: 500n });
    propose(opener);
    opener.apply(requestShutdown(opener.state, OURS, 900n));
    reconnect(opener, fundee);
    expect(rangeOf(propose(opener))[1]).toBe(900n);
  });

  it('are at once those of a lower limit: what the peer signs above it is refused, and the next range ends there', () => {
    const { opener, fundee } = closingPair({ acceptedSat: 3_000n });
    expect(rangeOf(propose(opener))).toEqual([169n, 1_348n]);
    opener.apply(requestShutdown(opener.state, OURS, 900n));
    const signing: Signing = { feeSat: 1_348n, range: wire(169n, 400_000n) };
    expect(refusalOf(receive(opener, signedBy(fundee, signing)))).toMatch(/above what is accepted/);
    expect(refusalOf(receive(opener, signedBy(fundee, { feeSat: 901n })))).toMatch(/above what is accepted/);
    reconnect(opener, fundee);
    expect(rangeOf(propose(opener))).toEqual([169n, 900n]);
    closed(receive(opener, signedBy(fundee, { feeSat: 900n, range: wire(169n, 400_000n) })));
  });

  it('are still those of the offer for which the peer has our signature, whatever is accepted since', () => {
    const { opener, fundee } = closingPair();
    const { feeSatoshis } = propose(opener);
    opener.apply(requestShutdown(opener.state, OURS, 500n));
    expect(closed(receive(opener, signedBy(fundee, { feeSat: feeSatoshis }))).answer).toBeUndefined();
  });

  it('stay with the fee that was agreed upon when the estimate has changed since', () => {
    const { opener, fundee } = closingPair();
    const { answer } = closed(receive(fundee, propose(opener)));
    if (answer === undefined) throw new Error('no answer');
    const { negotiated } = closed(receive(opener, answer)).state;
    if (negotiated === undefined) throw new Error('nothing is kept');
    for (const feerate of [253, 20_000]) {
      const env = { ...opener.env, feerates: { ...opener.feerates, outputSpending: feeratePerKw(feerate) } };
      const range = closingFeeRange(env, negotiated);
      expect(range.idealSat).toBe(674n);
      expect(range.minimumSat).toBeLessThanOrEqual(674n);
      expect(range.maximumSat).toBeGreaterThanOrEqual(674n);
    }
  });
});

describe('the fees that a fundee signs', () => {
  it('are all that are relayed and that the opener has', () => {
    const { fundee } = closingPair();
    expect(closingFeeRange(fundee.env, closing(fundee))).toMatchObject({ minimumSat: 169n, maximumSat: 600_000n });
  });

  it.each([false, true])('are never below what is relayed (with a range: %s)', (hasRange) => {
    const { opener, fundee } = closingPair();
    const low: Signing = { feeSat: 1n, ...(hasRange ? { range: wire(1n, 1_000n) } : {}) };
    passed(receive(fundee, signedBy(opener, low)));
    expect(fundee.take('closing_signed').feeSatoshis).toBe(674n);
    const again = receive(fundee, signedBy(opener, low));
    if (hasRange) expect(refused(again)).toMatchObject({ severity: 'fail' });
    else expect(refusalOf(again)).toBeDefined();
  });

  it('are less where one of the two has no output', () => {
    const { fundee } = closingPair({ pushMsat: 0n });
    expect(closingFeeRange(fundee.env, closing(fundee)).minimumSat).toBe(138n);
  });
});

describe('a fee that cannot be agreed upon', () => {
  const dispute = (opener: Party, fundee: Party): ReturnType<typeof receive> => {
    reconnect(opener, fundee);
    propose(opener);
    return receive(opener, signedBy(fundee, { feeSat: 50_000n, range: wire(50_000n, 60_000n) }));
  };

  /** A peer that is there and refuses every hour: how many blocks of it the channel stood. */
  function blocksOfRefusals(opener: Party, fundee: Party): number {
    const from = opener.blockHeight;
    while (dispute(opener, fundee).kind !== 'violation') opener.blockHeight += 6;
    return opener.blockHeight - from;
  }

  it('fails the channel after a day of it, also across a restart, and not before', () => {
    const { opener, fundee } = closingPair();
    passed(dispute(opener, fundee));
    opener.blockHeight += 6;
    passed(dispute(opener, fundee));
    restart(opener);
    expect(blocksOfRefusals(opener, fundee)).toBe(138);
    expect(refused(dispute(opener, fundee))).toMatchObject({ severity: 'fail' });
  });

  it('fails no channel over the days for which a side was away: after them it takes as long as before', () => {
    const { opener, fundee } = closingPair();
    expect(refusalOf(dispute(opener, fundee))).toBeDefined();
    for (const days of [2, 30]) {
      restart(opener);
      opener.blockHeight += 144 * days;
      expect(refusalOf(dispute(opener, fundee))).toBeDefined();
    }
    expect(blocksOfRefusals(opener, fundee)).toBe(132);
  });

  it('begins anew when the owner accepts more, and not when it accepts less', () => {
    const { opener, fundee } = closingPair({ acceptedSat: 5_000n });
    for (const [acceptedSat, blocks] of [
      [4_000n, 138],
      [6_000n, 144],
    ] as const) {
      passed(dispute(opener, fundee));
      opener.blockHeight += 6;
      passed(dispute(opener, fundee));
      opener.apply(requestShutdown(opener.state, OURS, acceptedSat));
      expect(blocksOfRefusals(opener, fundee)).toBe(blocks);
      opener.apply(requestShutdown(opener.state, OURS, acceptedSat + 1n));
    }
  });

  it('fails no channel while our range can still grow', () => {
    const { opener, fundee } = closingPair();
    expect(refusalOf(dispute(opener, fundee))).toBeDefined();
    opener.apply(requestShutdown(opener.state, OURS, 50_000n));
    opener.blockHeight += 1_000;
    expect(refusalOf(dispute(opener, fundee))).toBeDefined();
    closed(dispute(opener, fundee));
  });

  it('is also one of which the signature is never valid', () => {
    const { opener, fundee } = closingPair();
    const invalid = { ...propose(opener), signature: new Uint8Array(64) };
    expect(refusalOf(receive(fundee, invalid))).toMatch(/signature/);
    for (let hours = 1; hours < 24; hours++) {
      fundee.blockHeight += 6;
      passed(receive(fundee, invalid));
    }
    fundee.blockHeight += 6;
    expect(refused(receive(fundee, invalid))).toMatchObject({ severity: 'fail' });
  });
});

describe('the quote of a close', () => {
  it('is an estimate and the most that it can become', () => {
    const { opener } = openPair();
    expect(quoteClosing(opener.env, opener.state, OURS)).toEqual({ feeSat: 754n, maxFeeSat: 3_262n });
  });

  it('is nothing where the peer pays', () => {
    const { fundee } = openPair();
    expect(quoteClosing(fundee.env, fundee.state, OURS)).toEqual({ feeSat: 0n, maxFeeSat: 0n });
  });

  it('is never less than what is signed without another word', () => {
    const { opener } = closingPair();
    const quote = quoteClosing(opener.env, openPair().opener.state, OURS);
    expect(propose(opener).feeSatoshis).toBeLessThanOrEqual(quote.feeSat);
    for (let warnings = 0; warnings < 9; warnings++)
      opener.apply(passed(receiveClosingWarning(opener.env, opener.state)));
    for (const message of opener.outbox)
      if (message.kind === 'closing_signed') expect(rangeOf(message)[1]).toBeLessThanOrEqual(quote.maxFeeSat);
  });
});

type Play = { readonly signing: Signing; readonly event: 'sign' | 'garbage' | 'warn' | 'reconnect' | 'block' };

const fee = fc.oneof(
  fc.bigInt({ min: 0n, max: 3_000n }),
  fc.bigInt({ min: 0n, max: 600_001n }),
  fc.constantFrom(0n, 1n, 169n, 599_999n, 600_000n, 600_001n, 2n ** 64n - 1n),
);
const range = fc.option(fc.tuple(fee, fee).map(([low, high]) => wire(low, high)));
const play: fc.Arbitrary<Play> = fc
  .tuple(fee, range, fc.constantFrom('sign', 'sign', 'sign', 'garbage', 'warn', 'reconnect', 'block'))
  .map(([feeSat, named, event]) => ({ signing: { feeSat, ...(named === null ? {} : { range: named }) }, event }));

describe('whatever fees and ranges a hostile peer names', () => {
  const signed = (peer: Party, { signing, event }: Play): MessageOf<'closing_signed'> => {
    const affordable = signing.feeSat <= 600_000n;
    const message = signedBy(peer, affordable ? signing : { ...signing, feeSat: 0n });
    const signature = event === 'sign' && affordable ? message.signature : new Uint8Array(64).fill(1);
    return { ...message, feeSatoshis: signing.feeSat, signature };
  };

  /** The fees of every signature of ours, until the channel's end or that of what the peer does. */
  function negotiate(victim: Party, peer: Party, plays: readonly Play[]): readonly bigint[] {
    for (const each of plays) {
      victim.apply(passed(proposeClosing(victim.env, victim.state)));
      if (each.event === 'reconnect') reconnect(victim, peer);
      else if (each.event === 'block') victim.blockHeight++;
      else if (each.event === 'warn') {
        const outcome = receiveClosingWarning(victim.env, victim.state);
        if (outcome.kind === 'violation') break;
        victim.apply(outcome);
      } else {
        const outcome = receive(victim, signed(peer, each));
        if (outcome.kind === 'violation') break;
        if (outcome.state.kind === 'closed')
          return [...drain(victim), outcome.state.negotiated?.shutdown.terms.agreedSat ?? -1n];
      }
    }
    return drain(victim);
  }

  const drain = (party: Party): readonly bigint[] =>
    party.outbox.splice(0).flatMap((message) => (message.kind === 'closing_signed' ? [message.feeSatoshis] : []));

  it.each([
    ['an opener', 'opener', 169n, 3_022n],
    ['a fundee', 'fundee', 169n, 600_000n],
  ] as const)('%s signs no fee outside its range, and nothing throws', (_name, side, low, high) => {
    fc.assert(
      fc.property(fc.array(play, { maxLength: 40, size: 'max' }), (plays) => {
        const { opener, fundee } = closingPair();
        const [victim, peer] = side === 'opener' ? [opener, fundee] : [fundee, opener];
        for (const feeSat of negotiate(victim, peer, plays)) {
          expect(feeSat).toBeGreaterThanOrEqual(low);
          expect(feeSat).toBeLessThanOrEqual(high);
        }
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['an opener', 'opener'],
    ['a fundee', 'fundee'],
  ] as const)('%s stops to answer on one connection after a few of them', (_name, side) => {
    fc.assert(
      fc.property(fc.array(play, { minLength: 60, maxLength: 60, size: 'max' }), (plays) => {
        const { opener, fundee } = closingPair();
        const [victim, peer] = side === 'opener' ? [opener, fundee] : [fundee, opener];
        const here = plays.filter(({ event }) => event !== 'reconnect');
        expect(negotiate(victim, peer, here).length).toBeLessThan(40);
      }),
      { numRuns: 100 },
    );
  });
});
