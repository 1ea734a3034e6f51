import { clamp, greatest, least } from '../primitives/bigints.ts';
import { encodeTransaction, withWitness } from '../transactions/transaction.ts';
import { buildClosing, closingSighash, type ClosingInput, type ClosingOutputs } from '../transactions/closing.ts';
import { counterpartyVariants, holderVariant, isRelayed } from '../transactions/closing-outputs.ts';
import { fundingWitness } from '../transactions/witnesses.ts';
import type { MessageOf } from '../wire/message.ts';
import type { ChannelEnv } from './channel-env.ts';
import { unseenFunding } from './channel-ready.ts';
import type {
  ClosedChannel,
  ClosingChannel,
  ClosingFeeRange,
  ClosingNegotiation,
  ClosingTerms,
  OpenChannel,
} from './channel-state.ts';
import { closingAffordableSat, closingDraft, closingFeeRange, raisedTerms, signableFeeRange } from './closing-fees.ts';
import { hasNoHtlc, isQuiet } from './commitments.ts';
import { transition, violation, type Outcome, type Transition } from './transition.ts';

const UNAFFORDABLE = 'the opener cannot pay a closing fee that is relayed';
/** BOLT 2, Closing Negotiation: with an output below its script's dust limit the channel has to be closed by force. */
const UNRELAYED = 'an output of the closing transaction is too small to be relayed';

/** Both sides said `shutdown`, and no HTLC or update is left: the opener may propose a fee. */
export const isNegotiable = (channel: OpenChannel): channel is ClosingChannel =>
  saidShutdown(channel) && isQuiet(channel.commitments);

/** The opener's first `closing_signed` of a connection; the same channel where it is not due. */
export function proposeClosing(env: ChannelEnv, channel: OpenChannel): Outcome<OpenChannel> {
  if (!channel.params.isOpener || !isNegotiable(channel)) return transition(channel);
  if (channel.shutdown.terms.negotiation.sent !== undefined) return transition(channel);
  const range = closingFeeRange(env, channel);
  if (range.maximumSat < range.minimumSat) return violation('fail', UNAFFORDABLE);
  return offer(env, channel, { feeSat: range.idealSat, range });
}

/**
 * `closing_signed`: a closed channel where the fee can be agreed upon, our next offer, or the end of the negotiation on this
 * connection. Whatever the counterparty says, we sign no fee outside the range that we sent (BOLT 2, Closing Negotiation).
 */
export function receiveClosingSigned(
  env: ChannelEnv,
  channel: OpenChannel,
  message: MessageOf<'closing_signed'>,
): Outcome<OpenChannel | ClosedChannel> {
  // An `update_fee` may be under way still: without HTLCs no update changes what the two sides have.
  if (!saidShutdown(channel) || !hasNoHtlc(channel.commitments))
    return violation('warn', 'closing_signed before the channel is quiet');
  const { feeSatoshis: feeSat } = message;
  const range = signableFeeRange(env, channel);
  if (range.maximumSat < range.minimumSat) return violation('fail', UNAFFORDABLE);
  if (feeSat > closingAffordableSat(channel))
    return refused(env, channel, 'the closing fee is more than the opener has');
  const outputs = signedOutputs(env, channel, message);
  if (outputs === undefined) return refused(env, channel, 'the signature of the closing transaction is not valid');
  if (!isRelayed(closingDraft(channel, feeSat), outputs)) return violation('fail', UNRELAYED);
  if (isWithin(feeSat, range)) return agreed(env, channel, message, outputs, range);
  const { sent } = channel.shutdown.terms.negotiation;
  // An honest answer to our offer, of which its owner accepts less by now: the next connection begins with the new range.
  if (sent !== undefined && isWithin(feeSat, sent.range))
    return refused(env, channel, 'the closing fee is above what is accepted by now');
  return message.tlvs.feeRange === undefined
    ? withoutRange(env, channel, feeSat, range)
    : withRange(env, channel, feeSat, message.tlvs.feeRange, range);
}

/** A `warning` of the counterparty: while our offer is unanswered it says that our range is too small. */
export function receiveClosingWarning(env: ChannelEnv, channel: OpenChannel): Outcome<OpenChannel> {
  if (!isNegotiable(channel) || channel.shutdown.terms.negotiation.sent === undefined) return transition(channel);
  const raised = raisedTerms(env, channel);
  const terms = disputed(env, channel.shutdown.terms, raised);
  if (terms === undefined) return violation('fail', 'no closing fee could be agreed upon: the peer warns of each');
  if (raised !== undefined) return proposeClosing(env, withTerms(channel, { ...terms, negotiation: {} }));
  return terms === channel.shutdown.terms ? transition(channel) : transition(withTerms(channel, terms));
}

/** Both `shutdown`s are out: the one that we received is answered. */
const saidShutdown = (channel: OpenChannel): channel is ClosingChannel =>
  channel.shutdown.kind === 'both' && channel.shutdown.sent;

/** The counterparty names its range, and its fee is not in ours. */
function withRange(
  env: ChannelEnv,
  channel: ClosingChannel,
  feeSat: bigint,
  theirs: { readonly minFeeSatoshis: bigint; readonly maxFeeSatoshis: bigint },
  range: ClosingFeeRange,
): Outcome<OpenChannel> {
  const low = greatest(theirs.minFeeSatoshis, range.minimumSat);
  const high = least(theirs.maxFeeSatoshis, range.maximumSat);
  if (low > high) {
    const raised = raisedTerms(env, channel, theirs.minFeeSatoshis);
    return refused(env, channel, 'the closing fee ranges do not overlap', raised);
  }
  // It knows our range, or the one offer of it that a fundee makes: what it signs outside is no mistake of estimates.
  if (channel.shutdown.terms.negotiation.sent !== undefined)
    return violation('fail', 'the closing fee is not in the range that both sides named');
  return offer(env, channel, { feeSat: clamp(range.idealSat, low, high), range }, feeSat);
}

/** An older counterparty, whose fee is not in our range: we come closer, strictly between the last two, and stop at its end. */
function withoutRange(
  env: ChannelEnv,
  channel: ClosingChannel,
  feeSat: bigint,
  range: ClosingFeeRange,
): Outcome<OpenChannel> {
  const { sent, receivedFeeSat } = channel.shutdown.terms.negotiation;
  if (sent === undefined) return offer(env, channel, { feeSat: range.idealSat, range }, feeSat);
  if (receivedFeeSat !== undefined && !isBetween(feeSat, sent.feeSat, receivedFeeSat))
    return refused(env, channel, 'the closing fee is not strictly between the last two');
  const isTooHigh = feeSat > range.maximumSat;
  if (sent.feeSat === (isTooHigh ? range.maximumSat : range.minimumSat)) {
    const raised = isTooHigh ? raisedTerms(env, channel) : undefined;
    return refused(env, channel, `a closing fee of ${feeSat} sat is outside what we accept`, raised);
  }
  const next = isTooHigh ? (sent.feeSat + range.maximumSat + 1n) / 2n : (sent.feeSat + range.minimumSat) / 2n;
  return offer(env, channel, { feeSat: next, range }, feeSat);
}

/** Signs what we propose, unless nobody would relay it. */
function offer(
  env: ChannelEnv,
  channel: ClosingChannel,
  sent: NonNullable<ClosingNegotiation['sent']>,
  receivedFeeSat?: bigint,
): Outcome<OpenChannel> {
  const draft = closingDraft(channel, sent.feeSat);
  const outputs = holderVariant(draft, channel.params.holder.dustLimitSat);
  if (outputs === undefined || !isRelayed(draft, outputs)) return violation('fail', UNRELAYED);
  const negotiation = { sent, ...(receivedFeeSat === undefined ? {} : { receivedFeeSat }) };
  const signature = env.signer.signClosing({ ...draft, outputs });
  return transition(withTerms(channel, { ...channel.shutdown.terms, negotiation }), {
    messages: [closingSigned(channel, sent.feeSat, signature, sent.range)],
  });
}

/** The counterparty's fee is ours too: the complete transaction, and our signature unless it has that already. */
function agreed(
  env: ChannelEnv,
  channel: ClosingChannel,
  { feeSatoshis: feeSat, signature }: MessageOf<'closing_signed'>,
  outputs: ClosingOutputs,
  range: ClosingFeeRange,
): Transition<ClosedChannel> {
  const { terms } = channel.shutdown;
  const input = { ...closingDraft(channel, feeSat), outputs };
  const holderSignature = env.signer.signClosing(input);
  const transaction = signedClosing(input, holderSignature, signature);
  const negotiation = { sent: { feeSat, range }, receivedFeeSat: feeSat };
  const state: ClosedChannel = {
    kind: 'closed',
    params: channel.params,
    reason: { kind: 'cooperative', transaction },
    holderMsat: channel.commitments.holderCommit.spec.toHolderMsat,
    unseenFunding: unseenFunding(channel, env.blockHeight),
    negotiated: withTerms(channel, { ...terms, agreedSat: feeSat, negotiation }),
  };
  const isAnswer = feeSat === terms.negotiation.sent?.feeSat;
  return transition(state, {
    steps: [{ kind: 'channelForceClosed', holderCommitment: 'wait' }],
    messages: isAnswer ? [] : [closingSigned(channel, feeSat, holderSignature, range)],
    facts: [{ kind: 'closingAgreed', transaction }],
  });
}

/**
 * No agreement on this connection: the counterparty is warned, and the next one begins anew, with `raised` terms where there
 * are. It fails the channel only once that has gone on for a reasonable time and our range cannot grow any more.
 */
function refused(
  env: ChannelEnv,
  channel: ClosingChannel,
  reason: string,
  raised?: ClosingTerms,
): Outcome<OpenChannel> {
  const terms = disputed(env, channel.shutdown.terms, raised);
  if (terms === undefined) return violation('fail', `no closing fee could be agreed upon: ${reason}`);
  return transition(withTerms(channel, terms), { facts: [{ kind: 'closingRefused', reason }] });
}

/** The terms after one more refusal; `undefined` where the dispute has lasted too long. */
function disputed(
  { blockHeight, config }: ChannelEnv,
  terms: ClosingTerms,
  raised: ClosingTerms | undefined,
): ClosingTerms | undefined {
  const dispute = stillDisputed(terms.dispute, blockHeight);
  if (raised !== undefined) return { ...raised, dispute };
  if (blockHeight - dispute.sinceHeight >= config.closingTimeoutBlocks) return undefined;
  return dispute === terms.dispute ? terms : { ...terms, dispute };
}

/** A peer that is there refuses with each connection, minutes apart: after an hour without, it was away, or we were. */
const MOST_BLOCKS_BETWEEN_REFUSALS = 6;

/**
 * The dispute, one refusal later. Its beginning moves on by the blocks for which a side was away: nobody refused anything
 * then, and of two refusals with days of absence between the second would close by force at once.
 */
function stillDisputed(before: ClosingTerms['dispute'], blockHeight: number): NonNullable<ClosingTerms['dispute']> {
  if (before?.lastHeight === blockHeight) return before;
  const { sinceHeight, lastHeight } = before ?? { sinceHeight: blockHeight, lastHeight: blockHeight };
  const awayBlocks = Math.max(0, blockHeight - lastHeight - MOST_BLOCKS_BETWEEN_REFUSALS);
  return { sinceHeight: sinceHeight + awayBlocks, lastHeight: blockHeight };
}

/** Whose outputs the transaction has that the counterparty signed; `undefined` where its signature is for none. */
function signedOutputs(
  env: ChannelEnv,
  channel: ClosingChannel,
  { feeSatoshis: feeSat, signature }: MessageOf<'closing_signed'>,
): ClosingOutputs | undefined {
  const { fundingSat, counterparty } = channel.params;
  const draft = closingDraft(channel, feeSat);
  return counterpartyVariants(draft, counterparty.dustLimitSat).find((outputs) => {
    const hash = closingSighash(buildClosing({ ...draft, outputs }), fundingSat);
    return env.secp.verify(signature, hash, counterparty.fundingPubkey);
  });
}

function signedClosing(input: ClosingInput, holder: Uint8Array, counterparty: Uint8Array): Uint8Array {
  const witness = fundingWitness(
    { pubkey: input.holderFundingPubkey, signature: holder },
    { pubkey: input.counterpartyFundingPubkey, signature: counterparty },
  );
  return encodeTransaction(withWitness(buildClosing(input).tx, 0, witness));
}

const closingSigned = (
  { params }: OpenChannel,
  feeSatoshis: bigint,
  signature: Uint8Array,
  { minimumSat, maximumSat }: ClosingFeeRange,
): MessageOf<'closing_signed'> => ({
  kind: 'closing_signed',
  channelId: params.channelId,
  feeSatoshis,
  signature,
  tlvs: { feeRange: { minFeeSatoshis: minimumSat, maxFeeSatoshis: maximumSat } },
});

const withTerms = (channel: ClosingChannel, terms: ClosingTerms): ClosingChannel => ({
  ...channel,
  shutdown: { ...channel.shutdown, terms },
});

const isWithin = (feeSat: bigint, { minimumSat, maximumSat }: ClosingFeeRange): boolean =>
  feeSat >= minimumSat && feeSat <= maximumSat;

const isBetween = (value: bigint, a: bigint, b: bigint): boolean =>
  (a < value && value < b) || (b < value && value < a);
