import { ROUNDED_RELAY_PER_KW } from '../primitives/feerates.ts';
import { feeratePerKw, msat, type Msat } from '../primitives/units.ts';
import type { ChannelParameters } from '../transactions/channel-parameters.ts';
import type { CommitmentSpec } from '../transactions/commitment-spec.ts';
import {
  newMonitor,
  type ChannelMonitor,
  type CounterpartyCommitment,
  type HolderCommitment,
} from './channel-monitor.ts';

/** What is left of the commitments of a channel. */
export interface KnownCommitments {
  readonly holderCommit: Pick<HolderCommitment, 'number' | 'spec'>;
  readonly counterpartyCommit: CounterpartyCommitment;
}

/**
 * In place of a lost monitor: enough to see the counterparty's close and to take our main output of it, and no more. It has no
 * signature of the counterparty: nothing of it is ever broadcast.
 */
export const bareMonitor = (
  params: ChannelParameters,
  { holderCommit, counterpartyCommit }: KnownCommitments,
): ChannelMonitor =>
  newMonitor(params, [
    { kind: 'latestHolderCommitment', ...holderCommit, signature: NO_SIGNATURE, htlcSignatures: [] },
    { kind: 'latestCounterpartyCommitment', ...counterpartyCommit },
  ]);

/** Of a channel of which only the parameters are left, and perhaps what we had: whatever closes it is newer than these. */
export function unknownCommitments(params: ChannelParameters, holderMsat: Msat): KnownCommitments {
  const spec: CommitmentSpec = {
    feeratePerKw: feeratePerKw(ROUNDED_RELAY_PER_KW),
    toHolderMsat: holderMsat,
    toCounterpartyMsat: msat(params.fundingSat * 1000n - holderMsat),
    htlcs: [],
  };
  const perCommitmentPoint = params.counterparty.paymentBasepoint;
  return { holderCommit: { number: 0, spec }, counterpartyCommit: { number: 0, spec, perCommitmentPoint } };
}

const NO_SIGNATURE = new Uint8Array(64);
