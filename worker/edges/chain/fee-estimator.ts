import { INDISPUTABLE_PER_KW, ROUNDED_RELAY_PER_KW } from '../../engine/primitives/feerates.ts';
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
  | 'outputSpendingFee';

interface TargetRule {
  /** Within so many blocks. */
  readonly blocks: number;
  readonly factor: number;
  /** While nothing is known for so few blocks. */
  readonly fallback: number;
  /** Never below. */
  readonly least: number;
  /** Never above. */
  readonly most: number;
}

/**
 * 50 sat/vB. A commitment with anchors has no need of more, whatever the market or a server says: all of it is lost in a close,
 * eclair closes above 100 sat/vB, and LDK where the fee counts for more than its dust exposure. It is well above what lnd and
 * eclair sign themselves.
 */
const ANCHOR_CAP_PER_KW = 12_500;
/** 1000 sat/vB: above this a server is wrong rather than the market mad. */
const CAP_PER_KW = 250_000;
/** 200 sat/vB: a peer whose estimates still remember a spike is honest. */
const NEVER_ABSURD_PER_KW = 50_000;
/** 5 sat/vB. lnd and eclair keep anchor commitments at 10 sat/vB or below whatever the market: half of that is in order. */
const NEVER_TOO_LOW_PER_KW = 1250;
const STALE_AFTER_MS = 3_600_000;

const bounds = { least: ROUNDED_RELAY_PER_KW, most: CAP_PER_KW } as const;
// An LDK peer closes over a feerate below its own estimate for a week.
const commitment = { factor: 1, least: INDISPUTABLE_PER_KW, most: CAP_PER_KW } as const;
const minAllowed = { blocks: 1008, factor: 0.5, fallback: ROUNDED_RELAY_PER_KW } as const;

const RULES: Readonly<Record<ConfirmationTarget, TargetRule>> = {
  urgentOnChainSweep: { ...bounds, blocks: 2, factor: 1, fallback: 5000 },
  // Without anchors a commitment cannot be bumped: what is signed now has to confirm whenever it is needed.
  nonAnchorChannelFee: { ...commitment, blocks: 12, fallback: 2000 },
  // With anchors the commitment needs no more than to be relayed: it is bumped when it matters.
  anchorChannelFee: { ...commitment, most: ANCHOR_CAP_PER_KW, blocks: 144, fallback: INDISPUTABLE_PER_KW },
  minAllowedNonAnchorChannelRemoteFee: { ...bounds, ...minAllowed },
  minAllowedAnchorChannelRemoteFee: { ...bounds, ...minAllowed, most: NEVER_TOO_LOW_PER_KW },
  maximumFeeEstimate: {
    blocks: 1,
    factor: 10,
    fallback: NEVER_ABSURD_PER_KW,
    least: NEVER_ABSURD_PER_KW,
    most: CAP_PER_KW,
  },
  outputSpendingFee: { ...bounds, blocks: 12, factor: 1, fallback: 2000 },
};

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

  /** Whether anything but guesses is known. */
  get isKnown(): boolean {
    return this.#estimates.size > 0;
  }

  /** Whether no server has answered for an hour: what it said last is still used, but not for opening channels. */
  isStale(nowMs: number): boolean {
    return this.#updatedMs === undefined || nowMs - this.#updatedMs > STALE_AFTER_MS;
  }

  feerate(target: ConfirmationTarget): FeeratePerKw {
    const { blocks, factor, fallback, least, most } = RULES[target];
    const perKw = Math.min(Math.max(this.#within(blocks, factor, fallback), least), most);
    return feeratePerKw(perKw);
  }

  /**
   * From the estimate for the longest time that is not longer. Where all are for longer, the shortest of them says too
   * little for an urgent target: then it only raises what is taken while nothing is known.
   */
  #within(blocks: number, factor: number, fallback: number): number {
    const targets = [...this.#estimates.keys()].toSorted((a, b) => a - b);
    const target = targets.findLast((candidate) => candidate <= blocks);
    const nearest = this.#estimates.get(target ?? targets[0] ?? 0);
    const perKw = nearest === undefined ? 0 : Math.ceil(nearest * 250 * factor);
    return target === undefined ? Math.max(perKw, fallback) : perKw;
  }
}
