import type { ConfirmationTarget, FeeEstimator } from '../edges/chain/fee-estimator.ts';
import type { ChannelFeerates, CommitmentFeerates } from '../engine/channel/channel-env.ts';
import { feeratePerKw } from '../engine/primitives/units.ts';
import type { CommitmentFormat } from '../engine/transactions/channel-scripts.ts';
import { FeerateMemory, type FeerateMemoryState } from './feerate-memory.ts';

/** What is remembered for each format. */
export type FeerateMemories = Readonly<Record<CommitmentFormat, FeerateMemoryState>>;

interface FormatTargets {
  readonly holder: ConfirmationTarget;
  readonly counterparty: ConfirmationTarget;
}

const TARGETS: Readonly<Record<CommitmentFormat, FormatTargets>> = {
  anchors: { holder: 'anchorChannelFee', counterparty: 'minAllowedAnchorChannelRemoteFee' },
  static_remotekey: { holder: 'nonAnchorChannelFee', counterparty: 'minAllowedNonAnchorChannelRemoteFee' },
};

/** What channels go by: the newest estimates, and how low they have been for hours. */
export class FeeratePolicy {
  readonly #fees: FeeEstimator;
  readonly #memories: Readonly<Record<CommitmentFormat, FeerateMemory>>;

  constructor(fees: FeeEstimator, stored?: FeerateMemories) {
    this.#fees = fees;
    this.#memories = {
      anchors: new FeerateMemory(stored?.anchors),
      static_remotekey: new FeerateMemory(stored?.static_remotekey),
    };
  }

  /** To be kept over a restart, for most runs of a wallet are shorter than a memory; `undefined` while there is nothing. */
  get memories(): FeerateMemories | undefined {
    const { anchors, static_remotekey } = this.#memories;
    if (anchors.state === undefined || static_remotekey.state === undefined) return undefined;
    return { anchors: anchors.state, static_remotekey: static_remotekey.state };
  }

  /** The estimator has heard from a server; `nowMs` in milliseconds since 1970. */
  updated(nowMs: number): void {
    // What is assumed without a server is nothing to remember.
    if (!this.#fees.isKnown) return;
    for (const format of ['anchors', 'static_remotekey'] as const)
      this.#memories[format].note(this.#fees.feerate(TARGETS[format].holder), nowMs);
  }

  get feerates(): ChannelFeerates {
    return {
      commitment: { anchors: this.#commitment('anchors'), static_remotekey: this.#commitment('static_remotekey') },
      outputSpending: this.#fees.feerate('outputSpendingFee'),
      maximum: this.#fees.feerate('maximumFeeEstimate'),
    };
  }

  #commitment(format: CommitmentFormat): CommitmentFeerates {
    // Not before a server has answered in this run: what was low yesterday may have risen since.
    const settled = this.#fees.isKnown ? this.#memories[format].settled : undefined;
    return {
      target: this.#fees.feerate(TARGETS[format].holder),
      settled: settled === undefined ? undefined : feeratePerKw(settled),
      minimum: this.#fees.feerate(TARGETS[format].counterparty),
    };
  }
}
