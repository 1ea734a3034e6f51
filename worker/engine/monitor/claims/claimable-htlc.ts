import { CLTV_CLAIM_BUFFER, CONFIRMED_CLAIM_BUFFER } from '../../primitives/lock-times.ts';
import { htlcTransactionWeight, isTrimmed } from '../../transactions/commitment-fees.ts';
import { findHtlc, type CommitmentSpec } from '../../transactions/commitment-spec.ts';
import { CHANGE_WEIGHT, feeForWeight, INPUT_WEIGHT } from '../../wallet/coin-selection.ts';
import type { ChannelMonitor } from '../channel-monitor.ts';
import type { ClaimConditions } from './claim-package.ts';
import type { CoinSelectionSource } from './claim-transaction.ts';
import type { ClaimKeys } from './claim-keys.ts';
import { confirmedClose } from './close.ts';
import { spendOf } from './confirmed-spends.ts';

/** HTLC-success takes a coin and gives change. */
const SUCCESS_WEIGHT = htlcTransactionWeight('anchors', false) + INPUT_WEIGHT.receive + CHANGE_WEIGHT;

/**
 * Whether the chain alone would give us an HTLC of the counterparty, had we its preimage: it has an output in whatever
 * commitment can be confirmed, or is, time enough is left, and coins for what has to be paid for.
 */
export function isClaimableOnChain(
  keys: ClaimKeys,
  coins: Pick<CoinSelectionSource, 'valueSat'>,
  monitor: ChannelMonitor,
  htlcId: bigint,
  { height, feeratePerKw }: ClaimConditions,
): boolean {
  const hasCoins = (): boolean =>
    monitor.params.format !== 'anchors' || coins.valueSat(feeratePerKw) >= feeForWeight(SUCCESS_WEIGHT, feeratePerKw);
  const { confirmedSpend, holderCommitment, counterpartyCommitments, closed, outputSpends } = monitor;
  const close = confirmedClose(keys, monitor);
  if (close === undefined || confirmedSpend === undefined) {
    const soonest = height + CLTV_CLAIM_BUFFER;
    return (
      closed !== 'never' &&
      hasOutput(monitor, 'holder', holderCommitment.spec, htlcId, soonest) &&
      counterpartyCommitments.every(({ spec }) => hasOutput(monitor, 'counterparty', spec, htlcId, soonest)) &&
      hasCoins()
    );
  }
  if (close.kind !== 'holder' && close.kind !== 'counterparty') return false;
  // The counterparty takes the HTLCs of what a newer commitment revoked.
  const isRevoked = close.kind === 'holder' && close.version.number < holderCommitment.number;
  if (isRevoked || (close.kind === 'holder' && !hasCoins())) return false;
  const found = close.commitment.htlcs.find(({ htlc }) => htlc.direction === 'inbound' && htlc.id === htlcId);
  if (found === undefined || found.htlc.cltvExpiry <= height + CONFIRMED_CLAIM_BUFFER) return false;
  return spendOf(outputSpends, { txid: confirmedSpend.txid, vout: found.outputIndex }) === undefined;
}

/** Whether an HTLC has an output in a commitment, and expires after a height. */
function hasOutput(
  { params }: ChannelMonitor,
  owner: 'holder' | 'counterparty',
  spec: CommitmentSpec,
  htlcId: bigint,
  height: number,
): boolean {
  const htlc = findHtlc(spec, 'inbound', htlcId);
  if (htlc === undefined || htlc.cltvExpiry <= height) return false;
  const inCommitment = { offered: owner === 'counterparty', amountMsat: htlc.amountMsat };
  return !isTrimmed(inCommitment, params.format, spec.feeratePerKw, params[owner].dustLimitSat);
}
