import { least } from '../primitives/bigints.ts';
import { MAX_CLTV_EXPIRY_DELTA } from '../primitives/lock-times.ts';
import { msat, type FeeratePerKw, type Msat } from '../primitives/units.ts';
import type { ChannelHtlc } from '../transactions/channel-htlc.ts';
import type { ChannelParameters } from '../transactions/channel-parameters.ts';
import { applyChanges, type CommitmentSpec } from '../transactions/commitment-spec.ts';
import { MAX_HTLCS, type ChannelConfig } from './channel-config.ts';
import type { ChannelEnv } from './channel-env.ts';
import {
  costMsat,
  dustExposureMsat,
  keptMsat,
  openerOf,
  other,
  OWNERS,
  pendingSpecs,
  spikeCostMsat,
  sum,
  unlessNegative,
  type Owner,
  type Specs,
} from './commitment-costs.ts';
import { nextHolderSpec, type Commitments } from './commitments.ts';

/** Why an HTLC cannot be offered now; each is a sentence for a log, the code is for programs. */
export interface LimitReached {
  readonly code:
    | 'AmountTooSmall'
    | 'TooManyHtlcs'
    | 'InFlightLimit'
    | 'InsufficientChannelBalance'
    | 'FeeUnaffordable'
    | 'DustExposure'
    | 'ExpiryTooSoon'
    | 'ExpiryTooFar';
  readonly message: string;
}

const limit = (code: LimitReached['code'], message: string): LimitReached => ({ code, message });

/**
 * Checks an HTLC that we want to offer; `commitments` already contain it as proposed (BOLT 2, Adding an HTLC, the
 * sender's requirements). `undefined` means that it may go.
 */
export function checkOfferedHtlc(
  { config, blockHeight }: Pick<ChannelEnv, 'config' | 'blockHeight'>,
  params: ChannelParameters,
  commitments: Commitments,
  htlc: Pick<ChannelHtlc, 'amountMsat' | 'cltvExpiry'>,
): LimitReached | undefined {
  const specs = pendingSpecs(commitments);
  if (specs === undefined) return limit('InsufficientChannelBalance', 'the balance is below the amount');
  return (
    expiryLimit(htlc.cltvExpiry, blockHeight) ??
    termsLimit(params, specs.counterparty, htlc.amountMsat) ??
    OWNERS.map((owner) => balanceLimit(params, config, owner, specs[owner])).find((reached) => reached !== undefined)
  );
}

/** Checks the counterparty's add, already proposed in `commitments`; a sentence where it broke BOLT 2. */
export function checkReceivedHtlc(
  params: ChannelParameters,
  commitments: Commitments,
  htlc: ChannelHtlc,
): string | undefined {
  const spec = unlessNegative(() => nextHolderSpec(commitments));
  if (spec === undefined) return NOT_THAT_MUCH;
  const terms = params.holder;
  const received = spec.htlcs.filter(({ direction }) => direction === 'inbound');
  if (htlc.amountMsat === 0n || htlc.amountMsat < terms.htlcMinimumMsat) return 'HTLC below htlc_minimum_msat';
  if (received.length > terms.maxAcceptedHtlcs) return 'more HTLCs than max_accepted_htlcs';
  if (sum(received) > terms.maxHtlcValueInFlightMsat) return 'HTLCs above max_htlc_value_in_flight_msat';
  if (htlc.cltvExpiry >= 500_000_000) return 'cltv_expiry is a time, not a height';
  return checkBalances(params, commitments);
}

/** Checks a feerate of the opener, already proposed in `commitments`, that was at `before`; a sentence where it may not be. */
export function checkReceivedFee(
  params: ChannelParameters,
  config: ChannelConfig,
  commitments: Commitments,
  before: FeeratePerKw,
): string | undefined {
  const spec = knownSpec(commitments);
  if (spec === undefined) return NOT_THAT_MUCH;
  if (trimsTooMuch(params, config, { holder: spec, counterparty: spec }, before))
    return 'HTLCs would be lost to fees at this feerate';
  return checkBalances(params, commitments);
}

/** Whether a feerate that `commitments` already propose, in place of `before`, is one that we may propose as the opener. */
export function mayProposeFee(
  params: ChannelParameters,
  config: ChannelConfig,
  commitments: Commitments,
  before: FeeratePerKw,
): boolean {
  const specs = pendingSpecs(commitments);
  if (specs === undefined || trimsTooMuch(params, config, specs, before)) return false;
  return OWNERS.every((owner) => keptMsat(params, 'holder', specs[owner]) >= costMsat(params, owner, specs[owner]));
}

/** The most that one more outbound HTLC could carry now: 0 where none could. Never more than `checkOfferedHtlc` lets. */
export const availableToSendMsat = (params: ChannelParameters, commitments: Commitments): Msat =>
  mostMsat(params, commitments, 'holder');

/** The most that one inbound HTLC could carry now: what a counterparty that keeps the same rules may send. */
export const availableToReceiveMsat = (params: ChannelParameters, commitments: Commitments): Msat =>
  mostMsat(params, commitments, 'counterparty');

function mostMsat(params: ChannelParameters, commitments: Commitments, sender: Owner): Msat {
  const specs = pendingSpecs(commitments);
  const receiver = other(sender);
  const terms = params[receiver];
  if (specs === undefined) return msat(0n);
  const direction = sender === 'holder' ? 'outbound' : 'inbound';
  const inFlight = specs[receiver].htlcs.filter((htlc) => htlc.direction === direction);
  if (inFlight.length >= Math.min(terms.maxAcceptedHtlcs, MAX_HTLCS)) return msat(0n);
  const availableMsat = OWNERS.reduce(
    (most, owner) => least(most, oneMoreMsat(params, owner, specs[owner], sender)),
    terms.maxHtlcValueInFlightMsat - sum(inFlight),
  );
  return msat(availableMsat > 0n && availableMsat >= terms.htlcMinimumMsat ? availableMsat : 0n);
}

/** What one more HTLC of the sender, with an output of its own, can carry in one side's commitment. */
function oneMoreMsat(params: ChannelParameters, owner: Owner, spec: CommitmentSpec, sender: Owner): bigint {
  const balance = keptMsat(params, sender, spec);
  if (sender === openerOf(params)) return balance - spikeCostMsat(params, owner, spec, 1);
  return keptMsat(params, other(sender), spec) < costMsat(params, owner, spec, 1) ? 0n : balance;
}

/** BOLT 2 takes heights below 500,000,000 only: two weeks ahead of a height never get there. */
function expiryLimit(cltvExpiry: number, blockHeight: number): LimitReached | undefined {
  if (cltvExpiry <= blockHeight) return limit('ExpiryTooSoon', `the HTLC would expire at ${cltvExpiry}, which is past`);
  if (cltvExpiry > blockHeight + MAX_CLTV_EXPIRY_DELTA)
    return limit('ExpiryTooFar', `the HTLC would lock the amount for more than ${MAX_CLTV_EXPIRY_DELTA} blocks`);
  return undefined;
}

function termsLimit(params: ChannelParameters, theirs: CommitmentSpec, amountMsat: bigint): LimitReached | undefined {
  const terms = params.counterparty;
  if (amountMsat === 0n || amountMsat < terms.htlcMinimumMsat)
    return limit('AmountTooSmall', `the peer takes no HTLC below ${terms.htlcMinimumMsat} msat`);
  const offered = theirs.htlcs.filter((htlc) => htlc.direction === 'outbound');
  if (offered.length > Math.min(terms.maxAcceptedHtlcs, MAX_HTLCS))
    return limit('TooManyHtlcs', `the peer takes ${terms.maxAcceptedHtlcs} HTLCs at once`);
  if (sum(offered) > terms.maxHtlcValueInFlightMsat)
    return limit('InFlightLimit', `the peer takes ${terms.maxHtlcValueInFlightMsat} msat at once`);
  return undefined;
}

function balanceLimit(
  params: ChannelParameters,
  config: ChannelConfig,
  owner: Owner,
  spec: CommitmentSpec,
): LimitReached | undefined {
  const neededMsat = params.isOpener ? spikeCostMsat(params, owner, spec) : 0n;
  if (keptMsat(params, 'holder', spec) < neededMsat)
    return limit('InsufficientChannelBalance', 'the balance less reserve and fee is below the amount');
  if (!params.isOpener && keptMsat(params, 'counterparty', spec) < costMsat(params, owner, spec))
    return limit('FeeUnaffordable', 'the peer could not pay the commitment fee with one HTLC more');
  if (dustExposureMsat(params, owner, spec) > config.maxDustExposureMsat)
    return limit('DustExposure', 'too much would be lost to fees if the channel closed now');
  return undefined;
}

/** Whether the sender of an update keeps its reserve and, as the opener, can pay the fee. */
function checkBalances(params: ChannelParameters, commitments: Commitments): string | undefined {
  const spec = knownSpec(commitments);
  if (spec === undefined) return NOT_THAT_MUCH;
  const kept = keptMsat(params, 'counterparty', spec);
  // What we pay ends with our balance. To refuse would not help: a fundee repeats after a reconnection what it proposed
  // before it knew of our `update_fee`.
  if (params.isOpener) return kept < 0n ? 'the sender would go below its reserve' : undefined;
  return kept < costMsat(params, 'holder', spec) ? 'the sender would not keep reserve and fee' : undefined;
}

/**
 * Our commitment with the counterparty's updates, without HTLCs of ours that are not in it yet: the sender did not know them
 * when it proposed what it repeats after a reconnection, and refusing that again and again would end the channel.
 */
function knownSpec({ holderCommit, holderChanges, counterpartyChanges }: Commitments): CommitmentSpec | undefined {
  const known = holderChanges.acked.filter(({ kind }) => kind !== 'add');
  return unlessNegative(() => applyChanges(holderCommit.spec, known, counterpartyChanges.proposed));
}

/**
 * Whether a higher feerate takes so many HTLCs their outputs that we could lose more than we are ready to (BOLT 2, Updating
 * Fees). With anchors HTLC transactions bring their own fee, and no feerate does that.
 */
function trimsTooMuch(params: ChannelParameters, config: ChannelConfig, specs: Specs, before: FeeratePerKw): boolean {
  if (params.format === 'anchors') return false;
  return OWNERS.some((owner) => {
    const spec = specs[owner];
    return spec.feeratePerKw > before && dustExposureMsat(params, owner, spec) > config.maxDustExposureMsat;
  });
}

const NOT_THAT_MUCH = 'the sender has not that much';
