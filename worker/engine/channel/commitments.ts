import { assert } from '../primitives/errors.ts';
import type { FeeratePerKw } from '../primitives/units.ts';
import { applyChanges, type Change, type CommitmentSpec, type Removal } from '../transactions/commitment-spec.ts';
import { htlcKey, type ChannelHtlc } from '../transactions/channel-htlc.ts';

/**
 * Our changes on their way into both commitments: held (not sent, while the channel is quiescent or is to be), proposed
 * (sent, unsigned), signed (in the counterparty's next commitment), acked (in a commitment that it accepted by revoking the
 * one before; next go into ours).
 */
export interface HolderChanges {
  readonly held: readonly Change[];
  readonly proposed: readonly Change[];
  readonly signed: readonly Change[];
  readonly acked: readonly Change[];
}

/**
 * The counterparty's changes: proposed (received, unsigned), acked (in our commitment, the one before it revoked),
 * signed (in the commitment that we signed back).
 */
export interface CounterpartyChanges {
  readonly proposed: readonly Change[];
  readonly acked: readonly Change[];
  readonly signed: readonly Change[];
}

export interface CounterpartyCommit {
  readonly number: number;
  readonly spec: CommitmentSpec;
  readonly perCommitmentPoint: Uint8Array;
}

/** What we may do towards the counterparty's next commitment (BOLT 2: one unrevoked signature at a time). */
export type CounterpartyNext =
  /** `channel_ready` brings the point of its second commitment. */
  | { readonly kind: 'awaitingReady' }
  | { readonly kind: 'ready'; readonly perCommitmentPoint: Uint8Array }
  | {
      readonly kind: 'awaitingRevocation';
      readonly commit: CounterpartyCommit;
      /** Our commitment number when we signed: tells on reconnection which of the two messages came first. */
      readonly sentAfterHolderNumber: number;
    };

/** The state of both commitment transactions and of every update that is not yet in both. */
export interface Commitments {
  readonly holderChanges: HolderChanges;
  readonly counterpartyChanges: CounterpartyChanges;
  readonly nextHolderHtlcId: bigint;
  readonly nextCounterpartyHtlcId: bigint;
  readonly holderCommit: { readonly number: number; readonly spec: CommitmentSpec };
  readonly counterpartyCommit: CounterpartyCommit;
  readonly counterpartyNext: CounterpartyNext;
}

/** A new channel's commitments: number 0 on both sides, no HTLC. */
export function initialCommitments(spec: CommitmentSpec, firstPerCommitmentPoint: Uint8Array): Commitments {
  return {
    holderChanges: { held: [], proposed: [], signed: [], acked: [] },
    counterpartyChanges: { proposed: [], acked: [], signed: [] },
    nextHolderHtlcId: 0n,
    nextCounterpartyHtlcId: 0n,
    holderCommit: { number: 0, spec },
    counterpartyCommit: { number: 0, spec, perCommitmentPoint: firstPerCommitmentPoint },
    counterpartyNext: { kind: 'awaitingReady' },
  };
}

/** Where our changes are that no commitment has: `held` or sent. */
type Unsigned = 'held' | 'proposed';

export function proposeHolderChange(
  commitments: Commitments,
  change: Change,
  into: Unsigned = 'proposed',
): Commitments {
  const { holderChanges } = commitments;
  return {
    ...commitments,
    holderChanges: { ...holderChanges, [into]: withChange(holderChanges[into], change) },
    nextHolderHtlcId: commitments.nextHolderHtlcId + (change.kind === 'add' ? 1n : 0n),
  };
}

export function proposeCounterpartyChange(commitments: Commitments, change: Change): Commitments {
  const { counterpartyChanges } = commitments;
  return {
    ...commitments,
    counterpartyChanges: { ...counterpartyChanges, proposed: withChange(counterpartyChanges.proposed, change) },
    nextCounterpartyHtlcId: commitments.nextCounterpartyHtlcId + (change.kind === 'add' ? 1n : 0n),
  };
}

/** The newest commitment of the counterparty that we have signed. */
export const latestCounterpartyCommit = ({ counterpartyNext, counterpartyCommit }: Commitments): CounterpartyCommit =>
  counterpartyNext.kind === 'awaitingRevocation' ? counterpartyNext.commit : counterpartyCommit;

/** The counterparty's commitment as it would be if we signed all that may go into it now. */
export const nextCounterpartySpec = (commitments: Commitments): CommitmentSpec =>
  applyChanges(
    latestCounterpartyCommit(commitments).spec,
    commitments.holderChanges.proposed,
    commitments.counterpartyChanges.acked,
  );

/** Our commitment as the counterparty's next `commitment_signed` must have it. */
export const nextHolderSpec = (commitments: Commitments): CommitmentSpec =>
  applyChanges(
    commitments.holderCommit.spec,
    commitments.holderChanges.acked,
    commitments.counterpartyChanges.proposed,
  );

/**
 * Our commitment with every change that is under way on either side: the worst that it can become without a new
 * proposal. New proposals of ours are checked against it, as against `nextCounterpartySpec`.
 */
export function pendingHolderSpec(commitments: Commitments): CommitmentSpec {
  const { holderChanges, counterpartyChanges } = commitments;
  const ours = [...holderChanges.acked, ...holderChanges.signed, ...holderChanges.proposed];
  return applyChanges(commitments.holderCommit.spec, ours, counterpartyChanges.proposed);
}

/** Whether a `commitment_signed` from us would contain something new. */
export const hasUnsignedChanges = ({ holderChanges, counterpartyChanges }: Commitments): boolean =>
  holderChanges.proposed.length > 0 || counterpartyChanges.acked.length > 0;

/** Whether a `commitment_signed` from the counterparty would contain something new. */
export const expectsCommitmentSigned = ({ holderChanges, counterpartyChanges }: Commitments): boolean =>
  holderChanges.acked.length > 0 || counterpartyChanges.proposed.length > 0;

/** After we signed the counterparty's next commitment. */
export function afterSigning(commitments: Commitments): Commitments {
  const { counterpartyNext, holderChanges, counterpartyChanges } = commitments;
  assert(counterpartyNext.kind === 'ready', 'no second commitment_signed before revoke_and_ack');
  assert(holderChanges.signed.length === 0 && counterpartyChanges.signed.length === 0, 'nothing signed is unacked');
  const commit: CounterpartyCommit = {
    number: commitments.counterpartyCommit.number + 1,
    spec: nextCounterpartySpec(commitments),
    perCommitmentPoint: counterpartyNext.perCommitmentPoint,
  };
  return {
    ...commitments,
    holderChanges: { ...holderChanges, proposed: [], signed: holderChanges.proposed },
    counterpartyChanges: { proposed: counterpartyChanges.proposed, acked: [], signed: counterpartyChanges.acked },
    counterpartyNext: {
      kind: 'awaitingRevocation',
      commit,
      sentAfterHolderNumber: commitments.holderCommit.number,
    },
  };
}

/** After the counterparty's valid `commitment_signed`: our new commitment replaces the one that we revoke in answer. */
export function afterCommitmentSigned(commitments: Commitments): Commitments {
  const { holderChanges, counterpartyChanges } = commitments;
  return {
    ...commitments,
    holderCommit: { number: commitments.holderCommit.number + 1, spec: nextHolderSpec(commitments) },
    holderChanges: { ...holderChanges, acked: [] },
    counterpartyChanges: {
      proposed: [],
      acked: counterpartyChanges.proposed.reduce(withChange, counterpartyChanges.acked),
      signed: counterpartyChanges.signed,
    },
  };
}

/** What became irrevocable with a `revoke_and_ack`. */
export interface Irrevocable {
  /** Inbound HTLCs that are now in both commitments and in no unrevoked one without them: to be decided upon. */
  readonly added: readonly ChannelHtlc[];
  /** Outbound HTLCs that the counterparty removed from both commitments for good. */
  readonly removed: readonly { readonly htlc: ChannelHtlc; readonly removal: Removal }[];
}

/** After the counterparty's valid `revoke_and_ack`. */
export function afterRevocation(
  commitments: Commitments,
  nextPerCommitmentPoint: Uint8Array,
): { readonly commitments: Commitments; readonly irrevocable: Irrevocable } {
  const { counterpartyNext, holderChanges, counterpartyChanges } = commitments;
  assert(counterpartyNext.kind === 'awaitingRevocation', 'a revocation answers a commitment_signed');
  const added: ChannelHtlc[] = [];
  const removed: { htlc: ChannelHtlc; removal: Removal }[] = [];
  for (const change of counterpartyChanges.signed) {
    if (change.kind === 'add') added.push(change.htlc);
    else if (change.kind !== 'fee') {
      const htlc = commitments.counterpartyCommit.spec.htlcs.find(
        ({ direction, id }) => direction === 'outbound' && id === change.htlcId,
      );
      assert(htlc !== undefined, `removed HTLC ${change.htlcId} was in the revoked commitment`);
      removed.push({ htlc, removal: change });
    }
  }
  return {
    commitments: {
      ...commitments,
      holderChanges: {
        ...holderChanges,
        signed: [],
        acked: holderChanges.signed.reduce(withChange, holderChanges.acked),
      },
      counterpartyChanges: { ...counterpartyChanges, signed: [] },
      counterpartyCommit: counterpartyNext.commit,
      counterpartyNext: { kind: 'ready', perCommitmentPoint: nextPerCommitmentPoint },
    },
    irrevocable: { added, removed },
  };
}

/** BOLT 2, Message Retransmission: a disconnection reverses the counterparty's updates that it had not yet signed. */
export function forgetUnsignedCounterpartyChanges(commitments: Commitments): Commitments {
  const { counterpartyChanges } = commitments;
  const adds = counterpartyChanges.proposed.filter((change) => change.kind === 'add').length;
  if (counterpartyChanges.proposed.length === 0) return commitments;
  return {
    ...commitments,
    counterpartyChanges: { ...counterpartyChanges, proposed: [] },
    nextCounterpartyHtlcId: commitments.nextCounterpartyHtlcId - BigInt(adds),
  };
}

/** With what we held among what was sent, and forgotten: a new connection, which is not quiescent, repeats all of it. */
export function withHeldProposed(commitments: Commitments): Commitments {
  const { held, proposed, ...others } = commitments.holderChanges;
  if (held.length === 0) return commitments;
  return { ...commitments, holderChanges: { ...others, held: [], proposed: [...proposed, ...held] } };
}

/** Without updates of ours that were never signed: the counterparty has forgotten them with the connection. */
export function withoutUnsignedHolderChanges(commitments: Commitments, from: Unsigned = 'proposed'): Commitments {
  const { holderChanges } = commitments;
  const adds = holderChanges[from].filter((change) => change.kind === 'add').length;
  return {
    ...commitments,
    holderChanges: { ...holderChanges, [from]: [] },
    nextHolderHtlcId: commitments.nextHolderHtlcId - BigInt(adds),
  };
}

/** Whether an inbound HTLC may be removed by us: in both commitments for good, and no removal of it under way. */
export function isRemovable(commitments: Commitments, id: bigint): boolean {
  const { holderChanges, counterpartyChanges } = commitments;
  const isAdd = (change: Change): boolean => change.kind === 'add' && change.htlc.id === id;
  const inbound = commitments.holderCommit.spec.htlcs.some((htlc) => htlc.direction === 'inbound' && htlc.id === id);
  if (!inbound || counterpartyChanges.acked.some(isAdd) || counterpartyChanges.signed.some(isAdd)) return false;
  return !allHolderChanges(holderChanges).some(
    (change) => change.kind !== 'add' && change.kind !== 'fee' && change.htlcId === id,
  );
}

/** Whether changes of ours that were sent are not in both commitments for good. */
export const hasPendingHolderChanges = ({ holderChanges }: Commitments): boolean =>
  allHolderChanges(holderChanges).length > holderChanges.held.length;

export const hasPendingCounterpartyChanges = ({ counterpartyChanges }: Commitments): boolean =>
  counterpartyChanges.proposed.length + counterpartyChanges.acked.length + counterpartyChanges.signed.length > 0;

/** No HTLC in any commitment and no update under way: the condition for `closing_signed` (BOLT 2, Closing Negotiation). */
export function isQuiet(commitments: Commitments): boolean {
  const { holderChanges, counterpartyNext } = commitments;
  return (
    counterpartyNext.kind === 'ready' &&
    allHolderChanges(holderChanges).length === 0 &&
    !hasPendingCounterpartyChanges(commitments) &&
    commitments.holderCommit.spec.htlcs.length === 0 &&
    commitments.counterpartyCommit.spec.htlcs.length === 0
  );
}

/** The feerate of both commitments once everything that the opener has proposed is in them. */
export function pendingFeerate({ holderChanges, counterpartyChanges, holderCommit }: Commitments): FeeratePerKw {
  // Only one side proposes feerates. Its changes as our commitment has yet to take them, oldest first.
  const { acked, signed, proposed } = holderChanges;
  const pending = [...counterpartyChanges.proposed, ...acked, ...signed, ...proposed];
  return pending.findLast((change) => change.kind === 'fee')?.feeratePerKw ?? holderCommit.spec.feeratePerKw;
}

/** The feerate that we have proposed and the counterparty has not accepted by revoking, if any. */
export const feerateUnderWay = ({ holderChanges }: Commitments): FeeratePerKw | undefined =>
  [...holderChanges.signed, ...holderChanges.proposed].findLast((change) => change.kind === 'fee')?.feeratePerKw;

/** No HTLC in any commitment or update: whatever else is under way, the two sides have in each commitment the same. */
export const hasNoHtlc = (commitments: Commitments): boolean => allHtlcs(commitments).size === 0;

/** Every HTLC that any live commitment or pending change mentions, each once. */
export function allHtlcs(commitments: Commitments): ReadonlyMap<string, ChannelHtlc> {
  const found = new Map<string, ChannelHtlc>();
  const note = (htlc: ChannelHtlc): void => void found.set(htlcKey(htlc), htlc);
  commitments.holderCommit.spec.htlcs.forEach(note);
  commitments.counterpartyCommit.spec.htlcs.forEach(note);
  latestCounterpartyCommit(commitments).spec.htlcs.forEach(note);
  const { proposed, acked, signed } = commitments.counterpartyChanges;
  for (const change of [...allHolderChanges(commitments.holderChanges), ...proposed, ...acked, ...signed])
    if (change.kind === 'add') note(change.htlc);
  return found;
}

/**
 * Changes with one more. BOLT 2, Updating Fees: an `update_fee` is never closed but replaced, so of several the last one
 * counts. Kept one and all, they alone of a peer's updates would have no bound between two signatures: HTLCs are bounded by
 * max_accepted_htlcs, and removals by the HTLCs.
 */
function withChange(changes: readonly Change[], change: Change): readonly Change[] {
  const others = change.kind === 'fee' ? changes.filter(({ kind }) => kind !== 'fee') : changes;
  return [...others, change];
}

/** Each of our changes that is not in both commitments for good. */
export const allHolderChanges = ({ held, proposed, signed, acked }: HolderChanges): readonly Change[] => [
  ...held,
  ...proposed,
  ...signed,
  ...acked,
];
