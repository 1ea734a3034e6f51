import { toHex } from '../../primitives/bytes.ts';
import { CONFIRMED_CLAIM_BUFFER } from '../../primitives/lock-times.ts';
import type { ChannelHtlc } from '../../transactions/channel-htlc.ts';
import { isTrimmed } from '../../transactions/commitment-fees.ts';
import type { ChannelMonitor } from '../channel-monitor.ts';

/** What depends on our commitment being in the chain in time. */
export interface CommitmentStake {
  /**
   * The most that it can bring us: our balance, HTLCs that may come back, and those to us whose preimage we have. Others to us are
   * not counted: a peer could fill a commitment with them, to have us pay for its size.
   */
  readonly mostSat: bigint;
  /** What of it the counterparty takes back where we are late. */
  readonly urgentSat: bigint;
  /** The block that must have it, so that the HTLCs can still be taken out of it; `undefined` where nothing is urgent. */
  readonly deadline: number | undefined;
}

/** An HTLC that came to us and whose preimage we know is ours until it expires: half of what is left then is for taking it. */
export function commitmentStake({ params, holderCommitment, preimages }: ChannelMonitor): CommitmentStake {
  const { spec } = holderCommitment;
  const { format, holder } = params;
  const isKnown = ({ paymentHash }: ChannelHtlc): boolean => preimages.has(toHex(paymentHash));
  const ours = spec.htlcs.filter((htlc) => isKnown(htlc) === (htlc.direction === 'inbound'));
  const urgent = ours.filter(
    ({ direction, amountMsat }) =>
      direction === 'inbound' &&
      !isTrimmed({ offered: false, amountMsat }, format, spec.feeratePerKw, holder.dustLimitSat),
  );
  const sum = (htlcs: readonly ChannelHtlc[]): bigint =>
    htlcs.reduce((total, { amountMsat }) => total + amountMsat, 0n);
  return {
    mostSat: (spec.toHolderMsat + sum(ours)) / 1000n,
    urgentSat: sum(urgent) / 1000n,
    deadline:
      urgent.length === 0
        ? undefined
        : Math.min(...urgent.map(({ cltvExpiry }) => cltvExpiry + 1 - CONFIRMED_CLAIM_BUFFER)),
  };
}
