import type { ChannelFeerates } from '../engine/channel/channel-env.ts';
import type { ChannelManager } from '../engine/manager/channel-manager.ts';

export interface ClaimBumpingParts {
  readonly manager: Pick<ChannelManager, 'blockHeight' | 'bestBlockUpdated'> & {
    readonly chainMonitor: Pick<ChannelManager['chainMonitor'], 'monitors'>;
  };
  readonly chain: { readonly feerates: Pick<ChannelFeerates, 'outputSpending'>; readonly knowsChannels: boolean };
  /** As `NodeTurns.turn`. */
  readonly turn: (work: () => void) => void;
}

/** The rise that the engine follows at once; smaller ones have the next block. */
const FOLLOWED_RISE = 1.25;

/**
 * Between blocks, LDK's `rebroadcast_pending_claims`: what is claimed has its fee from the last block, and were that too low by now, one
 * more block would pass before it is raised. What a claim may pay, and whether it hurries, is for the engine to say.
 */
export class ClaimBumping {
  readonly #parts: ClaimBumpingParts;
  /** The estimate at which claims were last made again, or what it has fallen to since. */
  #followedPerKw = 0;

  constructor(parts: ClaimBumpingParts) {
    this.#parts = parts;
  }

  /** Has claims made again where the estimate has risen above them, once for each rise: some may pay no more, and stay below it. */
  bump(): void {
    const { manager, chain, turn } = this.#parts;
    if (!chain.knowsChannels) return;
    const { outputSpending } = chain.feerates;
    const hasRisen = outputSpending >= this.#followedPerKw * FOLLOWED_RISE;
    this.#followedPerKw = Math.min(this.#followedPerKw, outputSpending);
    if (!hasRisen || !this.#areOvertaken(outputSpending)) return;
    this.#followedPerKw = outputSpending;
    turn(() => manager.bestBlockUpdated(manager.blockHeight));
  }

  #areOvertaken(estimatePerKw: number): boolean {
    return this.#parts.manager.chainMonitor.monitors().some(([, { anchorChild, packages }]) => {
      const made = anchorChild === undefined ? packages : [anchorChild, ...packages];
      return made.some(({ feeratePerKw }) => estimatePerKw >= feeratePerKw * FOLLOWED_RISE);
    });
  }
}
