import { equalBytes, toHex } from '../primitives/bytes.ts';
import { assert } from '../primitives/errors.ts';
import { sha256 } from '../primitives/hash.ts';
import { EMPTY_SHACHAIN, insertSecret, lastSecret, shachainIndex, type ShachainStore } from '../keys/shachain.ts';
import type { ChannelParameters } from '../transactions/channel-parameters.ts';
import type { CommitmentSpec } from '../transactions/commitment-spec.ts';
import type { ChannelMonitorUpdate, HolderCommitmentFate, MonitorStep } from './monitor-update.ts';

/** Our newest commitment with the counterparty's signatures. */
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

/** The confirmed transaction that spent the funding output. */
export interface ConfirmedSpend {
  readonly spend: FundingSpend;
  readonly transaction: Uint8Array;
  readonly txid: Uint8Array;
  readonly height: number;
}

/**
 * Everything that is needed to get the money of one channel out of the chain, kept apart from the channel itself: it
 * grows by updates only, in order, and is enough without anything else but the seed.
 */
export interface ChannelMonitor {
  readonly params: ChannelParameters;
  readonly updateId: number;
  readonly holderCommitment: HolderCommitment;
  /** One, or two between our signature and the revocation that answers it; the newest last. */
  readonly counterpartyCommitments: readonly CounterpartyCommitment[];
  /** The secrets of all that the counterparty revoked. */
  readonly secrets: ShachainStore;
  /** Preimages of HTLCs in a live commitment, by hash in hex. */
  readonly preimages: ReadonlyMap<string, Uint8Array>;
  /** Where a cooperative close pays us; empty before there is one. */
  readonly shutdownScript: Uint8Array;
  /** `no`, or what becomes of our commitment. */
  readonly closed: 'no' | HolderCommitmentFate;
  /** Our signed commitment transaction once it was decided to broadcast it; empty before. */
  readonly broadcastTransaction: Uint8Array;
  readonly confirmedSpend: ConfirmedSpend | undefined;
  /** Outputs of the confirmed spend that are spent themselves. */
  readonly resolvedOutputs: readonly ResolvedOutput[];
}

/** A confirmed transaction that spent an output of a close. */
export interface ResolvedOutput {
  readonly vout: number;
  readonly txid: Uint8Array;
  readonly height: number;
}

/** A revoked commitment's HTLCs: with them and its secret every output of it can be rebuilt and taken. */
export type RevokedCommitment = Pick<CounterpartyCommitment, 'number' | 'spec'>;

/** The monitor of a new channel, from the steps with which it begins; update id 0. */
export function newMonitor(params: ChannelParameters, steps: readonly MonitorStep[]): ChannelMonitor {
  let holder: HolderCommitment | undefined;
  const counterpartyCommitments: CounterpartyCommitment[] = [];
  for (const step of steps) {
    if (step.kind === 'latestHolderCommitment') holder = step;
    if (step.kind === 'latestCounterpartyCommitment') counterpartyCommitments.push(step);
  }
  assert(holder !== undefined && counterpartyCommitments.length === 1, 'a monitor begins with both commitments');
  return {
    params,
    updateId: 0,
    holderCommitment: holder,
    counterpartyCommitments,
    secrets: EMPTY_SHACHAIN,
    preimages: new Map(),
    shutdownScript: new Uint8Array(0),
    closed: 'no',
    broadcastTransaction: new Uint8Array(0),
    confirmedSpend: undefined,
    resolvedOutputs: [],
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
  return { monitor: { ...next, updateId: update.updateId, preimages: livePreimages(next) }, revoked };
}

/** The newest revealed secret of the counterparty for `channel_reestablish`; zeros where there is none. */
export const lastCounterpartySecret = ({ secrets, counterpartyCommitments }: ChannelMonitor): Uint8Array =>
  lastSecret(secrets, counterpartyCommitments[0]?.number ?? 0);

function applyStep(monitor: ChannelMonitor, step: MonitorStep): ChannelMonitor {
  switch (step.kind) {
    case 'latestHolderCommitment':
      assert(step.number === monitor.holderCommitment.number + 1, 'holder commitments come in order');
      return { ...monitor, holderCommitment: step };
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
      // Whoever asks for it later: what is revoked stays revoked.
      return { ...monitor, closed: monitor.closed === 'never' ? 'never' : step.holderCommitment };
    case 'shutdownScript':
      return { ...monitor, shutdownScript: step.script };
    default:
      return step satisfies never;
  }
}

/** Drops preimages whose HTLC is in no live commitment any more: the monitor does not grow with the channel's age. */
function livePreimages(monitor: ChannelMonitor): ReadonlyMap<string, Uint8Array> {
  if (monitor.preimages.size === 0) return monitor.preimages;
  const specs = [monitor.holderCommitment.spec, ...monitor.counterpartyCommitments.map(({ spec }) => spec)];
  const live = [...monitor.preimages].filter(([, preimage]) => {
    const hash = sha256(preimage);
    return specs.some(({ htlcs }) => htlcs.some(({ paymentHash }) => equalBytes(paymentHash, hash)));
  });
  return live.length === monitor.preimages.size ? monitor.preimages : new Map(live);
}
