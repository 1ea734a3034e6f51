import { assert } from '../primitives/errors.ts';
import { msat, type FeeratePerKw, type Msat } from '../primitives/units.ts';
import type { ChannelHtlc, HtlcDirection } from './channel-htlc.ts';

/** One `update_*` message as a change to a commitment; whose message it was is known from the list that it is in. */
export type Change =
  | { readonly kind: 'add'; readonly htlc: ChannelHtlc }
  | { readonly kind: 'fulfill'; readonly htlcId: bigint; readonly preimage: Uint8Array }
  | { readonly kind: 'fail'; readonly htlcId: bigint; readonly reason: Uint8Array }
  | {
      readonly kind: 'failMalformed';
      readonly htlcId: bigint;
      readonly sha256OfOnion: Uint8Array;
      readonly failureCode: number;
    }
  | { readonly kind: 'fee'; readonly feeratePerKw: FeeratePerKw };

/** A change that removes an HTLC. */
export type Removal = Exclude<Change, { kind: 'add' } | { kind: 'fee' }>;

/** What one commitment transaction says, whoever owns it. Balances exclude what is in HTLCs. */
export interface CommitmentSpec {
  readonly feeratePerKw: FeeratePerKw;
  readonly toHolderMsat: Msat;
  readonly toCounterpartyMsat: Msat;
  readonly htlcs: readonly ChannelHtlc[];
}

/** The specification after both sides' changes, each side's in its own order. Throws where a change does not apply. */
export function applyChanges(
  spec: CommitmentSpec,
  holderChanges: readonly Change[],
  counterpartyChanges: readonly Change[],
): CommitmentSpec {
  if (holderChanges.length === 0 && counterpartyChanges.length === 0) return spec;
  const htlcs: Record<HtlcDirection, Map<bigint, ChannelHtlc>> = { outbound: new Map(), inbound: new Map() };
  for (const htlc of spec.htlcs) htlcs[htlc.direction].set(htlc.id, htlc);
  let { feeratePerKw } = spec;
  let holder: bigint = spec.toHolderMsat;
  let counterparty: bigint = spec.toCounterpartyMsat;

  for (const change of holderChanges) {
    if (change.kind === 'fee') feeratePerKw = change.feeratePerKw;
    else if (change.kind === 'add') {
      htlcs.outbound.set(change.htlc.id, change.htlc);
      holder -= change.htlc.amountMsat;
    } else if (change.kind === 'fulfill') holder += take(htlcs.inbound, change);
    else counterparty += take(htlcs.inbound, change);
  }
  for (const change of counterpartyChanges) {
    if (change.kind === 'fee') feeratePerKw = change.feeratePerKw;
    else if (change.kind === 'add') {
      htlcs.inbound.set(change.htlc.id, change.htlc);
      counterparty -= change.htlc.amountMsat;
    } else if (change.kind === 'fulfill') counterparty += take(htlcs.outbound, change);
    else holder += take(htlcs.outbound, change);
  }
  return {
    feeratePerKw,
    toHolderMsat: msat(holder),
    toCounterpartyMsat: msat(counterparty),
    htlcs: [...htlcs.outbound.values(), ...htlcs.inbound.values()],
  };
}

/** The HTLC of a direction with an id, in a specification. */
export const findHtlc = (spec: CommitmentSpec, direction: HtlcDirection, id: bigint): ChannelHtlc | undefined =>
  spec.htlcs.find((htlc) => htlc.id === id && htlc.direction === direction);

function take(htlcs: Map<bigint, ChannelHtlc>, removal: Removal): bigint {
  const htlc = htlcs.get(removal.htlcId);
  assert(htlc !== undefined, `HTLC ${removal.htlcId} is in the commitment that removes it`);
  htlcs.delete(removal.htlcId);
  return htlc.amountMsat;
}
