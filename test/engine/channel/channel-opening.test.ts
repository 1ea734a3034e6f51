import { describe, expect, it } from 'vitest';
import { sat } from '../../../worker/engine/primitives/units.ts';
import {
  acceptChannel,
  createFunding,
  receiveAccept,
  receiveFundingCreated,
  receiveFundingSigned,
} from '../../../worker/engine/channel/channel-opening.ts';
import { featureSet, featuresFromBits } from '../../../worker/engine/wire/features.ts';
import type { MessageOf } from '../../../worker/engine/wire/message.ts';
import { establish, FEATURES, openPair, passed, refused } from './party.ts';

type Open = MessageOf<'open_channel'>;
type Accept = MessageOf<'accept_channel'>;

const NO_POINT = new Uint8Array(33).fill(4);
const STRANGE_SCRIPT = Uint8Array.of(0x51, 0x52, 0x53);
const withType = (...bits: number[]) => ({ channelType: featuresFromBits(bits) });

describe('open_channel', () => {
  const answer = (change: Partial<Open>, policyChange: object = {}) => {
    const { fundeeEnv, open, policy } = establish();
    return acceptChannel(fundeeEnv, new Uint8Array(33).fill(3), { ...open, ...change }, { ...policy, ...policyChange });
  };

  it('lets as much be in flight as the channel holds', () => {
    const { open } = establish();
    expect(open.maxHtlcValueInFlightMsat).toBe(open.fundingSatoshis * 1000n);
  });

  it('is answered with the terms of the fundee', () => {
    const [message] = passed(answer({})).messages;
    expect(message).toMatchObject({ kind: 'accept_channel', minimumDepth: 3, channelReserveSatoshis: 10_000n });
  });

  it.each<[string, Partial<Open>, RegExp]>([
    ['another chain', { chainHash: new Uint8Array(32) }, /another chain/],
    ['no channel_type', { tlvs: {} }, /channel_type is missing/],
    ['an unknown channel_type', { tlvs: withType(12, 22, 100) }, /channel_type is not supported/],
    ['a channel_type without option_static_remotekey', { tlvs: withType(22) }, /channel_type is not supported/],
    ['zero-conf from anybody', { tlvs: withType(12, 22, 50) }, /zero-conf/],
    ['a tiny channel', { fundingSatoshis: 19_999n, pushMsat: 0n }, /less than 20000/],
    ['more than there is', { fundingSatoshis: 2_100_000_000_000_001n }, /more than there is/],
    ['a large channel without the feature', { fundingSatoshis: 16_777_216n }, /too large/],
    ['a push above the funding', { pushMsat: 1_000_000_001n }, /push_msat/],
    ['an absurd feerate', { feeratePerKw: 50_001 }, /unreasonably high/],
    ['a feerate that is not relayed', { feeratePerKw: 252 }, /252 is below 253/],
    ['a funding_pubkey off the curve', { fundingPubkey: NO_POINT }, /not on the curve/],
    ['a revocation_basepoint off the curve', { revocationBasepoint: NO_POINT }, /not on the curve/],
    ['a payment_basepoint off the curve', { paymentBasepoint: NO_POINT }, /not on the curve/],
    ['a delayed_payment_basepoint off the curve', { delayedPaymentBasepoint: NO_POINT }, /not on the curve/],
    ['an htlc_basepoint off the curve', { htlcBasepoint: NO_POINT }, /not on the curve/],
    ['a first_per_commitment_point off the curve', { firstPerCommitmentPoint: NO_POINT }, /not on the curve/],
    ['a dust limit below 354', { dustLimitSatoshis: 353n }, /below 354/],
    ['a dust limit above 1000', { dustLimitSatoshis: 1001n }, /above 1000/],
    ['a reserve below our dust limit', { channelReserveSatoshis: 353n }, /channel_reserve_satoshis is below/],
    [
      'a reserve below its own dust limit',
      { dustLimitSatoshis: 600n, channelReserveSatoshis: 599n },
      /below dust_limit/,
    ],
    ['a dust limit of 64 bits', { dustLimitSatoshis: 2n ** 64n - 1n }, /above 1000/],
    ['a reserve of 64 bits', { channelReserveSatoshis: 2n ** 64n - 1n }, /above a fifth/],
    ['a reserve above a fifth', { channelReserveSatoshis: 200_001n }, /above a fifth/],
    ['a delay without end', { toSelfDelay: 2017 }, /to_self_delay/],
    ['no HTLC at all', { maxAcceptedHtlcs: 0 }, /max_accepted_htlcs/],
    ['more HTLCs than fit', { maxAcceptedHtlcs: 484 }, /max_accepted_htlcs/],
    ['a large htlc_minimum_msat', { htlcMinimumMsat: 10_000_001n }, /htlc_minimum_msat/],
    ['too little in flight', { maxHtlcValueInFlightMsat: 999_999n }, /max_htlc_value_in_flight/],
    ['a fee that the opener cannot pay', { pushMsat: 999_000_000n }, /cannot pay the fee/],
    [
      'a strange upfront_shutdown_script',
      { tlvs: { ...withType(12, 22), upfrontShutdownScript: STRANGE_SCRIPT } },
      /not a standard script/,
    ],
  ])('is refused with %s', (_name, change, reason) => {
    expect(refused(answer(change))).toMatchObject({
      severity: 'fail',
      reason: expect.stringMatching(reason) as string,
    });
  });

  it('may be zero-conf from a peer that is trusted', () => {
    const outcome = passed(answer({ tlvs: withType(12, 22, 50) }, { trustedForZeroConf: true }));
    expect(outcome.messages[0]).toMatchObject({ minimumDepth: 0 });
  });

  it('is zero-conf from a peer that is trusted whatever the type says, and from nobody else', () => {
    expect(passed(answer({}, { trustedForZeroConf: true })).messages[0]).toMatchObject({ minimumDepth: 0 });
    expect(passed(answer({})).messages[0]).not.toMatchObject({ minimumDepth: 0 });
  });

  it('may be large with option_support_large_channel', () => {
    const counterpartyFeatures = featureSet({ option_support_large_channel: 'optional' });
    expect(passed(answer({ fundingSatoshis: 20_000_000n }, { counterpartyFeatures })).state.fundingSat).toBe(
      20_000_000n,
    );
  });
});

describe('accept_channel', () => {
  const answer = (change: Partial<Accept>, trustedForZeroConf = false) => {
    const { openerEnv, opening, accept } = establish();
    return receiveAccept(
      openerEnv,
      opening.state,
      { ...accept, ...change },
      { features: FEATURES, trustedForZeroConf },
    );
  };

  it.each<[string, Partial<Accept>, RegExp]>([
    ['no channel_type', { tlvs: {} }, /another channel_type/],
    ['another channel_type', { tlvs: withType(12) }, /another channel_type/],
    ['a funding_pubkey off the curve', { fundingPubkey: NO_POINT }, /not on the curve/],
    ['a first_per_commitment_point off the curve', { firstPerCommitmentPoint: NO_POINT }, /not on the curve/],
    ['a minimum_depth without end', { minimumDepth: 145 }, /minimum_depth/],
    ['a dust limit below 354', { dustLimitSatoshis: 353n }, /below 354/],
    ['a dust limit above 1000', { dustLimitSatoshis: 1001n }, /above 1000/],
    ['a reserve below our dust limit', { channelReserveSatoshis: 353n }, /channel_reserve_satoshis is below/],
    [
      'a reserve below its own dust limit',
      { dustLimitSatoshis: 600n, channelReserveSatoshis: 599n },
      /below dust_limit/,
    ],
    ['a dust limit of 64 bits', { dustLimitSatoshis: 2n ** 64n - 1n }, /above 1000/],
    ['a reserve of 64 bits', { channelReserveSatoshis: 2n ** 64n - 1n }, /above a fifth/],
    ['a reserve above a fifth', { channelReserveSatoshis: 200_001n }, /above a fifth/],
    ['a delay without end', { toSelfDelay: 2017 }, /to_self_delay/],
    ['no HTLC at all', { maxAcceptedHtlcs: 0 }, /max_accepted_htlcs/],
    ['too little in flight', { maxHtlcValueInFlightMsat: 999_999n }, /max_htlc_value_in_flight/],
  ])('is refused with %s', (_name, change, reason) => {
    expect(refused(answer(change))).toMatchObject({
      severity: 'fail',
      reason: expect.stringMatching(reason) as string,
    });
  });

  it('waits for one confirmation at least, unless the peer is trusted', () => {
    expect(passed(answer({ minimumDepth: 0 })).state.minimumDepth).toBe(1);
    expect(passed(answer({ minimumDepth: 0 }, true)).state.minimumDepth).toBe(0);
  });
});

describe('funding_created and funding_signed', () => {
  const created = () => {
    const parts = establish();
    const peer = { features: FEATURES, trustedForZeroConf: false };
    const funding = passed(receiveAccept(parts.openerEnv, parts.opening.state, parts.accept, peer));
    const outpoint = { transaction: new Uint8Array(0), txid: new Uint8Array(32).fill(9), outputIndex: 0 };
    return { ...parts, created: createFunding(parts.openerEnv, funding.state, outpoint) };
  };

  it('lead to the same balances on both sides', () => {
    const { opener, fundee } = openPair({ fundingSat: sat(500_000n), pushMsat: 1n });
    expect(opener.state.commitments.holderCommit.spec.toHolderMsat).toBe(499_999_999n);
    expect(fundee.state.commitments.holderCommit.spec.toHolderMsat).toBe(1n);
    expect(opener.state.params.channelId).toEqual(fundee.state.params.channelId);
  });

  it('have no alias of the counterparty, which comes with its `channel_ready`', () => {
    const parts = created();
    const message = parts.created.messages[0] as MessageOf<'funding_created'>;
    const { state } = passed(receiveFundingCreated(parts.fundeeEnv, parts.accepting.state, message, 1n));
    expect(state.counterpartyAlias).toBe(0n);
  });

  it('are refused with a signature that is not valid', () => {
    const parts = created();
    const message = parts.created.messages[0] as MessageOf<'funding_created'>;
    const wrong = { ...message, signature: new Uint8Array(64) };
    expect(refused(receiveFundingCreated(parts.fundeeEnv, parts.accepting.state, wrong, 1n)).severity).toBe('fail');
    const { channelId } = parts.created.state.params;
    const answer = { kind: 'funding_signed', channelId, signature: new Uint8Array(64), tlvs: {} } as const;
    expect(refused(receiveFundingSigned(parts.openerEnv, parts.created.state, answer, 1n)).severity).toBe('fail');
  });
});
