import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sat } from '../../../worker/engine/primitives/units.ts';
import { availableToReceiveMsat, availableToSendMsat } from '../../../worker/engine/channel/channel-limits.ts';
import { isTrimmed, openerCostSat } from '../../../worker/engine/transactions/commitment-fees.ts';
import { featureSet } from '../../../worker/engine/wire/features.ts';
import { NEW_TERMS } from '../../../worker/engine/channel/channel-shutdown.ts';
import { exchange, FEATURES, openPair, passed, refused, type Party } from './party.ts';

const ANCHORS = FEATURES;
const STATIC = featureSet({ option_static_remotekey: 'compulsory', option_channel_type: 'compulsory' });

const available = ({ state }: Party): bigint => availableToSendMsat(state.params, state.commitments);
const receivable = ({ state }: Party): bigint => availableToReceiveMsat(state.params, state.commitments);

describe('update_add_htlc -- what we may offer', () => {
  it.each(['opener', 'fundee'] as const)(
    'takes all that is available of the %s, and not a millisatoshi more',
    (who) => {
      const most = available(openPair()[who]);
      expect(openPair()[who].offer(most + 1n)).toBe('InsufficientChannelBalance');
      const { opener, fundee } = openPair();
      const sender = who === 'opener' ? opener : fundee;
      expect(sender.offer(most)).toBeUndefined();
      exchange(opener, fundee);
      const { params, commitments } = sender.state;
      expect(commitments.holderCommit.spec.toHolderMsat).toBeGreaterThanOrEqual(
        params.counterparty.channelReserveSat * 1000n,
      );
    },
  );

  it('what one side may send the other may receive, whoever pays the fee', () => {
    const amounts = fc.array(fc.tuple(fc.boolean(), fc.bigInt({ min: 1n, max: 60_000_000n })), { maxLength: 8 });
    fc.assert(
      fc.property(amounts, fc.constantFrom(ANCHORS, STATIC), (series, features) => {
        const { opener, fundee } = openPair({ fundingSat: sat(300_000n), pushMsat: 90_000_000n, features });
        for (const [byOpener, amountMsat] of series) (byOpener ? opener : fundee).offer(amountMsat);
        exchange(opener, fundee);
        expect(receivable(fundee)).toBe(available(opener));
        expect(receivable(opener)).toBe(available(fundee));
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    ['anchors', 2n * (1124n + 344n) + 660n],
    ['static_remotekey', 2n * (724n + 344n)],
  ])('as the opener keeps twice the fee with this HTLC and one more: %s', (format, bufferSat) => {
    const { opener, fundee } = openPair({ features: format === 'anchors' ? ANCHORS : STATIC });
    expect(opener.state.params.format).toBe(format);
    expect(available(opener)).toBe(600_000_000n - 10_000_000n - bufferSat * 1000n);
    expect(receivable(fundee)).toBe(available(opener));
  });

  it('nothing can be received into a channel that has no slot for it', () => {
    const { opener, fundee } = openPair({ fundee: { maxAcceptedHtlcs: 1 } });
    opener.offer(1_000_000n);
    exchange(opener, fundee);
    expect([available(opener), receivable(fundee)]).toEqual([0n, 0n]);
  });

  it('amounts of any series that is offered are accepted by the other side', () => {
    const amounts = fc.array(fc.tuple(fc.boolean(), fc.bigInt({ min: 1n, max: 60_000_000n })), { maxLength: 30 });
    fc.assert(
      fc.property(amounts, fc.constantFrom(30_000n, 200_000n, 1_000_000n), (series, fundingSat) => {
        const { opener, fundee } = openPair({ fundingSat: sat(fundingSat), pushMsat: fundingSat * 400n });
        for (const [byOpener, amountMsat] of series) (byOpener ? opener : fundee).offer(amountMsat);
        expect(() => exchange(opener, fundee)).not.toThrow();
      }),
      { numRuns: 60 },
    );
  });

  it('refuses less than htlc_minimum_msat, and nothing at all', () => {
    const { opener } = openPair({ fundee: { htlcMinimumMsat: 1000n } });
    expect(opener.offer(999n)).toBe('AmountTooSmall');
    expect(opener.offer(1000n)).toBeUndefined();
    expect(openPair({ fundee: { htlcMinimumMsat: 0n } }).opener.offer(0n)).toBe('AmountTooSmall');
  });

  it('refuses one HTLC more than max_accepted_htlcs', () => {
    const { opener } = openPair({ fundee: { maxAcceptedHtlcs: 5 } });
    for (let slot = 0; slot < 5; slot++) expect(opener.offer(1_000_000n)).toBeUndefined();
    expect(opener.offer(1_000_000n)).toBe('TooManyHtlcs');
    expect(available(opener)).toBe(0n);
  });

  it('refuses the 484th HTLC', () => {
    const { opener, fundee } = openPair({ fundingSat: sat(10_000_000n), fundee: { maxAcceptedHtlcs: 483 } });
    for (let slot = 0; slot < 483; slot++) expect(opener.offer(1000n)).toBeUndefined();
    expect(opener.offer(1000n)).toBe('TooManyHtlcs');
    expect(() => exchange(opener, fundee)).not.toThrow();
  });

  it('refuses more than max_htlc_value_in_flight_msat', () => {
    const { opener } = openPair();
    const { params } = opener.state;
    const counterparty = { ...params.counterparty, maxHtlcValueInFlightMsat: 5_000_000n };
    opener.state = { ...opener.state, params: { ...params, counterparty } };
    expect(available(opener)).toBe(5_000_000n);
    expect(opener.offer(3_000_000n)).toBeUndefined();
    expect(opener.offer(2_000_001n)).toBe('InFlightLimit');
    expect(opener.offer(2_000_000n)).toBeUndefined();
  });

  it('refuses more dust than we are ready to lose', () => {
    const { opener } = openPair({ opener: { maxDustExposureMsat: 1_000_000n } });
    for (let dust = 0; dust < 2; dust++) expect(opener.offer(353_999n)).toBeUndefined();
    expect(opener.offer(353_999n)).toBe('DustExposure');
    expect(opener.offer(354_000n)).toBeUndefined();
  });

  it('refuses what would leave the peer unable to pay the fee above its reserve', () => {
    const { fundee } = openPair({ fundingSat: sat(100_000n), pushMsat: 96_500_000n });
    for (let slot = 0; slot < 4; slot++) expect(fundee.offer(10_000_000n)).toBeUndefined();
    expect(fundee.offer(10_000_000n)).toBe('FeeUnaffordable');
  });
});

describe('update_add_htlc -- expiry', () => {
  it.each([
    [200, 'ExpiryTooSoon'],
    [0, 'ExpiryTooSoon'],
    [201, undefined],
    [2216, undefined],
    [2217, 'ExpiryTooFar'],
    [500_000_000, 'ExpiryTooFar'],
    [4_294_967_295, 'ExpiryTooFar'],
    [2 ** 40, 'ExpiryTooFar'],
  ])('at height 200, offering one that expires at %i is %s', (cltvExpiry, answer) => {
    const { opener } = openPair();
    const before = opener.state;
    expect(opener.offer(1_000_000n, 1, cltvExpiry)).toBe(answer);
    expect(opener.state === before).toBe(answer !== undefined);
  });

  it('S43: takes an HTLC that expires in more than two weeks, for it to be failed back', () => {
    const { opener, fundee } = openPair();
    opener.offer(1_000_000n);
    passed(fundee.receive({ ...opener.take('update_add_htlc'), cltvExpiry: 499_999_999 }));
  });
});

describe('update_add_htlc -- at the dust limits', () => {
  /** What the opener has above reserve and fee in each commitment, by the rules of BOLT 3 alone. */
  const leftMsat = ({ state: { params, commitments } }: Party): readonly bigint[] =>
    (['holder', 'counterparty'] as const).map((owner) => {
      const { spec } = owner === 'holder' ? commitments.holderCommit : commitments.counterpartyCommit;
      const outputs = spec.htlcs.filter(({ direction, amountMsat }) => {
        const offered = (direction === 'outbound') === (owner === 'holder');
        return !isTrimmed({ offered, amountMsat }, params.format, spec.feeratePerKw, params[owner].dustLimitSat);
      });
      const costSat = openerCostSat(params.format, spec.feeratePerKw, outputs.length);
      return spec.toHolderMsat - (params.counterparty.channelReserveSat + costSat) * 1000n;
    });

  it.each([
    ['anchors', ANCHORS, [353_999n, 354_000n, 545_999n, 546_000n]],
    ['static_remotekey', STATIC, [1_016_999n, 1_017_000n, 1_056_999n, 1_057_000n, 1_249_000n]],
  ] as const)(
    'S8: a near-dust HTLC counts in every commitment that has an output for it: %s',
    (_name, features, edges) => {
      for (const edge of edges) {
        const terms = { fundingSat: sat(50_000n), pushMsat: 38_000_000n, features };
        const { opener, fundee } = openPair({ ...terms, opener: { dustLimitSat: sat(546n) } });
        let offered = 0;
        while (opener.offer(edge) === undefined) offered++;
        fundee.offer(edge);
        exchange(opener, fundee);
        expect(offered).toBeGreaterThan(2);
        for (const left of leftMsat(opener)) expect(left).toBeGreaterThanOrEqual(0n);
      }
    },
  );
});

describe('update_add_htlc -- without anchors', () => {
  it('counts HTLCs at the feerate as it is, for at twice the feerate they are dust and cost nothing', () => {
    const { opener, fundee } = openPair({ fundingSat: sat(100_000n), pushMsat: 60_000_000n, features: STATIC });
    let offered = 0;
    while (opener.offer(1_057_000n) === undefined) offered++;
    expect(offered).toBeGreaterThan(10);
    expect(() => exchange(opener, fundee)).not.toThrow();
  });
});

describe('update_add_htlc -- what we accept', () => {
  const add = (amountMsat = 1_000_000n) => {
    const { opener, fundee } = openPair();
    opener.offer(1_000_000n);
    return { fundee, message: { ...opener.take('update_add_htlc'), amountMsat } };
  };

  it('accepts what is within all limits', () => {
    const { fundee, message } = add();
    expect(passed(fundee.receive(message)).messages).toEqual([]);
  });

  it.each([
    ['nothing', { amountMsat: 0n }, /htlc_minimum_msat/],
    ['more than the sender has', { amountMsat: 700_000_000n }, /has not that much/],
    ['more than the channel holds', { amountMsat: 2n ** 63n }, /has not that much/],
    ['the reserve of the sender', { amountMsat: 595_000_000n }, /reserve and fee/],
    ['an expiry that is a time', { cltvExpiry: 500_000_000 }, /not a height/],
    ['an id that is not the next', { id: 1n }, /HTLC id 1/],
  ])('refuses %s', (_name, change, reason) => {
    const { fundee, message } = add();
    const before = fundee.state;
    expect(refused(fundee.receive({ ...message, ...change }))).toMatchObject({
      severity: 'warn',
      reason: expect.stringMatching(reason) as string,
    });
    expect(fundee.state).toBe(before);
  });

  it('refuses an HTLC below our htlc_minimum_msat', () => {
    const { fundee, message } = add(999n);
    const { params } = fundee.state;
    fundee.state = { ...fundee.state, params: { ...params, holder: { ...params.holder, htlcMinimumMsat: 1000n } } };
    expect(refused(fundee.receive(message)).reason).toMatch(/htlc_minimum_msat/);
  });

  it('refuses more HTLCs or more value in flight than we said', () => {
    const { fundee, message } = add();
    const { params } = fundee.state;
    const limited = (change: object) => ({ ...params, holder: { ...params.holder, ...change } });
    fundee.state = { ...fundee.state, params: limited({ maxHtlcValueInFlightMsat: 999_999n }) };
    expect(refused(fundee.receive(message)).reason).toMatch(/max_htlc_value_in_flight/);
    fundee.state = { ...fundee.state, params: limited({ maxAcceptedHtlcs: 1 }) };
    passed(fundee.receive(message));
    expect(refused(fundee.receive({ ...message, id: 1n })).reason).toMatch(/max_accepted_htlcs/);
  });

  it('refuses an HTLC before channel_ready and after shutdown', () => {
    const { fundee, message } = add();
    const { state } = fundee;
    fundee.state = { ...state, counterpartyReady: false };
    expect(refused(fundee.receive(message)).reason).toMatch(/before channel_ready/);
    const script = new Uint8Array(22);
    fundee.state = {
      ...state,
      shutdown: { kind: 'both', holderScript: script, counterpartyScript: script, sent: true, terms: NEW_TERMS },
    };
    expect(refused(fundee.receive(message)).reason).toMatch(/after shutdown/);
  });
});
