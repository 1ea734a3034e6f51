import { equalBytes, toHex } from '../primitives/bytes.ts';
import { assert } from '../primitives/errors.ts';
import { sha256 } from '../primitives/hash.ts';
import { EMPTY_SHACHAIN, insertSecret, lastSecret, shachainIndex, type ShachainStore } from '../keys/shachain.ts';
import type { ChannelParameters } from '../transactions/channel-parameters.ts';
import type { HtlcSource } from '../transactions/htlc-source.ts';
import type { CommitmentSpec } from '../transactions/commitment-spec.ts';
import { changedPackages } from './claims/package-changes.ts';
import type { AnchorChild } from './claims/anchor-child.ts';
import type { ClaimPackage } from './claims/claim-package.ts';
import { liveDecisions, withResolution, type HtlcEvents } from './htlc-resolution.ts';
import type { ChainStep, ChannelMonitorUpdate, HolderCommitmentFate, MonitorStep } from './monitor-update.ts';

/** A commitment of ours with the counterparty's signatures. */
export interface HolderCommitment {
  readonly number: number;
  readonly spec: CommitmentSpec;
  readonly signature: Uint8Array;
  readonly htlcSignatures: readonly Uint8Array[];
}

/** A commitment of the counterparty that it has not revoked. */
export interface CounterpartyCommitment {
  readonly number: number;
  readonly spec: CommitmentSpec;
  readonly perCommitmentPoint: Uint8Array;
}

/** What spent the funding output. */
export type FundingSpend =
  | { readonly kind: 'holderCommitment' }
  | { readonly kind: 'counterpartyCommitment'; readonly number: number; readonly perCommitmentPoint: Uint8Array }
  | { readonly kind: 'revokedCommitment'; readonly number: number }
  /** Newer than any that we signed: our state is stale. */
  | { readonly kind: 'unknownCommitment'; readonly number: number }
  | { readonly kind: 'cooperative' };

/** A transaction of the chain that concerns a channel. */
export interface ConfirmedTransaction {
  readonly transaction: Uint8Array;
  /** 32 bytes, wire order. */
  readonly txid: Uint8Array;
  readonly height: number;
}

/** The confirmed transaction that spent the funding output. */
export interface ConfirmedSpend extends ConfirmedTransaction {
  readonly spend: FundingSpend;
}

/**
 * Everything that is needed to get the money of one channel out of the chain, kept apart from the channel itself: it
 * grows by updates only, in order, and is enough without anything else but the seed.
 */
export interface ChannelMonitor extends HtlcEvents {
  readonly params: ChannelParameters;
  readonly updateId: number;
  readonly holderCommitment: HolderCommitment;
  /** The one before it: it may have been broadcast before the newest was there. */
  readonly previousHolderCommitment: HolderCommitment | undefined;
  /** One, or two between our signature and the revocation that answers it; the newest last. */
  readonly counterpartyCommitments: readonly CounterpartyCommitment[];
  /** The secrets of all that the counterparty revoked. */
  readonly secrets: ShachainStore;
  /** Preimages of HTLCs in a live commitment, by hash in hex. */
  readonly preimages: ReadonlyMap<string, Uint8Array>;
  /** Who our HTLCs are there for that are no payments of ours, by their ids: while a live commitment or an event has them. */
  readonly sources: ReadonlyMap<bigint, HtlcSource>;
  /** Where a cooperative close pays us; empty before there is one. */
  readonly shutdownScript: Uint8Array;
  /** `no`, or what becomes of our commitment. */
  readonly closed: 'no' | HolderCommitmentFate;
  /** Our signed commitment transaction once it was decided to broadcast it; empty before. */
  readonly broadcastTransaction: Uint8Array;
  readonly confirmedSpend: ConfirmedSpend | undefined;
  /** What the revoked commitment that is in the chain said, once its record was read; of any other spend nothing. */
  readonly revoked: RevokedCommitment | undefined;
  /** What spent outputs of the close, and what spent outputs of those, oldest first. */
  readonly outputSpends: readonly ConfirmedTransaction[];
  /** The newest child of our broadcast commitment: its coins wait for it. */
  readonly anchorChild: AnchorChild | undefined;
  /** What was made to take what is ours. */
  readonly packages: readonly ClaimPackage[];
  /**
   * All of this comes from a copy, and no `channel_reestablish` has agreed with it: our commitment could be revoked. An HTLC that
   * is lost costs less than a revoked broadcast.
   */
  readonly isCopy: boolean;
}

/** A revoked commitment's HTLCs: with them and its secret every output of it can be rebuilt and taken. */
export type RevokedCommitment = Pick<CounterpartyCommitment, 'number' | 'spec'>;

/** The monitor of a new channel, from the steps with which it begins; update id 0. */
export function newMonitor(params: ChannelParameters, steps: readonly MonitorStep[]): ChannelMonitor {
  let holder: HolderCommitment | undefined;
  const counterpartyCommitments: CounterpartyCommitment[] = [];
  for (const step of steps) {
    if (step.kind === 'latestHolderCommitment') holder = holderOf(step);
    if (step.kind === 'latestCounterpartyCommitment') counterpartyCommitments.push(step);
  }
  assert(holder !== undefined && counterpartyCommitments.length === 1, 'a monitor begins with both commitments');
  return {
    params,
    updateId: 0,
    holderCommitment: holder,
    previousHolderCommitment: undefined,
    counterpartyCommitments,
    secrets: EMPTY_SHACHAIN,
    preimages: new Map(),
    sources: new Map(),
    shutdownScript: new Uint8Array(0),
    closed: 'no',
    broadcastTransaction: new Uint8Array(0),
    confirmedSpend: undefined,
    revoked: undefined,
    outputSpends: [],
    events: [],
    nextEventId: 0,
    decidedHtlcs: new Map(),
    anchorChild: undefined,
    packages: [],
    isCopy: false,
  };
}

/** The monitor after an update, and what was revoked by it. Throws unless the update is the next one. */
export function applyUpdate(
  monitor: ChannelMonitor,
  update: ChannelMonitorUpdate,
): { readonly monitor: ChannelMonitor; readonly revoked: readonly RevokedCommitment[] } {
  assert(update.updateId === monitor.updateId + 1, `monitor update ${update.updateId} follows ${monitor.updateId}`);
  const revoked: RevokedCommitment[] = [];
  let next = monitor;
  for (const step of update.steps) {
    if (step.kind === 'commitmentSecret') {
      const commitment = next.counterpartyCommitments[0];
      if (commitment !== undefined && commitment.spec.htlcs.length > 0) revoked.push(commitment);
    }
    next = applyStep(next, step);
  }
  const live = {
    preimages: livePreimages(next),
    decidedHtlcs: liveDecisions(next.decidedHtlcs, knownSpecs(next)),
    sources: liveSources(next),
  };
  return { monitor: { ...next, ...live, updateId: update.updateId }, revoked };
}

/** The newest revealed secret of the counterparty for `channel_reestablish`; zeros where there is none. */
export const lastCounterpartySecret = ({ secrets, counterpartyCommitments }: ChannelMonitor): Uint8Array =>
  lastSecret(secrets, counterpartyCommitments[0]?.number ?? 0);

function applyStep(monitor: ChannelMonitor, step: MonitorStep): ChannelMonitor {
  switch (step.kind) {
    case 'latestHolderCommitment':
      assert(step.number === monitor.holderCommitment.number + 1, 'holder commitments come in order');
      return { ...monitor, holderCommitment: holderOf(step), previousHolderCommitment: monitor.holderCommitment };
    case 'latestCounterpartyCommitment': {
      const [current, ...rest] = monitor.counterpartyCommitments;
      assert(current !== undefined && rest.length === 0, 'at most one counterparty commitment is unrevoked');
      assert(step.number === current.number + 1, 'counterparty commitments come in order');
      return { ...monitor, counterpartyCommitments: [current, step] };
    }
    case 'paymentPreimage': {
      const hash = toHex(sha256(step.preimage));
      return { ...monitor, preimages: new Map(monitor.preimages).set(hash, step.preimage) };
    }
    case 'commitmentSecret': {
      const [revoked, ...rest] = monitor.counterpartyCommitments;
      assert(revoked?.number === step.number && rest.length === 1, 'the older of two commitments is revoked');
      const secrets = insertSecret(monitor.secrets, shachainIndex(step.number), step.secret);
      assert(secrets !== undefined, 'the secret fits those before it');
      return { ...monitor, secrets, counterpartyCommitments: rest };
    }
    case 'channelForceClosed':
      return { ...monitor, closed: fateOf(monitor, step.holderCommitment) };
    case 'htlcSource':
      return { ...monitor, sources: new Map(monitor.sources).set(step.htlcId, step.source) };
    case 'htlcResolved':
      return { ...monitor, ...withResolution(monitor, { htlc: step.htlc, resolution: step.resolution }) };
    case 'eventAcknowledged':
      return { ...monitor, events: monitor.events.filter(({ id }) => id !== step.id) };
    case 'shutdownScript':
      return { ...monitor, shutdownScript: step.script };
    case 'copied':
      return { ...monitor, isCopy: true };
    case 'stateConfirmed':
      return { ...monitor, isCopy: false };
    default:
      return applyChainStep(monitor, step);
  }
}

/** Whoever asks for it: what is revoked stays revoked, and what may be does not go out, unless it was decided so before. */
function fateOf({ closed, isCopy }: ChannelMonitor, wanted: HolderCommitmentFate): HolderCommitmentFate {
  if (closed === 'never') return 'never';
  return isCopy && wanted === 'broadcast' && closed !== 'broadcast' ? 'wait' : wanted;
}

function applyChainStep(monitor: ChannelMonitor, step: ChainStep): ChannelMonitor {
  switch (step.kind) {
    case 'fundingSpent':
      // What spent outputs of another one, a reorganisation took with it.
      return { ...monitor, ...spentBy(step.confirmedSpend, monitor.closed) };
    case 'fundingSpendUnconfirmed':
      return { ...monitor, confirmedSpend: undefined, revoked: undefined, outputSpends: [] };
    case 'revokedRead':
      return { ...monitor, revoked: step.revoked };
    case 'outputSpent':
      return { ...monitor, outputSpends: [...without(monitor.outputSpends, step.spend.txid), step.spend] };
    case 'outputUnspent':
      return { ...monitor, outputSpends: without(monitor.outputSpends, step.txid) };
    case 'anchorChildChanged':
      return { ...monitor, anchorChild: step.child };
    case 'packagesChanged':
      return { ...monitor, packages: changedPackages(monitor.packages, step) };
    default:
      return step satisfies never;
  }
}

/** Who has seen a commitment newer than any that it signed has an old state: its own is revoked, also after a reorganisation. */
const spentBy = (
  confirmedSpend: ConfirmedSpend,
  closed: ChannelMonitor['closed'],
): Pick<ChannelMonitor, 'confirmedSpend' | 'revoked' | 'outputSpends' | 'closed'> => ({
  confirmedSpend,
  revoked: undefined,
  outputSpends: [],
  closed: confirmedSpend.spend.kind === 'unknownCommitment' ? 'never' : closed,
});

const without = (spends: readonly ConfirmedTransaction[], txid: Uint8Array): readonly ConfirmedTransaction[] =>
  spends.filter((spend) => !equalBytes(spend.txid, txid));

const holderOf = ({ number, spec, signature, htlcSignatures }: HolderCommitment): HolderCommitment => ({
  number,
  spec,
  signature,
  htlcSignatures,
});

/** What every commitment says that can be in the chain, as far as the monitor knows. */
export const knownSpecs = ({
  holderCommitment,
  previousHolderCommitment,
  counterpartyCommitments,
  revoked,
}: ChannelMonitor): readonly CommitmentSpec[] =>
  [holderCommitment, previousHolderCommitment, ...counterpartyCommitments, revoked].flatMap((each) => each?.spec ?? []);

/** Drops preimages whose HTLC is in no live commitment any more: the monitor does not grow with the channel's age. */
function livePreimages(monitor: ChannelMonitor): ReadonlyMap<string, Uint8Array> {
  if (monitor.preimages.size === 0) return monitor.preimages;
  const specs = knownSpecs(monitor).map(hashesOf);
  const live = [...monitor.preimages].filter(([hash]) => specs.some((hashes) => hashes.has(hash)));
  return live.length === monitor.preimages.size ? monitor.preimages : new Map(live);
}

/** Whoever an HTLC was there for hears of it as long as its event is not acknowledged. */
function liveSources(monitor: ChannelMonitor): ChannelMonitor['sources'] {
  const { sources, events } = monitor;
  if (sources.size === 0) return sources;
  const inSpecs = knownSpecs(monitor).flatMap(({ htlcs }) => htlcs.filter(({ direction }) => direction === 'outbound'));
  const live = new Set([...inSpecs, ...events.map(({ htlc }) => htlc)].map(({ id }) => id));
  const kept = [...sources].filter(([id]) => live.has(id));
  return kept.length === sources.size ? sources : new Map(kept);
}

/** The payment hashes of a specification in hex; asked for with every update that it lives through. */
function hashesOf(spec: CommitmentSpec): ReadonlySet<string> {
  const hashes = HASHES.get(spec) ?? new Set(spec.htlcs.map(({ paymentHash }) => toHex(paymentHash)));
  HASHES.set(spec, hashes);
  return hashes;
}

const HASHES = new WeakMap<CommitmentSpec, ReadonlySet<string>>();
