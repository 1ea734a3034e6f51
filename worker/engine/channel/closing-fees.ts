import { clamp, greatest, least } from '../primitives/bigints.ts';
import { INDISPUTABLE_PER_KW, RELAY_PER_KW } from '../primitives/feerates.ts';
import { msatToSatFloor } from '../primitives/units.ts';
import { closingFeeSat } from '../transactions/closing.ts';
import { holderVariant, type ClosingDraft } from '../transactions/closing-outputs.ts';
import type { ChannelEnv } from './channel-env.ts';
import type { ClosingChannel, ClosingFeeRange, ClosingTerms, OpenChannel } from './channel-state.ts';

/** What a cooperative close would cost us. */
export interface ClosingQuote {
  /** What we would propose now; 0 where the counterparty opened the channel and so pays. */
  readonly feeSat: bigint;
  /** The most that it can become while the counterparty asks for more, unless less is accepted. */
  readonly maxFeeSat: bigint;
}

/** Of the estimate: where our first range ends, and how far up it is worth to go rather than to close by force. */
const FIRST_MULTIPLE = 2;
const LAST_MULTIPLE = 3;
/** Of our balance: what a close costs at most that the owner was not asked about, whatever a fee server said. */
const UNASKED_SHARE = 10n;
/** 50 sat/vB: for a small balance a tenth may be less than what is mined, and a close by force costs more. */
const UNASKED_PER_KW: number = 50 * RELAY_PER_KW;
/** The longest that `shutdown` may name, OP_16 and 40 bytes (BOLT 2, Closing Initiation). */
const LONGEST_SCRIPT = new Uint8Array(42);

/**
 * The fees that we sign. A fundee takes what is relayed and what the opener has, for it does not pay. An opener goes to
 * twice its estimate, and further after a range that was too small, never above what its owner accepted or, where nobody was
 * asked, a share of its balance. A fee that was agreed upon is always within, and proposed again. Empty (its maximum below its
 * minimum) where the opener cannot pay what is relayed.
 */
export function closingFeeRange(env: ChannelEnv, channel: ClosingChannel): ClosingFeeRange {
  const { params, shutdown } = channel;
  const { agreedSat, raisedToSat } = shutdown.terms;
  const scripts = outputScripts(channel);
  // No rounding makes it less than what is relayed: the weight is that of the longest signatures.
  const minimumSat = closingFeeSat(scripts, RELAY_PER_KW);
  const affordableSat = closingAffordableSat(channel);
  const { feeSat, maxFeeSat } = openerFees(env, scripts, affordableSat, shutdown.terms);
  const mostSat = params.isOpener ? least(affordableSat, greatest(maxFeeSat, minimumSat)) : affordableSat;
  if (mostSat < minimumSat) return { minimumSat, idealSat: minimumSat, maximumSat: mostSat };
  const idealSat = agreedSat ?? clamp(feeSat, minimumSat, mostSat);
  const firstSat = closingFeeSat(scripts, Math.max(env.feerates.outputSpending * FIRST_MULTIPLE, INDISPUTABLE_PER_KW));
  const raisedSat = clamp(greatest(firstSat, raisedToSat), minimumSat, mostSat);
  return {
    minimumSat: least(minimumSat, idealSat),
    idealSat,
    maximumSat: greatest(params.isOpener ? raisedSat : mostSat, idealSat),
  };
}

/**
 * The fees that we still sign while an offer is out: those of its range, and not what its owner has ceased to accept since.
 * The fee of the offer itself stays, for the counterparty has our signature for it.
 */
export function signableFeeRange(env: ChannelEnv, channel: ClosingChannel): ClosingFeeRange {
  const { acceptedSat, negotiation } = channel.shutdown.terms;
  const { sent } = negotiation;
  if (sent === undefined) return closingFeeRange(env, channel);
  const mostSat = acceptedSat === undefined ? sent.range.maximumSat : greatest(acceptedSat, sent.feeSat);
  return { ...sent.range, maximumSat: least(sent.range.maximumSat, mostSat) };
}

/** What a close would cost us now; the counterparty's script is taken for the longest while it is not known. */
export function quoteClosing(env: ChannelEnv, channel: OpenChannel, holderScript: Uint8Array): ClosingQuote {
  const { params, shutdown } = channel;
  if (!params.isOpener) return { feeSat: 0n, maxFeeSat: 0n };
  const pinned = params.counterparty.upfrontShutdownScript;
  const promised = pinned.length > 0 ? pinned : LONGEST_SCRIPT;
  const scripts = [holderScript, shutdown.kind === 'both' ? shutdown.counterpartyScript : promised];
  const affordableSat = closingAffordableSat(channel);
  const { feeSat, maxFeeSat } = openerFees(env, scripts, affordableSat, shutdown.kind === 'none' ? {} : shutdown.terms);
  return { feeSat: least(feeSat, affordableSat), maxFeeSat: least(maxFeeSat, affordableSat) };
}

/**
 * The terms after the counterparty refused our range: it asks for `wantedSat` at least, or did not say for what. `undefined`
 * where our range ends at what we accept at most, or where we do not pay.
 */
export function raisedTerms(env: ChannelEnv, channel: ClosingChannel, wantedSat?: bigint): ClosingTerms | undefined {
  if (!channel.params.isOpener) return undefined;
  const { shutdown } = channel;
  const { terms } = shutdown;
  const before = terms.negotiation.sent?.range.maximumSat ?? closingFeeRange(env, channel).maximumSat;
  const asked: ClosingTerms = { ...terms, raisedToSat: wantedSat ?? before * 2n };
  const { maximumSat } = closingFeeRange(env, { ...channel, shutdown: { ...shutdown, terms: asked } });
  return maximumSat > before ? { ...terms, raisedToSat: maximumSat } : undefined;
}

/** What the opener has: whatever becomes of its outputs, no fee can be more. */
export const closingAffordableSat = ({ params, commitments }: OpenChannel): bigint => {
  const { toHolderMsat, toCounterpartyMsat } = commitments.holderCommit.spec;
  return msatToSatFloor(params.isOpener ? toHolderMsat : toCounterpartyMsat);
};

/** The closing transaction at a fee, to the scripts that both sides named. */
export function closingDraft({ params, commitments, shutdown }: ClosingChannel, feeSat: bigint): ClosingDraft {
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
    holderScript: shutdown.holderScript,
    counterpartyScript: shutdown.counterpartyScript,
    feeSat,
  };
}

/** What the opener proposes, and the most that it pays: what its owner accepted, or else a bounded part of its balance. */
function openerFees(
  { config, feerates }: ChannelEnv,
  scripts: readonly Uint8Array[],
  affordableSat: bigint,
  { acceptedSat }: Pick<ClosingTerms, 'acceptedSat'>,
): ClosingQuote {
  const lastSat = closingFeeSat(scripts, feerates.outputSpending * LAST_MULTIPLE) + config.forceCloseAvoidanceMaxFeeSat;
  const unaskedSat = greatest(affordableSat / UNASKED_SHARE, closingFeeSat(scripts, UNASKED_PER_KW));
  const maxFeeSat = acceptedSat ?? least(lastSat, unaskedSat);
  return { feeSat: least(closingFeeSat(scripts, feerates.outputSpending), maxFeeSat), maxFeeSat };
}

/** Of the outputs that a closing transaction has before its fee: one without the dust of a side costs less. */
function outputScripts(channel: ClosingChannel): readonly Uint8Array[] {
  const draft = closingDraft(channel, 0n);
  const outputs = holderVariant(draft, channel.params.holder.dustLimitSat);
  if (outputs === 'both') return [draft.holderScript, draft.counterpartyScript];
  return [outputs === 'counterparty' ? draft.counterpartyScript : draft.holderScript];
}
