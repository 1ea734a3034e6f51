import { greatest } from '../primitives/bigints.ts';
import { sat, type Sat } from '../primitives/units.ts';
import { MAX_FUNDING_NO_WUMBO, MAX_HTLCS, type ChannelConfig } from './channel-config.ts';
import type { CommitmentFormat } from '../transactions/channel-scripts.ts';
import type { ChannelPublicKeys, PartyTerms } from '../transactions/channel-parameters.ts';
import { MAX_DUST_LIMIT_SAT } from '../transactions/closing-outputs.ts';
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
  return {
    ...pubkeys,
    ...holderBalances(config, fundingSat),
    maxHtlcValueInFlightMsat: fundingSat * 1000n,
    htlcMinimumMsat: config.htlcMinimumMsat,
    toSelfDelay: config.toSelfDelay,
    maxAcceptedHtlcs: config.maxAcceptedHtlcs,
    upfrontShutdownScript,
  };
}

/** Our dust limit and the reserve that we ask for in a channel of that size. */
export function holderBalances(config: ChannelConfig, fundingSat: Sat): HolderBalances {
  const share = (fundingSat * BigInt(config.reserveMillionths)) / 1_000_000n;
  return { dustLimitSat: config.dustLimitSat, channelReserveSat: sat(greatest(share, config.minimumReserveSat)) };
}

export type HolderBalances = Pick<PartyTerms, 'dustLimitSat' | 'channelReserveSat'>;

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

type TermsMessage = MessageOf<'open_channel'> | MessageOf<'accept_channel'>;

/**
 * The counterparty's terms as its message states them, or what is wrong with them (BOLT 2, The open_channel and
 * accept_channel Messages). The amounts of the message are any u64: here they get their bounds.
 */
export function counterpartyTerms(
  config: ChannelConfig,
  isPoint: (point: Uint8Array) => boolean,
  holder: HolderBalances,
  message: TermsMessage,
  fundingSat: Sat,
  features: ShutdownFeatures,
): PartyTerms | string {
  const upfrontShutdownScript = message.tlvs.upfrontShutdownScript ?? new Uint8Array(0);
  const wrong = wrongAmount(holder, message, fundingSat) ?? wrongLimit(config, message) ?? wrongKey(isPoint, message);
  if (wrong !== undefined) return wrong;
  if (upfrontShutdownScript.length > 0 && !isStandardShutdownScript(upfrontShutdownScript, features))
    return 'upfront_shutdown_script is not a standard script';
  return {
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
    upfrontShutdownScript,
  };
}

/** What a peer of those features may name for its money at a close; `option_simple_close` is not negotiated here. */
export const shutdownFeatures = (peerFeatures: FeatureSet): ShutdownFeatures => ({
  anySegwit: hasFeature(peerFeatures, 'option_shutdown_anysegwit'),
  simpleClose: false,
});

function wrongAmount(
  holder: HolderBalances,
  { dustLimitSatoshis: dustSat, channelReserveSatoshis: reserveSat }: TermsMessage,
  fundingSat: Sat,
): string | undefined {
  if (dustSat < 354n) return 'dust_limit_satoshis is below 354';
  // A high dust limit turns HTLCs of ours into fees: refuse what no node needs.
  if (dustSat > MAX_DUST_LIMIT_SAT) return `dust_limit_satoshis is above ${MAX_DUST_LIMIT_SAT}`;
  if (reserveSat < dustSat) return 'channel_reserve_satoshis is below dust_limit_satoshis';
  if (reserveSat < holder.dustLimitSat) return 'channel_reserve_satoshis is below our dust limit';
  if (dustSat > holder.channelReserveSat) return 'dust_limit_satoshis is above our channel_reserve_satoshis';
  if (reserveSat * 5n > fundingSat) return 'channel_reserve_satoshis is above a fifth of the channel';
  return undefined;
}

function wrongLimit(config: ChannelConfig, message: TermsMessage): string | undefined {
  if (message.toSelfDelay > config.maxToSelfDelay) return 'to_self_delay is unreasonably large';
  if (message.maxAcceptedHtlcs < 1 || message.maxAcceptedHtlcs > MAX_HTLCS)
    return `max_accepted_htlcs is not from 1 to ${MAX_HTLCS}`;
  if (message.htlcMinimumMsat > 10_000_000n) return 'htlc_minimum_msat is unreasonably large';
  if (message.maxHtlcValueInFlightMsat < 1_000_000n) return 'max_htlc_value_in_flight_msat is too small';
  return undefined;
}

const wrongKey = (isPoint: (point: Uint8Array) => boolean, message: TermsMessage): string | undefined =>
  [
    message.fundingPubkey,
    message.revocationBasepoint,
    message.paymentBasepoint,
    message.delayedPaymentBasepoint,
    message.htlcBasepoint,
    message.firstPerCommitmentPoint,
  ].every(isPoint)
    ? undefined
    : 'a public key is not on the curve';

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
