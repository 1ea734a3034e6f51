import type { ChannelHtlc } from '../transactions/channel-htlc.ts';
import type { CommitmentSpec, Removal } from '../transactions/commitment-spec.ts';

/** What became of an HTLC that we offered. */
export type HtlcResolution =
  /** Its preimage is known, 32 bytes: from the counterparty, out of the chain or out of a mempool. */
  | { readonly kind: 'fulfilled'; readonly preimage: Uint8Array }
  /** The counterparty has removed it from both commitments for good, and says why. */
  | { readonly kind: 'failed'; readonly removal: Exclude<Removal, { kind: 'fulfill' }> }
  /** The chain has given it back, six blocks deep. */
  | { readonly kind: 'timedOut' };

/** What became of an HTLC, with the number by which that is acknowledged; numbers count up in each monitor. */
export interface HtlcEvent {
  readonly id: number;
  readonly htlc: ChannelHtlc;
  readonly resolution: HtlcResolution;
}

/** What a monitor has told of HTLCs, and has yet to tell. */
export interface HtlcEvents {
  /** Those that nobody has acknowledged, oldest first. */
  readonly events: readonly HtlcEvent[];
  readonly nextEventId: number;
  /** Our HTLCs in a live commitment that there is, or was, an event for, by id. */
  readonly decidedHtlcs: ReadonlyMap<bigint, 'fulfilled' | 'failed'>;
}

/**
 * With what became of an HTLC, unless it is known already: the counterparty says it again after a reconnection, and the chain shows
 * what it has said. Failed, it can be fulfilled all the same: a reorganisation deeper than six blocks may bring the preimage.
 */
export function withResolution(known: HtlcEvents, resolved: Omit<HtlcEvent, 'id'>): HtlcEvents {
  const { htlc, resolution } = resolved;
  const outcome = resolution.kind === 'fulfilled' ? 'fulfilled' : 'failed';
  const before = known.decidedHtlcs.get(htlc.id);
  if (before === 'fulfilled' || before === outcome) return known;
  return {
    events: [...known.events, { id: known.nextEventId, ...resolved }],
    nextEventId: known.nextEventId + 1,
    decidedHtlcs: new Map(known.decidedHtlcs).set(htlc.id, outcome),
  };
}

/** Without what was decided about HTLCs that are in none of these commitments: a monitor does not grow with its channel's age. */
export function liveDecisions(
  decided: HtlcEvents['decidedHtlcs'],
  specs: readonly CommitmentSpec[],
): HtlcEvents['decidedHtlcs'] {
  if (decided.size === 0) return decided;
  const live = new Set(
    specs.flatMap(({ htlcs }) => htlcs.flatMap(({ direction, id }) => (direction === 'outbound' ? [id] : []))),
  );
  const kept = [...decided].filter(([id]) => live.has(id));
  return kept.length === decided.size ? decided : new Map(kept);
}
