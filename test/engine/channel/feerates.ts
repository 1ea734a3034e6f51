import type { ChannelFeerates, CommitmentFeerates } from '../../../worker/engine/channel/channel-env.ts';
import { feeratePerKw } from '../../../worker/engine/primitives/units.ts';

/** Feerates in sat per 1000 weight for channels of every format, as they have been for hours. */
export function feeratesOf(commitment: number, outputSpending: number = commitment): ChannelFeerates {
  const settled = feeratePerKw(commitment);
  const rates: CommitmentFeerates = { target: settled, settled, minimum: feeratePerKw(253) };
  return {
    commitment: { anchors: rates, static_remotekey: rates },
    outputSpending: feeratePerKw(outputSpending),
    maximum: feeratePerKw(50_000),
  };
}
