import { findHtlc, type CommitmentSpec } from '../transactions/commitment-spec.ts';
import { isTrimmed } from '../transactions/commitment-fees.ts';
import type { ChannelMonitor } from './channel-monitor.ts';

/**
 * Whether the chain gives us an inbound HTLC for its preimage: it has an output in every commitment that can still be
 * confirmed, or in the one that is.
 */
export function isClaimableOnChain(monitor: ChannelMonitor, htlcId: bigint): boolean {
  const { holderCommitment, counterpartyCommitments, confirmedSpend } = monitor;
  const inHolder = (): boolean => hasOutput(monitor, 'holder', holderCommitment.spec, htlcId);
  const spend = confirmedSpend?.spend;
  switch (spend?.kind) {
    case undefined:
      return (
        inHolder() && counterpartyCommitments.every(({ spec }) => hasOutput(monitor, 'counterparty', spec, htlcId))
      );
    case 'holderCommitment':
      return inHolder();
    case 'counterpartyCommitment':
      return counterpartyCommitments.some(
        ({ number, spec }) => number === spend?.number && hasOutput(monitor, 'counterparty', spec, htlcId),
      );
    case 'revokedCommitment':
    case 'unknownCommitment':
    case 'cooperative':
      return false;
    default:
      return spend satisfies never;
  }
}

function hasOutput(
  { params }: ChannelMonitor,
  owner: 'holder' | 'counterparty',
  spec: CommitmentSpec,
  htlcId: bigint,
): boolean {
  const htlc = findHtlc(spec, 'inbound', htlcId);
  if (htlc === undefined) return false;
  const offered = owner === 'counterparty';
  const { amountMsat } = htlc;
  return !isTrimmed({ offered, amountMsat }, params.format, spec.feeratePerKw, params[owner].dustLimitSat);
}
