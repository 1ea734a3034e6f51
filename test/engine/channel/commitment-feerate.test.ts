import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lowerFeeIfDue, raiseFeeIfDue } from '../../../worker/engine/channel/commitment-feerate.ts';
import { pendingFeerate } from '../../../worker/engine/channel/commitments.ts';
import { proposeFee } from '../../../worker/engine/channel/channel-operation.ts';
import type { ChannelFeerates, CommitmentFeerates } from '../../../worker/engine/channel/channel-env.ts';
import { feeratePerKw, sat } from '../../../worker/engine/primitives/units.ts';
import { featureSet } from '../../../worker/engine/wire/features.ts';
import type { Message } from '../../../worker/engine/wire/message.ts';
import { feeratesOf } from './feerates.ts';
import { exchange, openPair, passed, refused, type Party } from './party.ts';

const STATIC = featureSet({ option_static_remotekey: 'compulsory', option_channel_type: 'compulsory' });

const feerateOf = ({ state }: Party): number => state.commitments.holderCommit.spec.feeratePerKw;

/** Feerates of which one is set apart. */
function feeratesWith(change: Partial<CommitmentFeerates>, base = 1000): ChannelFeerates {
  const feerates = feeratesOf(base);
  const rates = { ...feerates.commitment.anchors, ...change };
  return { ...feerates, commitment: { anchors: rates, static_remotekey: rates } };
}

const updateFee = ({ state }: Party, feerate: number): Message => ({
  kind: 'update_fee',
  channelId: state.params.channelId,
  feeratePerKw: feerate,
  tlvs: {},
});

/** What a party does with its feerate when it signs: raised before, lowered after. */
function sign(party: Party): void {
  party.apply(raiseFeeIfDue(party.env, party.state));
  party.sign();
  party.apply(lowerFeeIfDue(party.env, party.state));
}

describe('update_fee -- what the opener sends', () => {
  it('raises to the target with the next signature', () => {
    const { opener, fundee } = openPair();
    opener.feerates = feeratesWith({ target: feeratePerKw(1101), settled: undefined });
    sign(opener);
    expect(opener.outbox.map(({ kind }) => kind)).toEqual(['update_fee', 'commitment_signed']);
    exchange(opener, fundee);
    expect([feerateOf(opener), feerateOf(fundee)]).toEqual([1101, 1101]);
  });

  it('leaves a difference of a tenth alone', () => {
    const { opener } = openPair();
    opener.feerates = feeratesWith({ target: feeratePerKw(1100) });
    sign(opener);
    expect(opener.outbox).toEqual([]);
  });

  it('lowers only to what has stood for hours, and only from twice as much', () => {
    const { opener } = openPair();
    for (const settled of [undefined, feeratePerKw(501)]) {
      opener.feerates = feeratesWith({ target: feeratePerKw(253), settled });
      sign(opener);
      expect(opener.outbox).toEqual([]);
    }
    opener.feerates = feeratesWith({ target: feeratePerKw(253), settled: feeratePerKw(500) });
    sign(opener);
    expect(opener.take('update_fee').feeratePerKw).toBe(500);
  });

  it('signs a lower one only with what comes next: a peer that refuses it has said so by then', () => {
    const { opener, fundee } = openPair();
    opener.feerates = feeratesWith({ target: feeratePerKw(253), settled: feeratePerKw(500) });
    sign(opener);
    sign(opener);
    expect(opener.outbox.map(({ kind }) => kind)).toEqual(['update_fee', 'commitment_signed']);
    exchange(opener, fundee);
    expect([feerateOf(opener), feerateOf(fundee)]).toEqual([500, 500]);
  });

  it('proposes nothing again that is under way', () => {
    const { opener } = openPair();
    opener.feerates = feeratesWith({ target: feeratePerKw(2000) });
    for (let time = 0; time < 3; time++) sign(opener);
    expect(opener.outbox.filter(({ kind }) => kind === 'update_fee')).toHaveLength(1);
  });

  it.each([
    ['higher', 3000, 4000, 2999],
    ['lower', 400, 300, 450],
  ])('never proposes again what was answered with a warning, nor a %s one', (_which, asked, beyond, nearer) => {
    const { opener } = openPair();
    opener.refusedFeerate = feeratePerKw(asked);
    for (const feerate of [asked, beyond]) {
      opener.feerates = feeratesOf(feerate);
      sign(opener);
      expect(opener.outbox).toEqual([]);
    }
    opener.feerates = feeratesOf(nearer);
    sign(opener);
    expect(opener.take('update_fee').feeratePerKw).toBe(nearer);
  });

  it('proposes nothing that it cannot pay, and nothing as the fundee', () => {
    const { opener, fundee } = openPair({ fundingSat: sat(100_000n), pushMsat: 90_000_000n });
    for (const party of [opener, fundee]) {
      party.feerates = feeratesOf(40_000);
      sign(party);
      expect(party.outbox).toEqual([]);
    }
  });

  it('proposes nothing that would trim more than we are ready to lose', () => {
    const { opener } = openPair({ features: STATIC, opener: { maxDustExposureMsat: 3_999_999n } });
    for (let htlc = 0; htlc < 2; htlc++) expect(opener.offer(2_000_000n)).toBeUndefined();
    opener.outbox.length = 0;
    opener.apply(proposeFee(opener.env, opener.state, feeratePerKw(2000)));
    expect(opener.take('update_fee').feeratePerKw).toBe(2000);
    opener.apply(proposeFee(opener.env, opener.state, feeratePerKw(3000)));
    expect(opener.outbox).toEqual([]);
  });
});

describe('update_fee -- what the fundee takes', () => {
  it('comes from the opener alone', () => {
    const { opener } = openPair();
    expect(refused(opener.receive(updateFee(opener, 2000))).reason).toMatch(/does not pay/);
  });

  it('is refused when the opener could not pay it', () => {
    const { fundee } = openPair({ fundingSat: sat(100_000n), pushMsat: 90_000_000n });
    expect(refused(fundee.receive(updateFee(fundee, 40_000)))).toMatchObject({
      severity: 'warn',
      reason: 'the sender would not keep reserve and fee',
    });
  });

  it.each([
    ['absurdly high', 50_001, /unreasonably high/],
    ['lower than what is relayed when it matters', 599, /599 sat per kw is below 600/],
    ['nothing', 0, /below/],
    ['all that a u32 holds', 0xffff_ffff, /unreasonably high/],
  ])('costs the connection and not the channel where it is %s', (_name, feerate, reason) => {
    const { fundee } = openPair();
    fundee.feerates = feeratesWith({ minimum: feeratePerKw(600) });
    const before = fundee.state;
    const answer = refused(fundee.receive(updateFee(fundee, feerate)));
    expect(answer).toMatchObject({ severity: 'warn', reason: expect.stringMatching(reason) as string });
    expect(fundee.state).toBe(before);
  });

  it('is taken where it comes nearer to what is expected, though it is not there yet', () => {
    const { fundee } = openPair();
    fundee.feerates = feeratesWith({ minimum: feeratePerKw(3000) });
    passed(fundee.receive(updateFee(fundee, 1500)));
    expect(refused(fundee.receive(updateFee(fundee, 1499))).reason).toMatch(/below 3000/);
    fundee.feerates = { ...feeratesOf(253), maximum: feeratePerKw(500) };
    passed(fundee.receive(updateFee(fundee, 1400)));
    expect(refused(fundee.receive(updateFee(fundee, 1401))).reason).toMatch(/unreasonably high/);
  });

  it('is refused when it would trim more than we are ready to lose, unless it is lower than before', () => {
    const limits = { maxDustExposureMsat: 3_999_999n };
    const { opener, fundee } = openPair({ features: STATIC, fundee: limits });
    for (let htlc = 0; htlc < 2; htlc++) opener.offer(2_000_000n);
    exchange(opener, fundee);
    expect(refused(fundee.receive(updateFee(fundee, 3000)))).toMatchObject({
      severity: 'warn',
      reason: 'HTLCs would be lost to fees at this feerate',
    });
    passed(fundee.receive(updateFee(fundee, 2000)));
    passed(fundee.receive(updateFee(fundee, 900)));
  });

  it('with anchors trims nothing at any feerate', () => {
    const { opener, fundee } = openPair({ fundee: { maxDustExposureMsat: 1n } });
    for (let htlc = 0; htlc < 2; htlc++) opener.offer(2_000_000n);
    exchange(opener, fundee);
    passed(fundee.receive(updateFee(fundee, 30_000)));
  });
});

describe('update_fee -- between two signatures', () => {
  it('keeps the last of any number of proposals', () => {
    const { opener, fundee } = openPair();
    for (let proposal = 0; proposal < 8000; proposal++) passed(fundee.receive(updateFee(fundee, 1000 + proposal)));
    expect(fundee.state.commitments.counterpartyChanges.proposed).toHaveLength(1);
    opener.apply(proposeFee(opener.env, opener.state, feeratePerKw(8999)));
    opener.outbox.length = 0;
    exchange(opener, fundee);
    expect([feerateOf(opener), feerateOf(fundee)]).toEqual([8999, 8999]);
  });

  it('keeps one for an opener that signs and never revokes', () => {
    const { opener, fundee } = openPair();
    fundee.offer(1_000_000n);
    fundee.sign();
    fundee.outbox.length = 0;
    for (let round = 1; round <= 20; round++) {
      opener.apply(proposeFee(opener.env, opener.state, feeratePerKw(1000 + round)));
      opener.sign();
      for (const message of opener.outbox.splice(0)) passed(fundee.receive(message));
      passed(opener.receive(fundee.take('revoke_and_ack')));
    }
    expect(feerateOf(fundee)).toBe(1020);
    for (const { state } of [opener, fundee]) expect(feesKept(state.commitments)).toBe(1);
  });

  it('ends at the same feerate on both sides, in whatever order proposals, HTLCs and signatures come', () => {
    const step = fc.constantFrom(
      'fee',
      'openerAdds',
      'fundeeAdds',
      'openerSigns',
      'fundeeSigns',
      'toFundee',
      'toOpener',
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(undefined, STATIC), (steps, features) => {
        const { opener, fundee } = openPair(features === undefined ? {} : { features });
        let feerate = 1000;
        for (const each of steps) {
          if (each === 'fee') opener.apply(proposeFee(opener.env, opener.state, feeratePerKw((feerate += 100))));
          else if (each === 'openerAdds') opener.offer(1_100_000n);
          else if (each === 'fundeeAdds') fundee.offer(1_100_000n);
          else if (each === 'openerSigns') opener.sign();
          else if (each === 'fundeeSigns') fundee.sign();
          else deliver(...(each === 'toFundee' ? ([opener, fundee] as const) : ([fundee, opener] as const)));
          for (const { state } of [opener, fundee]) expect(feesKept(state.commitments)).toBeLessThanOrEqual(1);
        }
        exchange(opener, fundee);
        expect([feerateOf(opener), feerateOf(fundee)]).toEqual([feerate, feerate]);
        expect(pendingFeerate(opener.state.commitments)).toBe(feerate);
      }),
      { numRuns: 60 },
    );
  });
});

describe('update_fee -- a channel whose opener must keep no reserve', () => {
  /** Both sides of it: BOLT 2 refuses such terms, but a trusted peer may grant them. */
  function withoutReserve(features = STATIC): { readonly opener: Party; readonly fundee: Party } {
    const { opener, fundee } = openPair({ fundingSat: sat(50_000n), pushMsat: 20_000_000n, features });
    const none = { channelReserveSat: sat(0n) };
    const { params: a } = opener.state;
    const { params: b } = fundee.state;
    opener.state = { ...opener.state, params: { ...a, counterparty: { ...a.counterparty, ...none } } };
    fundee.state = { ...fundee.state, params: { ...b, holder: { ...b.holder, ...none } } };
    return { opener, fundee };
  }

  it('S9: a fee that rises while HTLCs come in never overdraws the opener', () => {
    for (const feerate of [2000, 4000, 8000, 16_000, 30_000]) {
      const { opener, fundee } = withoutReserve();
      while (opener.offer(3_000_000n) === undefined);
      exchange(opener, fundee);
      for (let htlc = 0; htlc < 6; htlc++) fundee.offer(1_500_000n);
      opener.apply(proposeFee(opener.env, opener.state, feeratePerKw(feerate)));
      opener.sign();
      exchange(opener, fundee);
      const { spec } = opener.state.commitments.holderCommit;
      expect(spec.toHolderMsat).toBeGreaterThanOrEqual(0n);
      expect(opener.offer(spec.toHolderMsat + 1n)).toBe('InsufficientChannelBalance');
    }
  });
});

function deliver(from: Party, to: Party): void {
  const message = from.outbox.shift();
  if (message !== undefined) passed(to.receive(message));
}

/** The most fee changes that any one list of a side's commitments keeps. */
function feesKept({ holderChanges, counterpartyChanges }: Party['state']['commitments']): number {
  const lists = [holderChanges, counterpartyChanges].flatMap((side) => [side.proposed, side.acked, side.signed]);
  return Math.max(...lists.map((list) => list.filter(({ kind }) => kind === 'fee').length));
}
