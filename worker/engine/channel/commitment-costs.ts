import { GlowwormError } from '../primitives/errors.ts';
import type { FeeratePerKw } from '../primitives/units.ts';
import type { ChannelHtlc } from '../transactions/channel-htlc.ts';
import type { ChannelParameters } from '../transactions/channel-parameters.ts';
import { isTrimmed, openerCostSat } from '../transactions/commitment-fees.ts';
import type { CommitmentSpec } from '../transactions/commitment-spec.ts';
import { nextCounterpartySpec, pendingHolderSpec, withHeldProposed, type Commitments } from './commitments.ts';

/** One of the two sides of a channel: whose commitment, or whose balance. */
export type Owner = 'holder' | 'counterparty';

/** Both commitments as they will be: each proposal is checked against the two. */
export type Specs = Readonly<Record<Owner, CommitmentSpec>>;

/** Each proposal has to fit into the commitments of both. */
export const OWNERS: readonly Owner[] = ['counterparty', 'holder'];

/**
 * BOLT 2, Adding an HTLC: the opener keeps a "fee spike buffer", enough for one HTLC more at a multiple of the feerate.
 * Without it an HTLC from the other side could make the fee unpayable and the channel stuck. BOLT 2 names twice the feerate,
 * which Core Lightning and eclair keep whatever the format, and LDK with anchors once: what we send satisfies both, and what
 * we call receivable the more careful of them send.
 */
const FEE_SPIKE_MULTIPLE = 2;

/** Value of the HTLCs that have no output in one side's commitment. */
export function dustExposureMsat(params: ChannelParameters, owner: Owner, spec: CommitmentSpec): bigint {
  return sum(spec.htlcs.filter((htlc) => trimmed(params, owner, spec.feeratePerKw, htlc)));
}

/** `undefined` where the updates on their way ask together for more than a side has. */
export function pendingSpecs(commitments: Commitments): Specs | undefined {
  const pending = withHeldProposed(commitments);
  return unlessNegative(() => ({ counterparty: nextCounterpartySpec(pending), holder: pendingHolderSpec(pending) }));
}

/** Balances below zero are refused by the constructor of amounts. */
export function unlessNegative<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof GlowwormError && error.code === 'AmountOutOfRange') return undefined;
    throw error;
  }
}

/** The other side. */
export const other = (owner: Owner): Owner => (owner === 'holder' ? 'counterparty' : 'holder');

/** The side that pays the fee (BOLT 2, Updating Fees). */
export const openerOf = ({ isOpener }: ChannelParameters): Owner => (isOpener ? 'holder' : 'counterparty');

/** What a side has above the reserve that the other one asks of it. */
export function keptMsat(params: ChannelParameters, side: Owner, spec: CommitmentSpec): bigint {
  const balance = side === 'holder' ? spec.toHolderMsat : spec.toCounterpartyMsat;
  return balance - params[other(side)].channelReserveSat * 1000n;
}

/** What one side's commitment costs its opener with so many HTLCs more. */
export const costMsat = (params: ChannelParameters, owner: Owner, spec: CommitmentSpec, more = 0): bigint =>
  commitmentCostMsat(params, owner, spec, spec.feeratePerKw, more);

/** As `costMsat`, with the fee spike buffer. */
export const spikeCostMsat = (params: ChannelParameters, owner: Owner, spec: CommitmentSpec, more = 0): bigint =>
  commitmentCostMsat(params, owner, spec, spec.feeratePerKw * FEE_SPIKE_MULTIPLE, more + 1);

function commitmentCostMsat(
  params: ChannelParameters,
  owner: Owner,
  spec: CommitmentSpec,
  feeratePerKw: number,
  more: number,
): bigint {
  // Counted at the feerate as it is: at the multiple more are trimmed, and the sum could be below what is due now.
  const untrimmed = spec.htlcs.filter((htlc) => !trimmed(params, owner, spec.feeratePerKw, htlc)).length;
  return openerCostSat(params.format, feeratePerKw, untrimmed + more) * 1000n;
}

function trimmed(params: ChannelParameters, owner: Owner, feeratePerKw: FeeratePerKw, htlc: ChannelHtlc): boolean {
  const offered = (htlc.direction === 'outbound') === (owner === 'holder');
  return isTrimmed({ offered, amountMsat: htlc.amountMsat }, params.format, feeratePerKw, params[owner].dustLimitSat);
}

/** In msat. */
export const sum = (htlcs: readonly ChannelHtlc[]): bigint =>
  htlcs.reduce((total, { amountMsat }) => total + amountMsat, 0n);
