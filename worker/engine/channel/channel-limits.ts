import { GlowwormError } from '../primitives/errors.ts';
import { msat, type FeeratePerKw, type Msat } from '../primitives/units.ts';
import type { ChannelHtlc } from '../transactions/channel-htlc.ts';
import type { ChannelParameters } from '../transactions/channel-parameters.ts';
import { isTrimmed, openerCostSat } from '../transactions/commitment-fees.ts';
import { applyChanges, type CommitmentSpec } from '../transactions/commitment-spec.ts';
import type { ChannelConfig } from './channel-config.ts';
import { nextCounterpartySpec, nextHolderSpec, pendingHolderSpec, type Commitments } from './commitments.ts';

type Owner = 'holder' | 'counterparty';

/** Why an HTLC cannot be offered now; each is a sentence for a log, the code is for programs. */
export interface LimitReached {
  readonly code:
    | 'AmountTooSmall'
    | 'TooManyHtlcs'
    | 'InFlightLimit'
    | 'InsufficientChannelBalance'
    | 'FeeUnaffordable'
    | 'DustExposure';
  readonly message: string;
}

const limit = (code: LimitReached['code'], message: string): LimitReached => ({ code, message });

/**
 * Checks an HTLC that we want to offer; `commitments` already contain it as proposed (BOLT 2, Adding an HTLC, the
 * sender's requirements). `undefined` means that it may go.
 */
export function checkOfferedHtlc(
  params: ChannelParameters,
  config: ChannelConfig,
  commitments: Commitments,
  amountMsat: bigint,
): LimitReached | undefined {
  try {
    return offeredHtlcLimit(params, config, commitments, amountMsat);
  } catch (error) {
    // A balance below zero in one of the two commitments is refused by the constructor of amounts.
    if (!(error instanceof GlowwormError) || error.code !== 'AmountOutOfRange') throw error;
    return limit('InsufficientChannelBalance', 'the balance is below the amount');
  }
}

/** Checks the counterparty's add, already proposed in `commitments`; a sentence where it broke BOLT 2. */
export function checkReceivedHtlc(
  params: ChannelParameters,
  commitments: Commitments,
  htlc: ChannelHtlc,
): string | undefined {
  const spec = nextHolderSpec(commitments);
  const terms = params.holder;
  const received = spec.htlcs.filter(({ direction }) => direction === 'inbound');
  if (htlc.amountMsat === 0n || htlc.amountMsat < terms.htlcMinimumMsat) return 'HTLC below htlc_minimum_msat';
  if (received.length > terms.maxAcceptedHtlcs) return 'more HTLCs than max_accepted_htlcs';
  if (sum(received) > terms.maxHtlcValueInFlightMsat) return 'HTLCs above max_htlc_value_in_flight_msat';
  if (htlc.cltvExpiry >= 500_000_000) return 'cltv_expiry is a time, not a height';
  return checkBalances(params, commitments);
}

/** Whether a feerate that the opener proposes can be paid by it; `commitments` already contain it. */
export const checkReceivedFee = (params: ChannelParameters, commitments: Commitments): string | undefined =>
  checkBalances(params, commitments);

/** Whether we can pay for both commitments at a feerate that `commitments` already propose. */
export function canAffordFee(params: ChannelParameters, commitments: Commitments): boolean {
  const specs = [
    ['counterparty', nextCounterpartySpec(commitments)],
    ['holder', pendingHolderSpec(commitments)],
  ] as const;
  return specs.every(
    ([owner, spec]) =>
      spec.toHolderMsat >= params.counterparty.channelReserveSat * 1000n + commitmentCostMsat(params, owner, spec, 1),
  );
}

/** Value of the HTLCs that have no output in one side's commitment. */
export function dustExposureMsat(params: ChannelParameters, owner: Owner, spec: CommitmentSpec): bigint {
  return sum(spec.htlcs.filter((htlc) => trimmed(params, owner, spec.feeratePerKw, htlc)));
}

/** The most that one more outbound HTLC could carry now: 0 where none could. Never more than `checkOfferedHtlc` lets. */
export function availableToSendMsat(params: ChannelParameters, commitments: Commitments): Msat {
  const specs = [
    ['counterparty', nextCounterpartySpec(commitments)],
    ['holder', pendingHolderSpec(commitments)],
  ] as const;
  const reserve = params.counterparty.channelReserveSat * 1000n;
  const amounts = specs.map(([owner, spec]) => {
    const oneMore = withOneMore(spec);
    const cost = commitmentCostMsat(params, owner, oneMore, params.isOpener ? 2 : 1);
    if (!params.isOpener && spec.toCounterpartyMsat < cost) return 0n;
    return spec.toHolderMsat - reserve - (params.isOpener ? cost : 0n);
  });
  const offered = specs[0][1].htlcs.filter((htlc) => htlc.direction === 'outbound');
  if (offered.length >= Math.min(params.counterparty.maxAcceptedHtlcs, 483)) return msat(0n);
  amounts.push(params.counterparty.maxHtlcValueInFlightMsat - sum(offered));
  const least = amounts.reduce((a, b) => (a < b ? a : b));
  return msat(least > 0n && least >= params.counterparty.htlcMinimumMsat ? least : 0n);
}

/** The most that one inbound HTLC could carry now. */
export function availableToReceiveMsat(params: ChannelParameters, commitments: Commitments): Msat {
  const spec = pendingHolderSpec(commitments);
  const cost = params.isOpener ? 0n : commitmentCostMsat(params, 'holder', withOneMore(spec), 2);
  const inFlight = sum(spec.htlcs.filter((htlc) => htlc.direction === 'inbound'));
  const balance = spec.toCounterpartyMsat - params.holder.channelReserveSat * 1000n - cost;
  const room = params.holder.maxHtlcValueInFlightMsat - inFlight;
  const least = balance < room ? balance : room;
  return msat(least > 0n ? least : 0n);
}

function offeredHtlcLimit(
  params: ChannelParameters,
  config: ChannelConfig,
  commitments: Commitments,
  amountMsat: bigint,
): LimitReached | undefined {
  const theirs = nextCounterpartySpec(commitments);
  const ours = pendingHolderSpec(commitments);
  const terms = params.counterparty;
  if (amountMsat === 0n || amountMsat < terms.htlcMinimumMsat)
    return limit('AmountTooSmall', `the peer takes no HTLC below ${terms.htlcMinimumMsat} msat`);
  const offered = theirs.htlcs.filter((htlc) => htlc.direction === 'outbound');
  if (offered.length > Math.min(terms.maxAcceptedHtlcs, 483))
    return limit('TooManyHtlcs', `the peer takes ${terms.maxAcceptedHtlcs} HTLCs at once`);
  if (sum(offered) > terms.maxHtlcValueInFlightMsat)
    return limit('InFlightLimit', `the peer takes ${terms.maxHtlcValueInFlightMsat} msat at once`);
  for (const [owner, spec] of [
    ['counterparty', theirs],
    ['holder', ours],
  ] as const) {
    // The opener keeps room for twice the feerate: without it an HTLC from the other side could make the fee
    // unpayable and the channel stuck.
    const costMsat = commitmentCostMsat(params, owner, spec, params.isOpener ? 2 : 1);
    if (params.isOpener) {
      if (spec.toHolderMsat < params.counterparty.channelReserveSat * 1000n + costMsat)
        return limit('InsufficientChannelBalance', 'the balance less reserve and fee is below the amount');
    } else {
      if (spec.toHolderMsat < params.counterparty.channelReserveSat * 1000n)
        return limit('InsufficientChannelBalance', 'the balance less reserve is below the amount');
      if (spec.toCounterpartyMsat < costMsat)
        return limit('FeeUnaffordable', 'the peer could not pay the commitment fee with one HTLC more');
    }
    if (dustExposureMsat(params, owner, spec) > config.maxDustExposureMsat)
      return limit('DustExposure', 'too much would be lost to fees if the channel closed now');
  }
  return undefined;
}

/** Whether the sender of an update keeps its reserve and, as the opener, can pay the fee. */
function checkBalances(params: ChannelParameters, commitments: Commitments): string | undefined {
  const { holderCommit, holderChanges, counterpartyChanges } = commitments;
  // Without our HTLCs that are not in our own commitment yet: the sender did not know them when it offered what it repeats
  // after a reconnection, and refusing that again and again would end the channel. Its reserve pays for them.
  const known = holderChanges.acked.filter(({ kind }) => kind !== 'add');
  const spec = applyChanges(holderCommit.spec, known, counterpartyChanges.proposed);
  const reserveMsat = params.holder.channelReserveSat * 1000n;
  // What we pay ends with our balance. To refuse would not help: a fundee repeats after a reconnection what it proposed
  // before it knew of our `update_fee`.
  if (params.isOpener)
    return spec.toCounterpartyMsat < reserveMsat ? 'the sender would go below its reserve' : undefined;
  const costMsat = commitmentCostMsat(params, 'holder', spec, 1);
  return spec.toCounterpartyMsat < reserveMsat + costMsat ? 'the sender would not keep reserve and fee' : undefined;
}

function commitmentCostMsat(
  params: ChannelParameters,
  owner: Owner,
  spec: CommitmentSpec,
  feerateMultiple: number,
): bigint {
  const feeratePerKw = (spec.feeratePerKw * feerateMultiple) as FeeratePerKw;
  // Counted at the feerate as it is: at the multiple more are trimmed, and the sum could be below what is due now.
  const untrimmed = spec.htlcs.filter((htlc) => !trimmed(params, owner, spec.feeratePerKw, htlc)).length;
  return openerCostSat(params.format, feeratePerKw, untrimmed) * 1000n;
}

function trimmed(params: ChannelParameters, owner: Owner, feeratePerKw: FeeratePerKw, htlc: ChannelHtlc): boolean {
  const offered = (htlc.direction === 'outbound') === (owner === 'holder');
  return isTrimmed({ offered, amountMsat: htlc.amountMsat }, params.format, feeratePerKw, params[owner].dustLimitSat);
}

/** With one HTLC more that surely has an output, to count its share of the fee. */
function withOneMore(spec: CommitmentSpec): CommitmentSpec {
  const htlc: ChannelHtlc = {
    direction: 'outbound',
    id: -1n,
    amountMsat: msat(100_000_000_000n),
    paymentHash: new Uint8Array(32),
    cltvExpiry: 0,
    onion: new Uint8Array(0),
  };
  return { ...spec, htlcs: [...spec.htlcs, htlc] };
}

const sum = (htlcs: readonly ChannelHtlc[]): bigint => htlcs.reduce((total, { amountMsat }) => total + amountMsat, 0n);
