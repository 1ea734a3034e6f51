import { feeratePerKw, type FeeratePerKw } from '../../engine/primitives/units.ts';
import { isChainSourceError } from './chain-source-error.ts';
import type { EsploraApi } from './esplora-api.ts';
import type { ChainPlatform } from './platform.ts';

/** What a feerate is for; the words are LDK's. */
export type ConfirmationTarget =
  | 'urgentOnChainSweep'
  | 'nonAnchorChannelFee'
  | 'anchorChannelFee'
  | 'minAllowedNonAnchorChannelRemoteFee'
  | 'minAllowedAnchorChannelRemoteFee'
  | 'maximumFeeEstimate'
  | 'channelCloseMinimum'
  | 'outputSpendingFee';

interface TargetRule {
  /** Within so many blocks. */
  readonly blocks: number;
  readonly factor: number;
  /** While nothing is known. */
  readonly fallback: number;
}

const RULES: Readonly<Record<ConfirmationTarget, TargetRule>> = {
  urgentOnChainSweep: { blocks: 2, factor: 1, fallback: 5000 },
  nonAnchorChannelFee: { blocks: 12, factor: 1, fallback: 2000 },
  // With anchors the commitment needs no more than to be relayed: it is bumped when it matters.
  anchorChannelFee: { blocks: 144, factor: 1, fallback: 500 },
  minAllowedNonAnchorChannelRemoteFee: { blocks: 1008, factor: 0.5, fallback: 253 },
  minAllowedAnchorChannelRemoteFee: { blocks: 1008, factor: 0.5, fallback: 253 },
  maximumFeeEstimate: { blocks: 1, factor: 10, fallback: 50_000 },
  channelCloseMinimum: { blocks: 144, factor: 1, fallback: 500 },
  outputSpendingFee: { blocks: 12, factor: 1, fallback: 1000 },
};

/** The least that nodes relay, in sat per 1000 weight, rounded up from 1 sat/vB. */
export const FLOOR_PER_KW = 253;
/** 1000 sat/vB: above this a server is wrong rather than the market mad. */
const CAP_PER_KW = 250_000;
const STALE_AFTER_MS = 3_600_000;

/** Asks the sources in order until one knows. Throws the last one's `ChainSource` error when none does. */
export async function refreshFees(
  estimator: FeeEstimator,
  sources: readonly EsploraApi[],
  platform: Pick<ChainPlatform, 'now'>,
): Promise<void> {
  for (const [index, source] of sources.entries()) {
    try {
      estimator.update(await source.feeEstimates(), platform.now());
      return;
    } catch (error) {
      if (!isChainSourceError(error) || index === sources.length - 1) throw error;
    }
  }
}

/** Feerates from the chain source's estimates, within bounds, and with defaults while there are none. */
export class FeeEstimator {
  #estimates: ReadonlyMap<number, number> = new Map();
  #updatedMs: number | undefined;

  /** Takes over estimates in sat/vB by number of blocks, as of a time in milliseconds since 1970. */
  update(estimates: ReadonlyMap<number, number>, nowMs: number): void {
    this.#estimates = estimates;
    this.#updatedMs = nowMs;
  }

  /** Whether the estimates are missing or an hour old: they are still used, but not for opening channels. */
  isStale(nowMs: number): boolean {
    return this.#updatedMs === undefined || nowMs - this.#updatedMs > STALE_AFTER_MS;
  }

  feerate(target: ConfirmationTarget): FeeratePerKw {
    const { blocks, factor, fallback } = RULES[target];
    const satPerVByte = this.#within(blocks);
    if (satPerVByte === undefined) return feeratePerKw(fallback);
    const perKw = Math.ceil(satPerVByte * 250 * factor);
    return feeratePerKw(Math.min(Math.max(perKw, FLOOR_PER_KW), CAP_PER_KW));
  }

  /** The estimate for the longest time that is not longer; for less than the shortest known, the shortest. */
  #within(blocks: number): number | undefined {
    const targets = [...this.#estimates.keys()].toSorted((a, b) => a - b);
    const target = targets.findLast((candidate) => candidate <= blocks) ?? targets[0];
    return target === undefined ? undefined : this.#estimates.get(target);
  }
}
