import { concat } from '../primitives/bytes.ts';
import { msatToSatFloor } from '../primitives/units.ts';
import { buildClosing, closingFeeSat, closingSighash, type ClosingInput } from '../transactions/closing.ts';
import { encodeTransaction, withWitness } from '../transactions/transaction.ts';
import { fundingWitness } from '../transactions/witnesses.ts';
import type { MessageOf } from '../wire/message.ts';
import type { ChannelEnv } from './channel-env.ts';
import type { ClosedChannel, OpenChannel } from './channel-state.ts';
import { isQuiet } from './commitments.ts';
import { transition, violation, type Outcome, type Transition } from './transition.ts';

/**
 * The fees exchanged on this connection. Not persisted: after a reconnection the negotiation begins anew (BOLT 2,
 * Closing Negotiation).
 */
export interface ClosingNegotiation {
  readonly lastSentFeeSat?: bigint;
}

/** Both sides said `shutdown` and no HTLC or update is left: fees may be negotiated. */
export const isNegotiable = ({ shutdown, commitments }: OpenChannel): boolean =>
  shutdown.kind === 'both' && shutdown.sent && isQuiet(commitments);

/** The opener's first `closing_signed`. */
export function proposeClosingFee(
  env: ChannelEnv,
  channel: OpenChannel,
): { readonly message: MessageOf<'closing_signed'>; readonly feeSat: bigint } {
  const range = acceptableFees(env, channel);
  return { message: closingSigned(env, channel, range.idealSat, range), feeSat: range.idealSat };
}

/** Another fee of ours: the channel stays as it is. */
export interface CounterOffer {
  readonly kind: 'counterOffer';
  readonly message: MessageOf<'closing_signed'>;
  readonly feeSat: bigint;
}

/** A closed channel where the fee can be agreed upon, or our next offer. */
export function receiveClosingSigned(
  env: ChannelEnv,
  channel: OpenChannel,
  message: MessageOf<'closing_signed'>,
  negotiation: ClosingNegotiation,
): Outcome<ClosedChannel> | CounterOffer {
  if (!isNegotiable(channel)) return violation('warn', 'closing_signed before the channel is quiet');
  const { feeSatoshis: feeSat } = message;
  const range = acceptableFees(env, channel);
  if (feeSat > range.affordableSat) return violation('warn', 'the closing fee is more than the opener has');
  const signed = signedBy(env, channel, feeSat, message.signature);
  if (signed === undefined) return violation('warn', 'the signature of the closing transaction is not valid');
  if (feeSat === negotiation.lastSentFeeSat) return closed(channel, signed, undefined);
  // The opener pays: a fundee takes any fee that will be relayed, an opener any within its own range.
  const acceptable = feeSat >= range.minimumSat && feeSat <= range.maximumSat;
  if (acceptable) return closed(channel, signed, closingSigned(env, channel, feeSat, range));
  const offer = message.tlvs.feeRange;
  const low = offer !== undefined && offer.minFeeSatoshis > range.minimumSat ? offer.minFeeSatoshis : range.minimumSat;
  const high = offer !== undefined && offer.maxFeeSatoshis < range.maximumSat ? offer.maxFeeSatoshis : range.maximumSat;
  if (offer !== undefined && low > high) return violation('warn', 'the closing fee ranges do not overlap');
  const last = negotiation.lastSentFeeSat;
  const middle = offer !== undefined ? clamp(range.idealSat, low, high) : between(feeSat, last ?? range.idealSat);
  return { kind: 'counterOffer', message: closingSigned(env, channel, middle, range), feeSat: middle };
}

interface FeeRange {
  readonly minimumSat: bigint;
  readonly idealSat: bigint;
  readonly maximumSat: bigint;
  readonly affordableSat: bigint;
}

function acceptableFees(env: ChannelEnv, channel: OpenChannel): FeeRange {
  const [ours, theirs] = scripts(channel);
  const { isOpener } = channel.params;
  const spec = channel.commitments.holderCommit.spec;
  const affordableSat = msatToSatFloor(isOpener ? spec.toHolderMsat : spec.toCounterpartyMsat);
  const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);
  const feeAt = (feerate: number): bigint => closingFeeSat(ours, theirs, feerate);
  const maximumSat = isOpener ? feeAt(Math.max(env.feerates.closing * 2, 1000)) : affordableSat;
  const minimumSat = least(feeAt(253), affordableSat);
  const idealSat = clamp(feeAt(env.feerates.closing), minimumSat, affordableSat);
  return { minimumSat, idealSat, maximumSat: least(maximumSat, affordableSat), affordableSat };
}

function closingSigned(
  env: ChannelEnv,
  channel: OpenChannel,
  feeSat: bigint,
  range: FeeRange,
): MessageOf<'closing_signed'> {
  return {
    kind: 'closing_signed',
    channelId: channel.params.channelId,
    feeSatoshis: feeSat,
    signature: env.signer.signClosing(closingInput(channel, feeSat)),
    tlvs: { feeRange: { minFeeSatoshis: range.minimumSat, maxFeeSatoshis: range.maximumSat } },
  };
}

/** The complete transaction where the counterparty's signature is valid for it, also without an output of its own. */
function signedBy(
  env: ChannelEnv,
  channel: OpenChannel,
  feeSat: bigint,
  signature: Uint8Array,
): Uint8Array | undefined {
  const input = closingInput(channel, feeSat);
  const closing = buildClosing(input);
  if (!env.secp.verify(signature, closingSighash(closing, input.fundingSat), input.counterpartyFundingPubkey))
    return undefined;
  const witness = fundingWitness(
    { pubkey: input.holderFundingPubkey, signature: env.signer.signClosing(input) },
    { pubkey: input.counterpartyFundingPubkey, signature },
  );
  return encodeTransaction(withWitness(closing.tx, 0, witness));
}

function closingInput(channel: OpenChannel, feeSat: bigint): ClosingInput {
  const { params, commitments } = channel;
  const [holderScript, counterpartyScript] = scripts(channel);
  const { spec } = commitments.holderCommit;
  return {
    fundingTxid: params.fundingTxid,
    fundingOutputIndex: params.fundingOutputIndex,
    fundingSat: params.fundingSat,
    holderIsOpener: params.isOpener,
    holderFundingPubkey: params.holder.fundingPubkey,
    counterpartyFundingPubkey: params.counterparty.fundingPubkey,
    toHolderSat: msatToSatFloor(spec.toHolderMsat),
    toCounterpartySat: msatToSatFloor(spec.toCounterpartyMsat),
    holderScript,
    counterpartyScript,
    holderDustLimitSat: params.holder.dustLimitSat,
    feeSat,
  };
}

function closed(
  channel: OpenChannel,
  transaction: Uint8Array,
  answer: MessageOf<'closing_signed'> | undefined,
): Transition<ClosedChannel> {
  const state: ClosedChannel = {
    kind: 'closed',
    params: channel.params,
    reason: { kind: 'cooperative', transaction },
    holderMsat: channel.commitments.holderCommit.spec.toHolderMsat,
    forgetAtHeight: undefined,
  };
  return transition(state, {
    steps: [{ kind: 'channelForceClosed', broadcast: false }],
    messages: answer === undefined ? [] : [answer],
    facts: [{ kind: 'closingAgreed', transaction }],
  });
}

const scripts = ({ shutdown }: OpenChannel): readonly [Uint8Array, Uint8Array] =>
  shutdown.kind === 'both' ? [shutdown.holderScript, shutdown.counterpartyScript] : [concat(), concat()];

const clamp = (value: bigint, low: bigint, high: bigint): bigint => (value < low ? low : value > high ? high : value);

/** Strictly between two fees where there is room: offers must converge. */
function between(a: bigint, b: bigint): bigint {
  const middle = (a + b) / 2n;
  return middle === b && a !== b ? a : middle;
}
