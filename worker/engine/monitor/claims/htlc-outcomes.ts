import { toHex } from '../../primitives/bytes.ts';
import type { ChannelHtlc } from '../../transactions/channel-htlc.ts';
import { knownSpecs, type ChannelMonitor } from '../channel-monitor.ts';
import type { HtlcEvent } from '../htlc-resolution.ts';
import { ANTI_REORG_DELAY } from './claim-package.ts';
import { revokedHtlcOutputs } from './claims.ts';
import type { ClaimKeys } from './claim-keys.ts';
import { confirmedClose, type Close } from './close.ts';
import { spendOf } from './confirmed-spends.ts';

/** An HTLC with what became of it. */
type HtlcOutcome = Omit<HtlcEvent, 'id'>;

/**
 * The HTLCs that we offered and that the chain has newly decided about (BOLT 5, HTLC Output Handling). A preimage counts as soon as
 * it is known, out of whichever commitment. Failed is what timed out, was trimmed or is absent, six blocks deep: until then a
 * reorganisation could put a commitment in its place in which the counterparty has the preimage for it.
 */
export function htlcOutcomes(keys: ClaimKeys, monitor: ChannelMonitor, height: number): readonly HtlcOutcome[] {
  const undecided = offeredHtlcs(monitor).filter(({ id }) => !monitor.decidedHtlcs.has(id));
  const close = undecided.length === 0 ? undefined : confirmedClose(keys, monitor);
  if (close === undefined) return [];
  return undecided.flatMap((htlc): HtlcOutcome[] => {
    const preimage = monitor.preimages.get(toHex(htlc.paymentHash));
    if (preimage !== undefined) return [{ htlc, resolution: { kind: 'fulfilled', preimage } }];
    const failedAt = failedAtHeight(keys, monitor, close, htlc);
    const isDeep = failedAt !== undefined && height - failedAt + 1 >= ANTI_REORG_DELAY;
    return isDeep ? [{ htlc, resolution: { kind: 'timedOut' } }] : [];
  });
}

/**
 * HTLCs that had failed for good, as far as anybody could tell, and are paid all the same: a reorganisation deeper than six blocks
 * put in the place of our claim the counterparty's, which shows a preimage that was not known.
 */
export function paidAfterAll(monitor: ChannelMonitor, learnt: ReadonlyMap<string, Uint8Array>): readonly HtlcOutcome[] {
  return offeredHtlcs(monitor).flatMap((htlc): HtlcOutcome[] => {
    const preimage = learnt.get(toHex(htlc.paymentHash));
    const isFailed = preimage !== undefined && monitor.decidedHtlcs.get(htlc.id) === 'failed';
    return isFailed ? [{ htlc, resolution: { kind: 'fulfilled', preimage } }] : [];
  });
}

/** Each once, out of every commitment that could have been confirmed. */
export function offeredHtlcs(monitor: ChannelMonitor): readonly ChannelHtlc[] {
  const offered = knownSpecs(monitor).flatMap(({ htlcs }) => htlcs.filter(({ direction }) => direction === 'outbound'));
  return [...new Map(offered.map((htlc) => [htlc.id, htlc])).values()];
}

/** The height of the block since which an HTLC whose preimage nobody has shown cannot be claimed any more. */
function failedAtHeight(keys: ClaimKeys, monitor: ChannelMonitor, close: Close, htlc: ChannelHtlc): number | undefined {
  const { confirmedSpend, outputSpends } = monitor;
  if (confirmedSpend === undefined) return undefined;
  const { txid, height } = confirmedSpend;
  // Every output that could be this HTLC's: of equal ones any.
  const vouts = outputsFor(keys, monitor, close, htlc);
  if (vouts === undefined) return undefined;
  const spentAt = vouts.map((vout) => spendOf(outputSpends, { txid, vout })?.height);
  return spentAt.reduce<number | undefined>(
    (latest, at) => (latest === undefined || at === undefined ? undefined : Math.max(latest, at)),
    height,
  );
}

/** `undefined` where nobody can say: what a commitment says that we never signed, we do not know. */
function outputsFor(
  keys: ClaimKeys,
  monitor: ChannelMonitor,
  close: Close,
  htlc: ChannelHtlc,
): readonly number[] | undefined {
  switch (close.kind) {
    case 'holder':
    case 'counterparty':
      return close.commitment.htlcs
        .filter((each) => each.htlc.direction === 'outbound' && each.htlc.id === htlc.id)
        .map(({ outputIndex }) => outputIndex);
    case 'revoked':
      return monitor.revoked === undefined ? undefined : revokedHtlcOutputs(keys, monitor, close, htlc);
    case 'unknown':
      return undefined;
    case 'cooperative':
      return [];
    default:
      return close satisfies never;
  }
}
