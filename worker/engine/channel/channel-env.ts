import type { ChannelSigner } from '../keys/channel-signer.ts';
import type { ShachainStore } from '../keys/shachain.ts';
import type { Secp256k1 } from '../primitives/secp256k1.ts';
import type { FeeratePerKw } from '../primitives/units.ts';
import type { CommitmentFormat } from '../transactions/channel-scripts.ts';
import type { ChannelConfig } from './channel-config.ts';

/** What a step of a channel needs from outside, as values of this moment. */
export interface ChannelEnv {
  readonly secp: Secp256k1;
  readonly signer: ChannelSigner;
  /** What the counterparty revealed so far, as the monitor has it. */
  readonly counterpartySecrets: ShachainStore;
  readonly config: ChannelConfig;
  readonly blockHeight: number;
  readonly feerates: ChannelFeerates;
  /** A feerate of ours that the counterparty answered with a warning: neither it nor one further off is proposed again. */
  readonly refusedFeerate?: FeeratePerKw | undefined;
}

export interface ChannelFeerates {
  readonly commitment: Readonly<Record<CommitmentFormat, CommitmentFeerates>>;
  /** For whatever the on-chain wallet pays for, and a cooperative close. */
  readonly outputSpending: FeeratePerKw;
  /** Above this a proposal of the counterparty is absurd. */
  readonly maximum: FeeratePerKw;
}

/** Feerates for the commitment transactions of one format. */
export interface CommitmentFeerates {
  /** For new channels, and what our own `update_fee` raises to. */
  readonly target: FeeratePerKw;
  /** What our own `update_fee` may lower to; `undefined` while that has not stood for hours. */
  readonly settled: FeeratePerKw | undefined;
  /** Below this a proposal of the counterparty is too low to be relayed when it matters. */
  readonly minimum: FeeratePerKw;
}
