import { equalBytes, toHex } from '../../worker/engine/primitives/bytes.ts';
import type { ChannelMonitor } from '../../worker/engine/monitor/channel-monitor.ts';
import type { ChannelHtlc } from '../../worker/engine/transactions/channel-htlc.ts';
import type { ChannelParameters } from '../../worker/engine/transactions/channel-parameters.ts';
import { toRemoteOutputScript } from '../../worker/engine/transactions/channel-scripts.ts';
import { htlcTransactionFeeSat, isTrimmed, openerCostSat } from '../../worker/engine/transactions/commitment-fees.ts';
import type { CommitmentSpec } from '../../worker/engine/transactions/commitment-spec.ts';
import { decodeTransaction } from '../../worker/engine/transactions/transaction.ts';

/** A commitment that may be, or is, in the chain. */
export interface LiveCommitment {
  readonly owner: 'holder' | 'counterparty';
  readonly spec: CommitmentSpec;
}

/** What a commitment leaves to us, in satoshi before the fees of the transactions that fetch it. */
export interface Claim {
  /** Of the main output; 0 where there is none. */
  readonly balanceSat: bigint;
  /** Of inbound HTLCs whose preimage is known, and of outbound ones, which come back when they expire. */
  readonly htlcsSat: bigint;
}

/**
 * The least that a monitor can get out of the chain with what it has: over each commitment that either side can still
 * broadcast, or of the transaction that has spent the funding already.
 */
export function claimableSat(monitor: ChannelMonitor): bigint {
  const known = liveCommitments(monitor);
  if (known.length === 0) return paidSat(monitor);
  const claims = known.map((commitment) => claimOf(monitor, commitment));
  return claims.map(({ balanceSat, htlcsSat }) => balanceSat + htlcsSat).reduce((a, b) => (a < b ? a : b));
}

/** Our commitment and the counterparty's one or two; of those only the one that is confirmed, none where it is another. */
export function liveCommitments(monitor: ChannelMonitor): readonly LiveCommitment[] {
  const ours = { owner: 'holder', spec: monitor.holderCommitment.spec } as const;
  const theirs = monitor.counterpartyCommitments.map(({ number, spec }) => ({
    owner: 'counterparty' as const,
    number,
    spec,
  }));
  const spend = monitor.confirmedSpend?.spend;
  switch (spend?.kind) {
    case undefined:
      return [ours, ...theirs];
    case 'holderCommitment':
      return [ours];
    case 'counterpartyCommitment':
      return theirs.filter(({ number }) => number === spend.number);
    case 'revokedCommitment':
    case 'unknownCommitment':
    case 'cooperative':
      return [];
    default:
      return spend satisfies never;
  }
}

/** What is ours in one commitment. */
export function claimOf({ params, preimages }: ClaimInput, { owner, spec }: LiveCommitment): Claim {
  const isOwnersOffer = (htlc: ChannelHtlc): boolean => (htlc.direction === 'outbound') === (owner === 'holder');
  const dustLimitSat = params[owner].dustLimitSat;
  const untrimmed = spec.htlcs.filter(
    (htlc) =>
      !isTrimmed(
        { offered: isOwnersOffer(htlc), amountMsat: htlc.amountMsat },
        params.format,
        spec.feeratePerKw,
        dustLimitSat,
      ),
  );
  const costSat = params.isOpener ? openerCostSat(params.format, spec.feeratePerKw, untrimmed.length) : 0n;
  const balanceSat = spec.toHolderMsat / 1000n - costSat;
  const htlcsSat = untrimmed
    .filter((htlc) => htlc.direction === 'outbound' || preimages.has(toHex(htlc.paymentHash)))
    .map((htlc) => htlc.amountMsat / 1000n - htlcFeeSat(params, owner, spec, isOwnersOffer(htlc)))
    .reduce((sum, each) => sum + each, 0n);
  return { balanceSat: balanceSat > 0n && balanceSat >= dustLimitSat ? balanceSat : 0n, htlcsSat };
}

type ClaimInput = Pick<ChannelMonitor, 'params' | 'preimages'>;

/** Out of our own commitment an HTLC comes by a transaction whose fee was agreed on with it. */
const htlcFeeSat = (
  { format }: ChannelParameters,
  owner: LiveCommitment['owner'],
  { feeratePerKw }: CommitmentSpec,
  offered: boolean,
): bigint => (owner === 'holder' ? htlcTransactionFeeSat(format, feeratePerKw, offered) : 0n);

/** What a transaction other than a live commitment pays to where the monitor wanted to be paid. */
function paidSat({ confirmedSpend, params, shutdownScript }: ChannelMonitor): bigint {
  if (confirmedSpend === undefined) return 0n;
  const script =
    confirmedSpend.spend.kind === 'cooperative'
      ? shutdownScript
      : toRemoteOutputScript(params.format, params.holder.paymentBasepoint);
  return decodeTransaction(confirmedSpend.transaction)
    .outputs.filter((output) => equalBytes(output.script, script))
    .reduce((sum, { amountSat }) => sum + amountSat, 0n);
}
