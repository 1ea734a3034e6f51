import { sat, type Sat } from '../primitives/units.ts';
import { MAX_FUNDING_NO_WUMBO, type ChannelConfig } from './channel-config.ts';
import type { CommitmentFormat } from '../transactions/channel-scripts.ts';
import type { ChannelPublicKeys, PartyTerms } from '../transactions/channel-parameters.ts';
import { isStandardShutdownScript, type ShutdownFeatures } from '../transactions/shutdown-script.ts';
import { featureBits, featuresFromBits, hasFeature, type FeatureSet } from '../wire/features.ts';
import type { MessageOf } from '../wire/message.ts';

/** What is told to the counterparty of a channel of that size, with our keys for it. */
export function holderTerms(
  config: ChannelConfig,
  pubkeys: ChannelPublicKeys,
  fundingSat: Sat,
  upfrontShutdownScript: Uint8Array,
): PartyTerms {
  const share = (fundingSat * BigInt(config.reserveMillionths)) / 1_000_000n;
  return {
    ...pubkeys,
    dustLimitSat: config.dustLimitSat,
    maxHtlcValueInFlightMsat: fundingSat * 1000n,
    channelReserveSat: share > config.minimumReserveSat ? sat(share) : config.minimumReserveSat,
    htlcMinimumMsat: config.htlcMinimumMsat,
    toSelfDelay: config.toSelfDelay,
    maxAcceptedHtlcs: config.maxAcceptedHtlcs,
    upfrontShutdownScript,
  };
}

/** The counterparty's terms as its message states them. */
export const counterpartyTerms = (message: MessageOf<'open_channel'> | MessageOf<'accept_channel'>): PartyTerms => ({
  fundingPubkey: message.fundingPubkey,
  revocationBasepoint: message.revocationBasepoint,
  paymentBasepoint: message.paymentBasepoint,
  delayedPaymentBasepoint: message.delayedPaymentBasepoint,
  htlcBasepoint: message.htlcBasepoint,
  dustLimitSat: sat(message.dustLimitSatoshis),
  maxHtlcValueInFlightMsat: message.maxHtlcValueInFlightMsat,
  channelReserveSat: sat(message.channelReserveSatoshis),
  htlcMinimumMsat: message.htlcMinimumMsat,
  toSelfDelay: message.toSelfDelay,
  maxAcceptedHtlcs: message.maxAcceptedHtlcs,
  upfrontShutdownScript: message.tlvs.upfrontShutdownScript ?? new Uint8Array(0),
});

/** Terms as fields of `open_channel` and `accept_channel`. */
export const termsFields = (terms: PartyTerms): TermsFields => ({
  dustLimitSatoshis: terms.dustLimitSat,
  maxHtlcValueInFlightMsat: terms.maxHtlcValueInFlightMsat,
  channelReserveSatoshis: terms.channelReserveSat,
  htlcMinimumMsat: terms.htlcMinimumMsat,
  toSelfDelay: terms.toSelfDelay,
  maxAcceptedHtlcs: terms.maxAcceptedHtlcs,
  fundingPubkey: terms.fundingPubkey,
  revocationBasepoint: terms.revocationBasepoint,
  paymentBasepoint: terms.paymentBasepoint,
  delayedPaymentBasepoint: terms.delayedPaymentBasepoint,
  htlcBasepoint: terms.htlcBasepoint,
});

/** What `open_channel` and `accept_channel` have in common. */
export type TermsFields = ChannelPublicKeys &
  Pick<
    MessageOf<'accept_channel'>,
    | 'dustLimitSatoshis'
    | 'maxHtlcValueInFlightMsat'
    | 'channelReserveSatoshis'
    | 'htlcMinimumMsat'
    | 'toSelfDelay'
    | 'maxAcceptedHtlcs'
  >;

/** What is wrong with the counterparty's terms, if anything (BOLT 2, The open_channel and accept_channel Messages). */
export function checkTerms(
  config: ChannelConfig,
  isPoint: (point: Uint8Array) => boolean,
  holder: PartyTerms,
  counterparty: PartyTerms,
  fundingSat: Sat,
  features: ShutdownFeatures,
): string | undefined {
  const { dustLimitSat, channelReserveSat, upfrontShutdownScript } = counterparty;
  const keys = [
    counterparty.fundingPubkey,
    counterparty.revocationBasepoint,
    counterparty.paymentBasepoint,
    counterparty.delayedPaymentBasepoint,
    counterparty.htlcBasepoint,
  ];
  if (!keys.every(isPoint)) return 'a public key is not on the curve';
  if (dustLimitSat < 354n) return 'dust_limit_satoshis is below 354';
  // A high dust limit turns HTLCs of ours into fees: refuse what no node needs.
  if (dustLimitSat > 1000n) return 'dust_limit_satoshis is above 1000';
  if (channelReserveSat < holder.dustLimitSat) return 'channel_reserve_satoshis is below our dust limit';
  if (dustLimitSat > holder.channelReserveSat) return 'dust_limit_satoshis is above our channel_reserve_satoshis';
  if (channelReserveSat * 5n > fundingSat) return 'channel_reserve_satoshis is above a fifth of the channel';
  if (counterparty.toSelfDelay > config.maxToSelfDelay) return 'to_self_delay is unreasonably large';
  if (counterparty.maxAcceptedHtlcs < 1 || counterparty.maxAcceptedHtlcs > 483)
    return 'max_accepted_htlcs is not from 1 to 483';
  if (counterparty.htlcMinimumMsat > 10_000_000n) return 'htlc_minimum_msat is unreasonably large';
  if (counterparty.maxHtlcValueInFlightMsat < 1_000_000n) return 'max_htlc_value_in_flight_msat is too small';
  if (upfrontShutdownScript.length > 0 && !isStandardShutdownScript(upfrontShutdownScript, features))
    return 'upfront_shutdown_script is not a standard script';
  return undefined;
}

/** BOLT 2: 2^24 satoshi and more only with `option_support_large_channel` on both sides. */
export const isTooLarge = (fundingSat: bigint, peerFeatures: FeatureSet): boolean =>
  fundingSat > MAX_FUNDING_NO_WUMBO && !hasFeature(peerFeatures, 'option_support_large_channel');

/** A `channel_type` as its meaning; `undefined` for a type that we do not support. */
export interface ChannelTypeMeaning {
  readonly format: CommitmentFormat;
  readonly scidAlias: boolean;
  readonly zeroConf: boolean;
}

export function readChannelType(bytes: Uint8Array): ChannelTypeMeaning | undefined {
  if (bytes.length > 32) return undefined;
  const bits = new Set(featureBits(bytes));
  const take = (bit: number): boolean => bits.delete(bit);
  if (!take(12)) return undefined;
  const format = take(22) ? 'anchors' : 'static_remotekey';
  const meaning: ChannelTypeMeaning = { format, scidAlias: take(46), zeroConf: take(50) };
  return bits.size === 0 ? meaning : undefined;
}

/** The bytes of a `channel_type`: even bits only, as BOLT 2 has it. */
export const writeChannelType = ({ format, scidAlias, zeroConf }: ChannelTypeMeaning): Uint8Array =>
  featuresFromBits([12, ...(format === 'anchors' ? [22] : []), ...(scidAlias ? [46] : []), ...(zeroConf ? [50] : [])]);
