import { equalBytes } from '../primitives/bytes.ts';
import { feeratePerKw, msat } from '../primitives/units.ts';
import type { ChannelHtlc } from '../transactions/channel-htlc.ts';
import type { CommitmentSpec } from '../transactions/commitment-spec.ts';
import type { ValueOf } from '../wire/schema.ts';
import { htlcFromRecord, htlcSchema, htlcToRecord, noOnion } from './channel-records.ts';

const htlcNameSchema = { kind: 'struct', fields: { outbound: 'u8', id: 'u64' } } as const;

/**
 * A commitment as what is different from another: its bytes grow with what came and went, not with the HTLCs that both have.
 */
export const specChangeSchema: {
  readonly kind: 'struct';
  readonly fields: {
    readonly feeratePerKw: 'u32';
    readonly toHolderMsat: 'u64';
    readonly toCounterpartyMsat: 'u64';
    readonly gone: { readonly kind: 'counted'; readonly of: typeof htlcNameSchema };
    readonly added: { readonly kind: 'counted'; readonly of: typeof htlcSchema };
  };
} = {
  kind: 'struct',
  fields: {
    feeratePerKw: 'u32',
    toHolderMsat: 'u64',
    toCounterpartyMsat: 'u64',
    gone: { kind: 'counted', of: htlcNameSchema },
    added: { kind: 'counted', of: htlcSchema },
  },
};

type SpecChange = ValueOf<typeof specChangeSchema>;

/** What turns `before` into `after`, the order of its HTLCs included. */
export function specChange(before: CommitmentSpec, after: CommitmentSpec): SpecChange {
  const kept = keptOf(before.htlcs, after.htlcs);
  const isKept = new Set(after.htlcs.slice(0, kept).map(nameOf));
  return {
    feeratePerKw: after.feeratePerKw,
    toHolderMsat: after.toHolderMsat,
    toCounterpartyMsat: after.toCounterpartyMsat,
    gone: before.htlcs
      .filter((htlc) => !isKept.has(nameOf(htlc)))
      .map(({ direction, id }) => ({ outbound: direction === 'outbound' ? 1 : 0, id })),
    added: after.htlcs.slice(kept).map(htlcToRecord),
  };
}

/** The other way round. */
export function changedSpec(before: CommitmentSpec, change: SpecChange): CommitmentSpec {
  const gone = new Set(change.gone.map(({ outbound, id }) => nameOf({ direction: directionOf(outbound), id })));
  return {
    feeratePerKw: feeratePerKw(change.feeratePerKw),
    toHolderMsat: msat(change.toHolderMsat),
    toCounterpartyMsat: msat(change.toCounterpartyMsat),
    htlcs: [
      ...before.htlcs.filter((htlc) => !gone.has(nameOf(htlc))),
      ...change.added.map((stored) => htlcFromRecord(stored, noOnion)),
    ],
  };
}

/** How many of the first HTLCs of `after` are in `before` too, in the same order: those behind them are stored whole. */
function keptOf(before: readonly ChannelHtlc[], after: readonly ChannelHtlc[]): number {
  const places = new Map(before.map((htlc, place) => [nameOf(htlc), place]));
  let last = -1;
  const end = after.findIndex((htlc) => {
    const place = places.get(nameOf(htlc)) ?? -1;
    const isNext = place > last && isSame(before[place], htlc);
    last = place;
    return !isNext;
  });
  return end < 0 ? after.length : end;
}

const isSame = (before: ChannelHtlc | undefined, { amountMsat, cltvExpiry, paymentHash }: ChannelHtlc): boolean =>
  before?.amountMsat === amountMsat && before.cltvExpiry === cltvExpiry && equalBytes(before.paymentHash, paymentHash);

const nameOf = ({ direction, id }: Pick<ChannelHtlc, 'direction' | 'id'>): string => `${direction} ${id}`;

const directionOf = (outbound: number): ChannelHtlc['direction'] => (outbound === 1 ? 'outbound' : 'inbound');
